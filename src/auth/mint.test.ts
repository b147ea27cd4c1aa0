import { expect, test } from "bun:test";
import { jwtVerify } from "jose";
import { createAccessKey, createAccessKeys } from "./access-keys.ts";
import { clientAudience } from "./audience.ts";
import { readClientIdentity } from "./client-token.ts";
import { mintClientToken } from "./mint.ts";
import { clientTokenAlgorithms, verifyKeyToken } from "./verify.ts";

const primary = "primary-key-0123456789abcdef0123456789";
const now = 1_795_226_000;
const content = {
  audience: clientAudience("https://ps.example.com/", "default", "chat"),
  userId: "ann",
  roles: ["webpubsub.joinLeaveGroup"],
  groups: ["g1", "g2"],
  issuedAtSeconds: now,
  lifetimeSeconds: 3600,
  tokenId: "id-1",
};

test("R-95 a minted token carries user, roles, groups, lifetime and the client audience", async () => {
  const { payload, protectedHeader } = await jwtVerify(
    mintClientToken(createAccessKey(primary), content),
    Buffer.from(primary),
    {
      currentDate: new Date(now * 1000),
    },
  );
  expect(protectedHeader).toEqual({ alg: "HS256", typ: "JWT" });
  expect(payload).toEqual({
    aud: "https://ps.example.com/client/hubs/chat",
    sub: "ann",
    role: ["webpubsub.joinLeaveGroup"],
    "webpubsub.group": ["g1", "g2"],
    iat: now,
    nbf: now,
    exp: now + 3600,
    jti: "id-1",
  });
});

test("a minted token without user, roles and groups carries no such claims", () => {
  const keys = createAccessKeys({ primary, secondary: null });
  const token = mintClientToken(keys.primary, { ...content, userId: "", roles: [], groups: [], audience: ["a", "b"] });
  const check = verifyKeyToken(token, keys.all, { algorithms: clientTokenAlgorithms, nowSeconds: now, skewSeconds: 0 });
  expect(check.ok && Object.keys(check.claims)).toEqual(["aud", "iat", "nbf", "exp", "jti"]);
  expect(check.ok && readClientIdentity(check.claims)).toEqual({ userId: null, roles: [], groups: [] });
});

test("M-24 a token minted with the internal key is told apart from tokens of the access keys", () => {
  const internal = createAccessKey("internal-key-0123456789abcdef0123456789");
  const rules = { algorithms: clientTokenAlgorithms, nowSeconds: now, skewSeconds: 300 };
  const token = mintClientToken(internal, content);
  expect(verifyKeyToken(token, [internal], rules).ok).toBe(true);
  expect(verifyKeyToken(token, [createAccessKey(primary)], rules).ok).toBe(false);
  expect(verifyKeyToken(mintClientToken(createAccessKey(primary), content), [internal], rules).ok).toBe(false);
});
