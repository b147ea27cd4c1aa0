import { expect, test } from "bun:test";
import fc from "fast-check";
import { isProtobufAny } from "./protobuf-any.ts";

const point = "0a1e747970652e676f6f676c65617069732e636f6d2f64656d6f2e506f696e7412020801";

test.each([
  ["the example of the rendering table", point],
  ["nothing at all", ""],
  ["only a type URL", "0a0161"],
  ["only a value", "12020801"],
  ["an empty type URL", "0a00"],
  ["a type URL beyond ASCII", "0a02c3a9"],
  ["fields in the other order", "120208010a0161"],
  ["an unknown varint", "1801"],
  ["an unknown varint of ten bytes", "18ffffffffffffffffff01"],
  ["an unknown fixed64", "190102030405060708"],
  ["an unknown fixed32", "1d01020304"],
  ["an unknown length-delimited field", "1a0101"],
  ["a long field number", "faffffff0f00"],
])("C-51 %s is an Any", (_what, hex) => {
  expect(isProtobufAny(Uint8Array.fromHex(hex))).toBe(true);
});

test.each([
  ["a length beyond the end", "0a0261"],
  ["a huge length", "0affffffffffffffffff7f"],
  ["a tag without value", "0a"],
  ["an unfinished tag", "8a"],
  ["a fixed64 cut short", "1901020304"],
  ["a fixed32 cut short", "1d010203"],
  ["a varint of eleven bytes", "18ffffffffffffffffffff01"],
  ["field number 0", "0200"],
  ["a tag beyond 32 bits", "faffffff1f00"],
  ["a group", "1b1c"],
  ["the end of a group", "0c"],
  ["wire type 7", "0f00"],
  ["a type URL that is not UTF-8", "0a01ff"],
  ["text", "68656c6c6f"],
])("C-51 %s is not an Any", (_what, hex) => {
  expect(isProtobufAny(Uint8Array.fromHex(hex))).toBe(false);
});

test("every prefix of an Any has a verdict, and only cuts between fields are accepted", () => {
  const bytes = Uint8Array.fromHex(point);
  const accepted = Array.from(bytes.keys()).filter((length) => isProtobufAny(bytes.subarray(0, length)));
  expect(accepted).toEqual([0, 32]);
});

test("any bytes have a verdict", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => typeof isProtobufAny(bytes) === "boolean"));
});
