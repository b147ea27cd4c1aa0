import { expect, test } from "bun:test";
import { parseGroupPattern } from "./pattern.ts";

const matches = (pattern: string, name: string): boolean | undefined => parseGroupPattern(pattern)?.matches(name);

test.each<[pattern: string, yes: readonly string[], no: readonly string[]]>([
  ["room-*", ["room-7", "room-"], ["room.7", "xroom-7", "room-7.x", "Room-7"]],
  ["t1.*", ["t1.a", "t1."], ["t1.a.b", "t1", "T1.a"]],
  ["t1.**", ["t1.a", "t1.a.b", "t1."], ["t2.a"]],
  ["t1.?9", ["t1.a9"], ["t1.9", "t1.ab9", "t1..9"]],
  ["a\\*b", ["a*b"], ["axb", "a\\*b"]],
  ["a\\?\\\\", ["a?\\"], ["ab\\"]],
  ["**", ["a", ".", "a.b"], []],
  ["plain", ["plain"], ["plains", "plai", "Plain"]],
  ["*a*", ["a", "aa", "xax", "aab"], ["aa.b", "a.a", ".a"]],
  ["*.*", ["a.b", "."], ["a", "a.b.c"]],
  ["**a*", ["x.a", "a.ab"], ["a.b"]],
])("C-40 pattern %p", (pattern, yes, no) => {
  for (const name of yes) expect([name, matches(pattern, name)]).toEqual([name, true]);
  for (const name of no) expect([name, matches(pattern, name)]).toEqual([name, false]);
});

test.each(["", "******", "*a*a*a*a*a*", "a\\", "a\\x", "??????", "**?**???", "a".repeat(1025)])(
  "C-41 %p is no pattern",
  (source) => {
    expect(parseGroupPattern(source)).toBeNull();
  },
);

test.each(["*****", "**?**??", "*a*a*a*a*", "?????", "\\*\\*\\*\\*\\*\\*", "a".repeat(1024)])(
  "C-41 %p is a pattern",
  (source) => {
    expect(parseGroupPattern(source)).not.toBeNull();
  },
);
