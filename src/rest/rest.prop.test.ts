import { expect, test } from "bun:test";
import fc from "fast-check";
import { createHarness } from "../../tests/support/rest-harness.ts";
import { parseContentType } from "./content-type.ts";
import { Query } from "./query.ts";
import { decodeSegment } from "./router.ts";

test("any well-formed name encoded once is decoded to itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      expect(decodeSegment(encodeURIComponent(name), false)).toBe(name);
    }),
  );
});

test("the query reads what a form encoder wrote", () => {
  const pairs = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.string({ unit: "binary" })));
  fc.assert(
    fc.property(pairs, (written) => {
      const query = new Query(new URLSearchParams(written).toString());
      for (const name of ["a", "b"]) {
        expect(query.all(name)).toEqual(written.filter(([key]) => key === name).map(([, value]) => value));
      }
    }),
  );
});

test("no content type is too strange to be judged", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "/", ";", "=", " ", "\t", '"', "\\", ",", "é", "charset=") }),
      (header) => void parseContentType(header),
    ),
  );
});

test("no path and no query breaks the API", async () => {
  const { send, logs } = createHarness();
  const character = fc.constantFrom(
    "a",
    "%",
    "2f",
    "%2F",
    "z",
    "+",
    ":",
    "/",
    " ",
    "&",
    "=",
    "é",
    "%C3%A9",
    ":send",
    "connections",
    "groups",
  );
  const text = fc.string({ unit: character });
  const line = fc.tuple(
    fc.constantFrom("GET", "HEAD", "PUT", "DELETE", "POST"),
    text,
    text.map((query) => query.replaceAll("?", "")),
  );
  await fc.assert(
    fc.asyncProperty(line, async ([method, path, query]) => {
      const { status } = await send(`${method} /api/hubs/chat/${path}?${query}`);
      expect(status).toBeLessThan(500);
    }),
  );
  expect(logs.filter(({ level }) => level === "error")).toEqual([]);
});
