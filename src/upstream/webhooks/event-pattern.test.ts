import { expect, test } from "bun:test";
import { parseEventPattern } from "./event-pattern.ts";

function matches(pattern: string, event: string, globs = false): boolean {
  const parsed = parseEventPattern(pattern, globs);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed.matches(event);
}

test.each([
  ["a, B", "A", true],
  ["a, B", "b", true],
  ["a, B", "c", false],
  ["a, B", "a,", false],
  ["*", "x.y.z", true],
  [" * ", "x", true],
  ["", "x", false],
  [" , ", "", false],
])("E-5 %p against %p: %p", (pattern, event, expected) => {
  expect(matches(pattern, event)).toBe(expected);
});

test.each(["room.*", "!a", "a?", "a\\*", "a,b*"])("E-6 %p is refused by default", (pattern) => {
  expect(typeof parseEventPattern(pattern, false)).toBe("string");
});

test("E-6 globs match within segments where they are enabled; negation never exists", () => {
  expect(matches("room.*,other", "ROOM.a", true)).toBe(true);
  expect(matches("room.*", "room.a.b", true)).toBe(false);
  expect(matches("room.**", "room.a.b", true)).toBe(true);
  expect(parseEventPattern("!a", true)).toBe("must not contain !, patterns cannot be negated");
  expect(typeof parseEventPattern("a\\b*", true)).toBe("string");
});
