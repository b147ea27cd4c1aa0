import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { jwtVerify } from "jose";
import { createAccessKey } from "./access-keys.ts";
import { clientTokenAlgorithms, type KeyTokenRules, verifyKeyToken } from "./verify.ts";

const keyText = "primary-key-0123456789abcdef0123456789abcdef0123456789abcdef012345";
const keyBytes = Buffer.from(keyText);
const now = 1_795_226_000;
const rules: KeyTokenRules = { algorithms: clientTokenAlgorithms, nowSeconds: now, skewSeconds: 300 };
const digests: Readonly<Record<string, string>> = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

const ours = (token: string): boolean => verifyKeyToken(token, [createAccessKey(keyText)], rules).ok;

async function library(token: string): Promise<boolean> {
  try {
    await jwtVerify(token, keyBytes, {
      algorithms: [...clientTokenAlgorithms],
      currentDate: new Date(now * 1000),
      clockTolerance: 300,
      requiredClaims: ["exp"],
    });
    return true;
  } catch {
    return false;
  }
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

// The library excludes the last tolerated second and we include it, so -300 is left out here.
const times = fc.constantFrom(-100_000, -301, -299, -1, 0, 1, 299, 300, 301, 100_000).map((offset) => now + offset);
const headers = fc.record(
  {
    alg: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("HS256", "HS384", "HS512") },
      { weight: 1, arbitrary: fc.constantFrom("none", "RS256", "hs256") },
    ),
    typ: fc.constantFrom("JWT", "at+jwt"),
    kid: fc.string(),
    crit: fc.constant(["unknown"]),
  },
  { requiredKeys: ["alg"] },
);
const claims = fc.record(
  {
    exp: fc.oneof({ weight: 6, arbitrary: times }, { weight: 1, arbitrary: fc.constantFrom("1", null) }),
    nbf: times,
    sub: fc.string({ unit: "binary" }),
    role: fc.array(fc.string()),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

const tokens = fc
  .record({ header: headers, claims, isSignedRight: fc.boolean() })
  .map(({ header, claims, isSignedRight }) => {
    const signed = `${segment(header)}.${segment(claims)}`;
    const mac = createHmac(digests[header.alg] ?? "sha256", isSignedRight ? keyBytes : "other");
    return `${signed}.${mac.update(signed).digest("base64url")}`;
  });

test("H-50 key tokens are judged as the JOSE library judges them", async () => {
  await fc.assert(
    fc.asyncProperty(tokens, async (token) => {
      expect(ours(token)).toBe(await library(token));
    }),
    { numRuns: 1000 },
  );
});

test("H-50 a damaged token is never accepted", () => {
  const signed = `${segment({ alg: "HS256" })}.${segment({ exp: now + 60 })}`;
  const good = `${signed}.${createHmac("sha256", keyBytes).update(signed).digest("base64url")}`;
  expect(ours(good)).toBe(true);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 2 }), fc.nat(2), (at, inserted, removed) => {
      const damaged = good.slice(0, at) + inserted + good.slice(at + removed);
      expect(ours(damaged)).toBe(damaged === good);
    }),
    { numRuns: 2000 },
  );
});

test("H-13 H-50 verification of arbitrary text returns and never throws", () => {
  const wellSigned = fc.tuple(fc.string(), fc.string()).map(([header, payload]) => {
    const text = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`;
    return `${text}.${createHmac("sha256", keyBytes).update(text).digest("base64url")}`;
  });
  const dotted = fc.array(fc.base64String(), { maxLength: 5 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), dotted, wellSigned), (text) => {
      expect(ours(text)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});
