import { expect, test } from "bun:test";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { createAccessKey, createAccessKeys } from "./access-keys.ts";
import {
  clientTokenAlgorithms,
  type KeyTokenRules,
  MAX_TOKEN_LENGTH,
  restTokenAlgorithms,
  verifyKeyToken,
} from "./verify.ts";

const primary = "primary-key-0123456789abcdef0123456789";
const secondary = "secondary-key-0123456789abcdef01234567";
const keys = createAccessKeys({ primary, secondary }).all;
const now = 1_795_226_000;
const rules: KeyTokenRules = { algorithms: restTokenAlgorithms, nowSeconds: now, skewSeconds: 300 };

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function token(
  claims: unknown,
  options: { key?: string | Uint8Array; header?: unknown; digest?: string } = {},
): string {
  const signed = `${base64(options.header ?? { alg: "HS256", typ: "JWT" })}.${base64(claims)}`;
  const mac = createHmac(options.digest ?? "sha256", options.key ?? primary);
  return `${signed}.${mac.update(signed).digest("base64url")}`;
}

function reason(text: string, changed: Partial<KeyTokenRules> = {}): string {
  const check = verifyKeyToken(text, keys, { ...rules, ...changed });
  return check.ok ? "ok" : check.reason;
}

test("C-8 R-17 tokens of the primary and of the secondary key are accepted, of another key refused", async () => {
  for (const [key, expected] of [
    [primary, "ok"],
    [secondary, "ok"],
    ["x".repeat(40), "signature"],
  ] as const) {
    const signed = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setExpirationTime(now + 60)
      .sign(Buffer.from(key));
    expect(reason(signed)).toBe(expected);
  }
});

test("R-17 without a secondary key only the primary one validates", () => {
  const only = createAccessKeys({ primary, secondary: null }).all;
  expect(verifyKeyToken(token({ exp: now }), only, rules).ok).toBe(true);
  expect(verifyKeyToken(token({ exp: now }, { key: secondary }), only, rules).ok).toBe(false);
});

test("C-9 the HMAC key is the UTF-8 text of the access key, not its base64 decoding", () => {
  const text = Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
  const check = (key: string | Uint8Array) =>
    verifyKeyToken(token({ exp: now }, { key }), [createAccessKey(text)], rules).ok;
  expect(check(text)).toBe(true);
  expect(check(Buffer.from(text, "base64"))).toBe(false);
  const accented = "schlüssel-0123456789-0123456789-äöü";
  expect(
    verifyKeyToken(token({ exp: now }, { key: Buffer.from(accented, "utf8") }), [createAccessKey(accented)], rules).ok,
  ).toBe(true);
});

test("C-6 C-7 R-28 a token is tolerated for 5 minutes after its end and refused beyond", () => {
  expect(reason(token({ exp: now - 60 }))).toBe("ok");
  expect(reason(token({ exp: now - 240 }))).toBe("ok");
  expect(reason(token({ exp: now - 300 }))).toBe("ok");
  expect(reason(token({ exp: now - 301 }))).toBe("expired");
});

test("C-6 R-29 a token without exp, or with an exp that is no number, is refused", () => {
  expect(reason(token({ aud: "x" }))).toBe("noExpiry");
  for (const exp of ["1895226000", null, [now + 60], {}, true]) expect(reason(token({ exp }))).toBe("malformed");
});

test("C-6 R-30 nbf is tolerated up to 5 minutes in the future and refused beyond", () => {
  expect(reason(token({ exp: now + 3600, nbf: now + 120 }))).toBe("ok");
  expect(reason(token({ exp: now + 3600, nbf: now + 301 }))).toBe("notYetValid");
  expect(reason(token({ exp: now + 3600, nbf: now + 600 }))).toBe("notYetValid");
  expect(reason(token({ exp: now + 3600, nbf: "now" }))).toBe("malformed");
});

test("HS384 and HS512 are for clients only", () => {
  for (const [alg, digest] of [
    ["HS384", "sha384"],
    ["HS512", "sha512"],
  ] as const) {
    const signed = token({ exp: now }, { header: { alg }, digest });
    expect(reason(signed)).toBe("algorithm");
    expect(reason(signed, { algorithms: clientTokenAlgorithms })).toBe("ok");
  }
  expect(reason(token({ exp: now }, { header: { alg: "HS512" } }), { algorithms: clientTokenAlgorithms })).toBe(
    "signature",
  );
});

