import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { defaultLimits } from "./limits.ts";
import { type Action, Permissions, parseRoles } from "./permissions.ts";

const limit = defaultLimits.permissionLiterals;
const permissionsOf = (...roles: string[]): Permissions => new Permissions(parseRoles(roles, defaultLimits));
const allowed = (permissions: Permissions, action: Action, groups: readonly string[]): readonly string[] =>
  groups.filter((group) => permissions.allows(action, named.group(group)));
const change = (permissions: Permissions, group: string | null, wanted: boolean): string =>
  permissions.set({ action: "sendToGroup", group: group === null ? null : named.group(group), wanted }, limit);

test("C-31 without roles nothing is allowed, and one action's role says nothing of the other", () => {
  expect(allowed(permissionsOf(), "sendToGroup", ["a"])).toEqual([]);
  const permissions = permissionsOf("webpubsub.sendToGroup");
  expect(allowed(permissions, "sendToGroup", ["a", "a.b", "*"])).toEqual(["a", "a.b", "*"]);
  expect(allowed(permissions, "joinLeaveGroup", ["a"])).toEqual([]);
});

test("C-39 a literal role allows exactly the text behind the dot", () => {
  const permissions = permissionsOf("webpubsub.sendToGroup.a.b", "webpubsub.sendToGroup.*", "webpubsub.sendToGroup.s");
  expect(allowed(permissions, "sendToGroup", ["a.b", "a", "b", "A.B", "a.b.c", "*", "s", "x"])).toEqual([
    "a.b",
    "*",
    "s",
  ]);
});

test("C-40 pattern roles hold for both actions, and case matters", () => {
  const permissions = permissionsOf("webpubsub.sendToGroups.t1.*", "webpubsub.joinLeaveGroups.room-?");
  expect(allowed(permissions, "sendToGroup", ["t1.a", "T1.a", "t1.a.b", "room-1"])).toEqual(["t1.a"]);
  expect(allowed(permissions, "joinLeaveGroup", ["t1.a", "room-1", "Room-1"])).toEqual(["room-1"]);
});

test.each([
  "webpubsub.sendToGroups.******",
  "webpubsub.sendToGroups.a\\",
  "webpubsub.sendToGroups.\\x",
  "webpubsub.sendToGroups.",
  "webpubsub.sendToGroups",
  "webpubsub.sendToGroup.",
  "webpubsub.sendToGroup. ",
  "Webpubsub.sendToGroup",
  "sendToGroup",
  " webpubsub.sendToGroup",
  "",
])("C-41 role %p grants nothing and spoils nothing", (role) => {
  const permissions = permissionsOf(role, "webpubsub.sendToGroup.ok");
  expect(allowed(permissions, "sendToGroup", ["a", "x", "\\x", "ok"])).toEqual(["ok"]);
});

test("C-41 of 1001 literal and 11 pattern roles the last is ignored", () => {
  const literals = Array.from({ length: 1001 }, (_, index) => `webpubsub.sendToGroup.l${index}`);
  const patterns = Array.from({ length: 11 }, (_, index) => `webpubsub.sendToGroups.p${index}-*`);
  const permissions = permissionsOf(...literals, ...patterns);
  expect(allowed(permissions, "sendToGroup", ["l0", "l999", "l1000", "p0-", "p9-", "p10-"])).toEqual([
    "l0",
    "l999",
    "p0-",
    "p9-",
  ]);
});

test("C-42 R-92 a revoked group is denied in spite of the global role until it is granted", () => {
  const permissions = permissionsOf("webpubsub.sendToGroup");
  expect(change(permissions, "room", false)).toBe("done");
  expect(allowed(permissions, "sendToGroup", ["room", "room2"])).toEqual(["room2"]);
  expect(change(permissions, "room", true)).toBe("done");
  expect(allowed(permissions, "sendToGroup", ["room", "room2"])).toEqual(["room", "room2"]);
});

test("C-42 a revoked group is denied in spite of patterns and of its own literal role", () => {
  const permissions = permissionsOf("webpubsub.sendToGroups.**", "webpubsub.sendToGroup.room");
  expect(change(permissions, "room", false)).toBe("done");
  expect(allowed(permissions, "sendToGroup", ["room", "x"])).toEqual(["x"]);
});

test("R-88 granting and revoking twice is the same as once", () => {
  const permissions = permissionsOf();
  for (const wanted of [true, true, false, false]) {
    expect(change(permissions, "g", wanted)).toBe("done");
    expect(permissions.allows("sendToGroup", named.group("g"))).toBe(wanted);
  }
});

test("R-93 the 1001st literal rule is a conflict and changes nothing", () => {
  const permissions = permissionsOf();
  for (let index = 0; index < limit; index++) expect(change(permissions, `g${index}`, true)).toBe("done");
  expect(change(permissions, "one-more", true)).toBe("conflict");
  expect(allowed(permissions, "sendToGroup", ["g0", "g999", "one-more"])).toEqual(["g0", "g999"]);
  expect(change(permissions, "g0", true)).toBe("done");
  expect(change(permissions, "one-more", false)).toBe("done");
  expect(change(permissions, "g0", false)).toBe("done");
  expect(change(permissions, "one-more", true)).toBe("done");
});

test("R-93 a literal rule may turn into its opposite at the limit", () => {
  const permissions = permissionsOf("webpubsub.sendToGroup", "webpubsub.sendToGroup.a");
  expect(permissions.set({ action: "sendToGroup", group: named.group("a"), wanted: false }, 1)).toBe("done");
  expect(allowed(permissions, "sendToGroup", ["a", "b"])).toEqual(["b"]);
  expect(permissions.set({ action: "sendToGroup", group: named.group("b"), wanted: false }, 1)).toBe("conflict");
});

test("granting or revoking all groups replaces every rule of that action only", () => {
  const permissions = permissionsOf("webpubsub.sendToGroups.a*", "webpubsub.joinLeaveGroup.j");
  change(permissions, "x", true);
  change(permissions, null, false);
  expect(allowed(permissions, "sendToGroup", ["a1", "x"])).toEqual([]);
  change(permissions, null, true);
  expect(allowed(permissions, "sendToGroup", ["a1", "x", "y"])).toEqual(["a1", "x", "y"]);
  expect(allowed(permissions, "joinLeaveGroup", ["j", "x"])).toEqual(["j"]);
});

test("R-94 connections that share their roles do not share changes", () => {
  const roles = parseRoles(["webpubsub.sendToGroup.a"], defaultLimits);
  const [left, right] = [new Permissions(roles), new Permissions(roles)];
  change(left, "b", true);
  change(left, "a", false);
  expect(allowed(left, "sendToGroup", ["a", "b"])).toEqual(["b"]);
  expect(allowed(right, "sendToGroup", ["a", "b"])).toEqual(["a"]);
});
