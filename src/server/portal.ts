import { fileURLToPath } from "node:url";
import type { Asset } from "../console/console.ts";

const page = fileURLToPath(new URL("../../portal/index.html", import.meta.url));
const contentTypes: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Bundles the console's page. Throws with the bundler's messages when it cannot. */
export async function buildPortal(): Promise<readonly Asset[]> {
  const { outputs } = await Bun.build({
    entrypoints: [page],
    minify: true,
    publicPath: "/",
    naming: { chunk: "console/[name]-[hash].[ext]", asset: "console/[name]-[hash].[ext]" },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputs.map((output) => {
    const path = output.path.replace(/^\.?\/*/, "/");
    const isPage = path.endsWith(".html");
    const extension = path.split(".").at(-1) ?? "";
    return {
      path: isPage ? "/" : path,
      contentType: contentTypes[extension] ?? "application/octet-stream",
      body: output,
      isImmutable: !isPage,
    };
  });
}