test("R-32 H-50 alg none and every other algorithm are refused, whatever the signature", () => {
  for (const alg of ["none", "None", "", "hs256", "RS256", "ES256", "PS256", "HS1", null, 256, ["HS256"], undefined]) {
    expect(reason(token({ exp: now }, { header: { alg } }), { algorithms: clientTokenAlgorithms })).toBe("algorithm");
  }
  const [header, payload] = token({ exp: now }, { header: { alg: "none" } }).split(".");
  expect(reason(`${header}.${payload}.`)).toBe("malformed");
  expect(reason(`${header}.${payload}`)).toBe("malformed");
});

test("H-50 a public key in PEM form does not work as HMAC key", () => {
  const pem = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });
  expect(reason(token({ exp: now }, { key: pem.toString() }))).toBe("signature");
});

test("H-50 key hints in the header neither help nor harm", () => {
  const hints = {
    jku: "http://127.0.0.1:1/jwks",
    x5u: "http://127.0.0.1:1/c",
    kid: "../../etc/passwd",
    jwk: { kty: "oct", k: "AA" },
  };
  expect(reason(token({ exp: now, iss: "http://127.0.0.1:1" }, { header: { alg: "HS256", ...hints } }))).toBe("ok");
  expect(reason(token({ exp: now }, { header: { alg: "HS256", ...hints }, key: "\u0000" }))).toBe("signature");
});

test("H-50 a header with crit is refused, also when it is empty or repeated", () => {
  for (const crit of [["exp"], ["b64"], [], "exp", null]) {
    expect(reason(token({ exp: now }, { header: { alg: "HS256", crit } }))).toBe("critical");
  }
  expect(reason(token({ exp: now }, { header: '{"alg":"HS256","crit":["a"],"crit":["b"]}' }))).toBe("critical");
  expect(reason(token({ exp: now }, { header: '{"alg":"HS256","alg":"none"}' }))).toBe("algorithm");
});

test("H-50 a token that is not three base64url segments of JSON objects is malformed", () => {
  const good = token({ exp: now });
  const [header, payload, mac] = good.split(".");
  const bad = [
    "",
    ".",
    "..",
    "a.b",
    "a.b.c.d",
    `${header}.${payload}`,
    `${good}.`,
    ` ${good}`,
    `${good}\n`,
    `${good}=`,
  ];
  bad.push(`${header}+.${payload}.${mac}`, `${header}.${payload}/.${mac}`, `é${good}`);
  for (const text of bad) expect(reason(text)).toBe("malformed");
  for (const value of ["[]", "null", "1", '"x"', "{", "", "\ufeff{}"]) {
    expect(reason(token({ exp: now }, { header: value }))).toBe("malformed");
    expect(reason(token(value))).toBe("malformed");
  }
});

test("H-50 a signature has one spelling only", () => {
  const good = token({ exp: now });
  const last = good.slice(-1);
  // 32 bytes end in a character with two unused bits: three neighbours decode to the same bytes.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const index = alphabet.indexOf(last);
  const twin = good.slice(0, -1) + alphabet[index ^ 1];
  expect(Buffer.from(twin.split(".")[2] ?? "", "base64url")).toEqual(
    Buffer.from(good.split(".")[2] ?? "", "base64url"),
  );
  expect(reason(twin)).toBe("signature");
});

test("H-50 an oversized token is refused unread", () => {
  const claims = { exp: now, role: ["r".repeat(MAX_TOKEN_LENGTH)] };
  expect(reason(token(claims))).toBe("tooLong");
  expect(reason(token({ exp: now }, { header: `{"alg":${"[".repeat(30_000)}` }))).toBe("malformed");
});

test("claims are given back as they were signed", () => {
  const claims = { exp: now + 60, aud: ["a", "b"], "webpubsub.group": ["g1"], sub: "ü" };
  expect(verifyKeyToken(token(claims), keys, rules)).toEqual({ ok: true, claims });
});
