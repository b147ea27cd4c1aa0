import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { configFolder, key } from "../../tests/support/config-folder.ts";
import { formatConnectionString, parseConnectionString } from "./connection-string.ts";
import { loadConfig } from "./load.ts";
import { nodeAt, settingsRoot } from "./schema-tree.ts";

const { inputOf, remove } = configFolder();
afterAll(remove);

const words = [
  ...settingsRoot().keys,
  "chat",
  "keys",
  "primary",
  "listen",
  "url",
  "eventHandlers",
  "ipRules",
  "*",
  "__proto__",
];
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 1, -1.5, "", "x", "${X}", "http://a/{event}", "constructor"),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words), tie("node"), { maxKeys: 4 }),
  ),
}));

test("any file gives a configuration or problems, and never throws", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...words), tree.node, { maxKeys: 4 }), (content) => {
      const loaded = loadConfig(inputOf({ file: JSON.stringify(content), fileName: "config.json" }));
      if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 150 },
  );
});

test("any variables give a configuration or problems, and never throw", () => {
  const name = fc.array(fc.constantFrom(...words, "0", "1", "", "urlTemplate"), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 4 }), (variables) => {
      const environment = Object.fromEntries(
        variables.map(([names, value]) => [`WEBPUBSUB__${names.join("__")}`, value]),
      );
      const loaded = loadConfig(inputOf({ environment: { ...environment, WEBPUBSUB_PRIMARY_KEY: key } }));
      if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 150 },
  );
});

test("every setting is reached by its path, and explained", () => {
  const visit = (path: readonly string[]) => {
    const node = nodeAt(path);
    if (node === null) throw new Error(path.join("."));
    expect(node.meta.description).not.toBe("");
    for (const child of node.keys) visit([...path, child]);
  };
  for (const section of settingsRoot().keys) visit([section]);
});

test("M-1 M-9 what is formatted is parsed again", () => {
  const text = fc.stringMatching(/^[A-Za-z0-9+/=]{32,80}$/);
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 80),
      (accessKey, port) => {
        const parts = { endpoint: `http://host.example.com:${port}`, accessKey };
        expect(parseConnectionString(formatConnectionString(parts))).toEqual({ ok: true, value: parts });
      },
    ),
  );
});
