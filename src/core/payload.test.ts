import { expect, test } from "bun:test";
import { checkMetadata, type Metadata } from "./payload.ts";

const entries = (count: number, keyLength: number, valueLength: number): Metadata =>
  Array.from({ length: count }, (_, index) => [String(index).padStart(keyLength, "k"), "v".repeat(valueLength)]);

test.each<[string, Metadata]>([
  ["none", []],
  ["an empty value", [["k", ""]]],
  [
    "keys that differ in case",
    [
      ["Trace", "1"],
      ["trace", "2"],
    ],
  ],
  ["every key character", [["!#$%&'*+-.^_`|~09azAZ", "v"]]],
  ["the longest key", [["k".repeat(256), "v"]]],
  ["the longest value", [["k", "v".repeat(1024)]]],
  ["control characters in a value", [["k", "\u0000\u007f"]]],
  ["the largest sum", entries(8, 24, 1000)],
])("C-47 metadata may be %s", (_name, metadata) => {
  expect(checkMetadata(metadata)).toBeNull();
});

test.each<[NonNullable<ReturnType<typeof checkMetadata>>["kind"], string, Metadata]>([
  ["keyCharacters", "an empty key", [["", "v"]]],
  ["keyCharacters", "a blank in the key", [["a b", "v"]]],
  ["keyCharacters", "a letter beyond ASCII in the key", [["é", "v"]]],
  ["keyCharacters", "a colon in the key", [["a:b", "v"]]],
  ["keyLength", "a key of 257 characters", [["k".repeat(257), "v"]]],
  ["valueCharacters", "a letter beyond ASCII in the value", [["k", "é"]]],
  ["valueCharacters", "the first character beyond ASCII", [["k", "\u0080"]]],
  ["valueLength", "a value of 1025 characters", [["k", "v".repeat(1025)]]],
  [
    "duplicateKey",
    "a repeated key",
    [
      ["k", "1"],
      ["k", "2"],
    ],
  ],
])("C-48 R-57 %s: %s is refused", (kind, _name, metadata) => {
  expect(checkMetadata(metadata)).toEqual({ kind, key: metadata[0]?.[0] ?? "" });
});

test("C-48 R-57 one character over the total is refused", () => {
  const [first, ...rest] = entries(8, 24, 1000);
  expect(checkMetadata([[first?.[0] ?? "", `${first?.[1] ?? ""}v`], ...rest])).toEqual({
    kind: "totalLength",
    key: null,
  });
});
