import { expect, test } from "bun:test";
import { configDocsFile, renderConfigDocs } from "./config-docs.ts";

test("docs/configuration.md is what the schema says; else run tooling/config-docs.ts", async () => {
  expect(await Bun.file(configDocsFile).text()).toBe(renderConfigDocs());
});

test("every setting of the page has a meaning and a kind", () => {
  const rows = renderConfigDocs()
    .split("\n")
    .filter((line) => /^\| `[a-z]+\./.test(line));
  expect(rows.length).toBeGreaterThan(100);
  for (const row of rows) expect(row).toMatch(/^\| `[^`]+` \| [^|]+ \| [^|]* \| [^|]+ \|$/);
});
