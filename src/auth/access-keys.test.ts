import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { accessKeyProblem, createAccessKey, createAccessKeys } from "./access-keys.ts";

test("an access key has at least 32 UTF-8 bytes", () => {
  expect(accessKeyProblem("k".repeat(31))).toBe("tooShort");
  expect(accessKeyProblem("k".repeat(32))).toBeNull();
  expect(accessKeyProblem("é".repeat(16))).toBeNull();
});

test("an access key has no surrounding white space, semicolon, control character or lone surrogate", () => {
  const long = "k".repeat(40);
  expect(accessKeyProblem(` ${long}`)).toBe("surroundingSpace");
  expect(accessKeyProblem(`${long}\n`)).toBe("surroundingSpace");
  for (const bad of [";", "\t", "\u0000", "\u007f", "\ud800"]) {
    expect(accessKeyProblem(`${long}${bad}${long}`)).toBe("forbiddenCharacter");
  }
  expect(accessKeyProblem(`${long}+/==`)).toBeNull();
});

test("a key set lists the primary key first and leaves out a missing secondary one", () => {
  const both = createAccessKeys({ primary: "p".repeat(32), secondary: "s".repeat(32) });
  expect(both.all.map((key) => key.export().toString())).toEqual(["p".repeat(32), "s".repeat(32)]);
  expect(createAccessKeys({ primary: "p".repeat(32), secondary: null }).all).toHaveLength(1);
});

test("H-55 a key does not show its text when printed or serialized", () => {
  const key = createAccessKey("secret-text-of-a-key-0123456789abcdef");
  expect(`${inspect(key)} ${JSON.stringify({ key })}`).not.toContain("secret-text");
});
