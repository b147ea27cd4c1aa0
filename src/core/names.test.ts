import { expect, test } from "bun:test";
import { parseAckId, parseConnectionId, parseEventName, parseGroupName, parseHubName, parseUserId } from "./names.ts";

test("C-12 R-8 hub names compare case-insensitively", () => {
  expect(String(parseHubName("CHAT"))).toBe("chat");
  expect(parseHubName("Chat")).toBe(parseHubName("cHAT"));
});

test.each(["1bad", "has-hyphen", "", " a", "a b", "a\n", "é", "a".repeat(129), "_a", "a/b"])(
  "R-7 C-13 %p is no hub name",
  (raw) => {
    expect(parseHubName(raw)).toBeNull();
  },
);

test.each(["a", "a".repeat(128), "A_`,.[]1"])("R-7 %p is a hub name", (raw) => {
  expect(parseHubName(raw)).not.toBeNull();
});

test.each(["", " ", "\t\n", "\u00a0", "a".repeat(1025)])("C-57 R-10 %p is no group name", (raw) => {
  expect(parseGroupName(raw)).toBeNull();
});

test.each(["a", " a ", "A", "*", "a.b?", "\u0000", "\ud800", "😀".repeat(512), "a".repeat(1024)])(
  "C-58 R-9 %p is a group name, kept as it is",
  (raw) => {
    expect(String(parseGroupName(raw))).toBe(raw);
  },
);

test("C-55 event names follow the pattern and have 1 to 128 characters", () => {
  expect(parseEventName("a".repeat(128))).not.toBeNull();
  expect(parseEventName("order.v1_a-b")).not.toBeNull();
  for (const raw of ["", "a".repeat(129), "1x", "a b", "a/b", "-a", "a\n", "é"]) expect(parseEventName(raw)).toBeNull();
});

test("the empty user id is no user, every other text is one", () => {
  expect(parseUserId("")).toBeNull();
  expect(String(parseUserId(" "))).toBe(" ");
});

test("a blank connection id is none", () => {
  expect(parseConnectionId("  ")).toBeNull();
  expect(String(parseConnectionId("no/such?"))).toBe("no/such?");
});

test("C-34 ack ids are canonical decimals of 64 bits", () => {
  for (const raw of ["0", "1", "9007199254740993", "18446744073709551615"]) expect(String(parseAckId(raw))).toBe(raw);
});

test.each([
  "",
  "-1",
  "+1",
  "01",
  "1.5",
  "1e3",
  "0x1",
  " 1",
  "18446744073709551616",
  "99999999999999999999",
  "1".repeat(21),
])("C-59 %p is no ack id", (raw) => {
  expect(parseAckId(raw)).toBeNull();
});
