import { expect, test } from "bun:test";
import { createAccessKeys } from "./access-keys.ts";
import { signConnection } from "./signature.ts";

const primary = "primary-key-0123456789abcdef0123456789";
const secondary = "secondary-key-0123456789abcdef01234567";
const keys = createAccessKeys({ primary, secondary });
const first = "sha256=b8fa114f75e9dc54acfd85e562864c9e352ae2945da28a97d95ca513da5c7ba1";
const second = "sha256=c94bf168e72c27e5157b1c23a76ecee37c3d17dc6d04d6c1e09a656704677dbe";

test("E-24 the signature has one element per key, primary first, no space", () => {
  expect(signConnection(keys, "0f4c1d2e")).toBe(`${first},${second}`);
  expect(signConnection(createAccessKeys({ primary, secondary: null }), "0f4c1d2e")).toBe(first);
});
