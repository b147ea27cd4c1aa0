import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { createAccessKey, createAccessKeys } from "./access-keys.ts";

test("a key set lists the primary key first and leaves out a missing secondary one", () => {
  const both = createAccessKeys({ primary: "p".repeat(32), secondary: "s".repeat(32) });
  const hmac = (key: string): string => createHmac("sha256", key).update("text").digest("hex");
  expect(both.all.map((key) => key.sign("text", "hex"))).toEqual([hmac("p".repeat(32)), hmac("s".repeat(32))]);
  expect(createAccessKeys({ primary: "p".repeat(32), secondary: null }).all).toHaveLength(1);
});

test("H-55 a key does not show its text when printed or serialized", () => {
  const key = createAccessKey("secret-text-of-a-key-0123456789abcdef");
  expect(`${inspect(key)} ${JSON.stringify({ key })}`).not.toContain("secret-text");
});
