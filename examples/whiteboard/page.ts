// The page: bundled once when the application starts, and served from memory.
import { join } from "node:path";
import type { RequestHandler } from "express";

/** Serves the bundled page and its parts; `connectTo` is the only other place that it may talk to. */
export async function servePage(connectTo: string): Promise<RequestHandler> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dirname, "web", "index.html")],
    target: "browser",
    minify: true,
  });
  const parts = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  for (const output of outputs) {
    const path = output.path.replace(/^\.?\//, "/");
    parts.set(path, { type: output.type, bytes: Buffer.from(await output.arrayBuffer()) });
  }
  const policy = [
    "default-src 'self'",
    `connect-src 'self' ${connectTo}`,
    "img-src 'self' blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return (request, response, next) => {
    const part = request.method === "GET" ? parts.get(request.path === "/" ? "/index.html" : request.path) : undefined;
    if (part === undefined) {
      next();
      return;
    }
    // The names of the parts change with their contents, the page itself is asked for each time.
    const caching = part.type.startsWith("text/html") ? "no-cache" : "public, max-age=31536000, immutable";
    response
      .set({
        "Content-Type": part.type,
        "Cache-Control": caching,
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
      })
      .send(part.bytes);
  };
}
