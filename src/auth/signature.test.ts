import { expect, test } from "bun:test";
import { createAccessKeys } from "./access-keys.ts";
import { isConnectionSignature, signConnection } from "./signature.ts";

const primary = "primary-key-0123456789abcdef0123456789";
const secondary = "secondary-key-0123456789abcdef01234567";
const keys = createAccessKeys({ primary, secondary });
const first = "sha256=b8fa114f75e9dc54acfd85e562864c9e352ae2945da28a97d95ca513da5c7ba1";
const second = "sha256=c94bf168e72c27e5157b1c23a76ecee37c3d17dc6d04d6c1e09a656704677dbe";

test("E-24 the signature has one element per key, primary first, no space", () => {
  expect(signConnection(keys, "0f4c1d2e")).toBe(`${first},${second}`);
  expect(signConnection(createAccessKeys({ primary, secondary: null }), "0f4c1d2e")).toBe(first);
});

test("H-57 a signature made with either key verifies, in any hex case and position", () => {
  for (const header of [
    `${first},${second}`,
    first,
    second,
    first.toUpperCase().replace("SHA256", "sha256"),
    `sha256=00, ${second}`,
  ]) {
    expect(isConnectionSignature(header, keys, "0f4c1d2e")).toBe(true);
  }
});

test("H-57 a signature of another connection, another key or another form is refused", () => {
  expect(isConnectionSignature(`${first},${second}`, keys, "0f4c1d2f")).toBe(false);
  const others = createAccessKeys({ primary: "x".repeat(32), secondary: null });
  expect(isConnectionSignature(`${first},${second}`, others, "0f4c1d2e")).toBe(false);
  const malformed = [
    "",
    ",",
    first.slice(0, -1),
    `${first}0`,
    first.replace("sha256", "sha1"),
    first.slice(7),
    `${"sha256=,".repeat(8)}${first}`,
  ];
  for (const header of malformed) expect(isConnectionSignature(header, keys, "0f4c1d2e")).toBe(false);
});
