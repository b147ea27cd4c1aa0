import { extname } from "node:path";
import vue from "@vitejs/plugin-vue";
import type { RequestHandler } from "express";
import { build } from "vite";

/** Builds the page with Vite and serves it from memory, so that what is served is always what is in the source. */
export async function buildPage(folder: string): Promise<RequestHandler> {
  const built = await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    plugins: [vue()],
    build: { write: false, target: "es2022" },
  });
  const files = new Map<string, string | Uint8Array>();
  for (const bundle of Array.isArray(built) ? built : [built]) {
    if (!("output" in bundle)) continue;
    for (const file of bundle.output) files.set(`/${file.fileName}`, file.type === "chunk" ? file.code : file.source);
  }
  return (request, response, next) => {
    const path = request.path === "/" ? "/index.html" : request.path;
    const content = files.get(path);
    if (content === undefined || (request.method !== "GET" && request.method !== "HEAD")) return next();
    // The names of assets change with what is in them.
    const lifetime = path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
    response.set("Cache-Control", lifetime).type(extname(path)).send(Buffer.from(content));
  };
}
