import { expect, test } from "bun:test";
import { flattenClaims, readClientIdentity } from "./client-token.ts";

test("C-15 role and webpubsub.group are read as string and as array", () => {
  expect(readClientIdentity({ sub: "u", role: "r", "webpubsub.group": "g" })).toEqual({
    userId: "u",
    roles: ["r"],
    groups: ["g"],
  });
  expect(readClientIdentity({ sub: "u", role: ["r1", "r2"], "webpubsub.group": ["g1", "g2"] })).toEqual({
    userId: "u",
    roles: ["r1", "r2"],
    groups: ["g1", "g2"],
  });
  expect(readClientIdentity({ role: [], "webpubsub.group": [] })).toEqual({ userId: null, roles: [], groups: [] });
});

test("roles also come from the names .NET writers use", () => {
  const long = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
  expect(readClientIdentity({ role: "a", roles: ["b"], [long]: "c" }).roles).toEqual(["a", "b", "c"]);
});

test("the user id is sub, else nameid; an empty one is none", () => {
  expect(readClientIdentity({ sub: "s", nameid: "n" }).userId).toBe("s");
  expect(readClientIdentity({ nameid: "n" }).userId).toBe("n");
  expect(readClientIdentity({ sub: "" }).userId).toBeNull();
  expect(readClientIdentity({}).userId).toBeNull();
  expect(readClientIdentity({ userId: "socketio" }).userId).toBeNull();
});

test("an invalid group name stays visible to the caller", () => {
  expect(readClientIdentity({ "webpubsub.group": ["ok", " ", 5] }).groups).toEqual(["ok", " ", "5"]);
});

test("claims are flattened to lists of texts for the connect event", () => {
  const claims = {
    sub: "ann",
    role: ["r1", "r2"],
    exp: 1795226121,
    flag: true,
    none: null,
    deep: { a: [1] },
    mixed: [1, null, false, [2], "x"],
  };
  expect(flattenClaims(claims)).toEqual({
    sub: ["ann"],
    role: ["r1", "r2"],
    exp: ["1795226121"],
    flag: ["true"],
    none: [],
    deep: ['{"a":[1]}'],
    mixed: ["1", "false", "[2]", "x"],
  });
  expect(flattenClaims({})).toEqual({});
});

test("H-23 a claim named __proto__ is an ordinary claim", () => {
  const claims: unknown = JSON.parse('{"__proto__":"x","sub":"u"}');
  const flat = flattenClaims(claims as Readonly<Record<string, unknown>>);
  expect(JSON.stringify(flat)).toBe('{"__proto__":["x"],"sub":["u"]}');
});
