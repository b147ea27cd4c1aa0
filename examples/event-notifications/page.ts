// The dashboard, bundled when the server starts and served from memory.
import { basename, join } from "node:path";
import express from "express";

/** Serves what `web/index.html` needs, and itself at `/`. */
export async function servePage(): Promise<express.Router> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dirname, "web", "index.html")],
    target: "browser",
    minify: true,
  });
  const router = express.Router();
  for (const output of outputs) {
    const body = Buffer.from(await output.arrayBuffer());
    const name = basename(output.path);
    router.get(name === "index.html" ? "/" : `/${name}`, (_request, response) => {
      response.type(output.type).send(body);
    });
  }
  return router;
}
