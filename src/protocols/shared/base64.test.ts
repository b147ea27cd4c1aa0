import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeBase64 } from "./base64.ts";

test("C-46 base64 of the standard alphabet with padding is decoded", () => {
  expect(decodeBase64("")).toEqual(new Uint8Array());
  expect(decodeBase64("AQID")).toEqual(new Uint8Array([1, 2, 3]));
  expect(decodeBase64("+/8=")).toEqual(new Uint8Array([0xfb, 0xff]));
  expect(decodeBase64("AQ==")).toEqual(new Uint8Array([1]));
});

test.each([
  ["URL alphabet", "-_8="],
  ["no padding", "AQ"],
  ["half the padding", "AQ="],
  ["too much padding", "AQID===="],
  ["padding alone", "===="],
  ["a single character", "A"],
  ["a blank inside", "AQ ID"],
  ["four blanks", "    "],
  ["a line break at the end", "AQID\n"],
  ["padding in the middle", "AQ==AQID"],
  ["bits left over", "AR=="],
  ["not ASCII", "AQIé"],
])("C-46 base64 with %s is refused", (_what, text) => {
  expect(decodeBase64(text)).toBeNull();
});

test("what is decoded encodes to the same text, whatever the text", () => {
  const text = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.array(fc.constantFrom("A", "Q", "=", " ", "\n", "+", "-")).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(text, (source) => [null, source].includes(decodeBase64(source)?.toBase64() ?? null)));
});
