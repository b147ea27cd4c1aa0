import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAccessKey, developmentKey, generateAccessKey, readOrCreateKey } from "./keys.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidewire-keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["x".repeat(31), "must be at least 32 bytes long"],
  ["", "must be at least 32 bytes long"],
  [` ${"x".repeat(40)}`, "must not begin or end with white space"],
  [`${"x".repeat(40)}\n`, "must not begin or end with white space"],
  [`${"x".repeat(40)};y`, "must not contain a semicolon"],
  [`${"x".repeat(20)}\u0000${"x".repeat(20)}`, "must not contain control characters"],
  [`${"x".repeat(20)}\u0085${"x".repeat(20)}`, "must not contain control characters"],
])("M-4 the key %j is refused", (key, message) => {
  expect(checkAccessKey(key)).toBe(message);
});

test("M-4 length counts UTF-8 bytes, and what Azure generates passes", () => {
  expect(checkAccessKey("x".repeat(32))).toBeNull();
  expect(checkAccessKey("ä".repeat(16))).toBeNull();
  expect(checkAccessKey("Aa0+/".repeat(8) + "==")).toBeNull();
  expect(checkAccessKey(developmentKey)).toBeNull();
});

test("a generated key is 64 letters and digits and differs each time", () => {
  const keys = Array.from({ length: 50 }, generateAccessKey);
  for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(new Set(keys).size).toBe(50);
});

test("M-11 the key is generated once, kept for its owner only, and reused", () => {
  const dataDir = join(folder, "new", "data");
  const first = readOrCreateKey(dataDir);
  const second = readOrCreateKey(dataDir);
  if (!first.ok || !second.ok) throw new Error("no key");
  expect(second.key).toBe(first.key);
  expect(first.warning).toBeNull();
  expect(statSync(first.file).mode & 0o777).toBe(0o600);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(readFileSync(first.file, "utf8")).toBe(`${first.key}\n`);
  expect(readdirSync(dataDir)).toEqual(["access-key"]);
});

test("M-11 a damaged or readable key file is reported, never replaced", () => {
  const dataDir = mkdtempSync(join(folder, "damaged-"));
  const file = join(dataDir, "access-key");
  writeFileSync(file, "short\n");
  expect(readOrCreateKey(dataDir)).toEqual({
    ok: false,
    message: `the access key in ${file} must be at least 32 bytes long`,
  });
  writeFileSync(file, "y".repeat(40));
  chmodSync(file, 0o644);
  expect(readOrCreateKey(dataDir)).toEqual({
    ok: true,
    key: "y".repeat(40),
    file,
    warning: `${file} can be read by other users; set its mode to 600`,
  });
});

test("a folder that cannot be made is reported with the system's code", () => {
  writeFileSync(join(folder, "file"), "");
  expect(readOrCreateKey(join(folder, "file", "data"))).toEqual({
    ok: false,
    message: `cannot keep the access key in ${join(folder, "file", "data", "access-key")} (ENOTDIR)`,
  });
});
