import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildPortal } from "./portal.ts";

test("the page is built of one document and files whose names change with their content", async () => {
  const assets = await buildPortal();
  expect(assets.filter(({ path }) => path === "/").map(({ contentType }) => contentType)).toEqual([
    "text/html; charset=utf-8",
  ]);
  const others = assets.filter(({ path }) => path !== "/");
  expect(new Set(others.map(({ path }) => path.split(".").at(-1)))).toEqual(new Set(["css", "js", "svg"]));
  for (const { path, isImmutable } of others) {
    expect([/^\/console\/[\w-]+-[\w]+\.\w+$/.test(path), isImmutable]).toEqual([true, true]);
  }
});

test("package and image bring what the page is built of", () => {
  const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
  expect((JSON.parse(read("package.json")) as { readonly files: readonly string[] }).files).toContain("portal");
  expect(read("Dockerfile")).toContain("COPY --from=build /app/portal ./portal");
});
