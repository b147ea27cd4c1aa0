import { expect, test } from "bun:test";
import fc from "fast-check";
import { scanObject } from "./json-scanner.ts";

/** The object as decoded members, last one wins, or null if the text is refused. */
function scan(text: string): Map<unknown, unknown> | null {
  const scanner = scanObject(text);
  if (scanner === null) return null;
  const members = new Map<unknown, unknown>();
  for (;;) {
    const step = scanner.next();
    if (step === "end") return members;
    if (step === "invalid") return null;
    const name: unknown = JSON.parse(text.slice(scanner.nameStart, scanner.nameEnd));
    members.set(name, JSON.parse(text.slice(scanner.valueStart, scanner.valueEnd)));
  }
}

function parse(text: string): Map<unknown, unknown> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : null;
}

const key = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("type", "data", "__proto__", "a\\b"));
const object = fc
  .tuple(fc.dictionary(key, fc.jsonValue(), { noNullPrototype: true }), fc.constantFrom("", " ", "\t\r\n"))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const edit = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 2 }),
  text: fc.oneof(
    fc.constantFrom("", "{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "0", "1", "-", "+", ".", "e", "E", " ", "\n"),
    fc.constantFrom("\u0000", "\u001f", "\u007f", "\ufeff", "null", "true", "false", '"a":1,', '\\"', "/", "\\/", "'"),
    fc.string({ maxLength: 2 }),
  ),
});
const edited = fc.tuple(object, fc.array(edit, { maxLength: 3 })).map(([text, edits]) =>
  edits.reduce((current, { at, length, text: inserted }) => {
    const index = at % (current.length + 1);
    return current.slice(0, index) + inserted + current.slice(index + length);
  }, text),
);

test("H-23 an object is accepted, and its members are those that JSON.parse finds", () => {
  fc.assert(
    fc.property(object, (text) => {
      expect(scan(text)).toEqual(parse(text));
      expect(scan(text)).not.toBeNull();
    }),
    { numRuns: 2000 },
  );
});

test("H-23 an edited object is accepted exactly when JSON.parse accepts it", () => {
  fc.assert(
    fc.property(edited, (text) => {
      expect(scan(text)).toEqual(parse(text));
    }),
    { numRuns: 10_000 },
  );
});
