import { describe, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTHeaderParameters, SignJWT } from "jose";
import {
  FAILED_FETCH_RETRY_MS,
  KEY_SET_MAX_AGE_MS,
  MAX_DOCUMENT_BYTES,
  UNKNOWN_KEY_REFETCH_MS,
} from "./issuer-keys.ts";
import {
  createOidcVerifier,
  defaultOidcAlgorithms,
  ENTRA_AUDIENCE,
  type OidcIssuer,
  type OidcOptions,
} from "./oidc.ts";

const startMs = 1_795_226_000_000;
const issuerA = "https://sts.example.com/tenant-a/";
const issuerB = "https://login.example.org/tenant-b";

interface SigningKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JSONWebKeySet["keys"][number];
}

async function signingKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } };
}

const keyA = await signingKey("RS256", "shared");
const keyB = await signingKey("RS256", "shared");
const keyEs = await signingKey("ES256", "es");
const keyNew = await signingKey("RS256", "rotated");

const ownerRule = { claim: "oid", value: "owner-id", role: "owner" } as const;
const readerRule = { claim: "roles", value: "Reader", role: "reader" } as const;

function issuer(name: string, more: Partial<OidcIssuer> = {}): OidcIssuer {
  return {
    issuer: name,
    audiences: [ENTRA_AUDIENCE],
    algorithms: defaultOidcAlgorithms,
    roles: [ownerRule, readerRule],
    ...more,
  };
}

async function token(key: SigningKey, claims: object = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
  const now = startMs / 1000;
  const all = { iss: issuerA, aud: ENTRA_AUDIENCE, exp: now + 3600, nbf: now, oid: "owner-id", ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: key.alg, kid: key.jwk.kid ?? "", ...header }).sign(key.privateKey);
}

/** A verifier whose requests are answered from `documents` and recorded, with a clock to be moved. */
function setUp(
  issuers: readonly OidcIssuer[],
  documents: Record<string, unknown> = {},
  more: Partial<OidcOptions> = {},
) {
  const requests: string[] = [];
  let nowMs = startMs;
  const verifier = createOidcVerifier({
    issuers,
    allowUnvalidatedEntraTokens: false,
    skewSeconds: 300,
    fetchTimeoutMs: 5000,
    nowMs: () => nowMs,
    fetch: async (url) => {
      requests.push(url);
      const document = documents[url];
      if (document === undefined) throw new TypeError("connection refused");
      return document instanceof Response ? document : Response.json(document);
    },
    ...more,
  });
  const judge = async (text: string): Promise<string> => {
    const check = await verifier.verify(text);
    return check.ok ? check.role : check.reason;
  };
  return { judge, requests, documents, advance: (ms: number) => (nowMs += ms) };
}

const withKeys = (...keys: readonly SigningKey[]) => ({ keys: { keys: keys.map(({ jwk }) => jwk) } });

describe("OIDC tokens for REST", () => {
  test("R-34 a token of a configured issuer is accepted with the role its claims map to", async () => {
    const { judge, requests } = setUp([issuer(issuerA, withKeys(keyA, keyEs))]);
    expect(await judge(await token(keyA))).toBe("owner");
    expect(await judge(await token(keyEs))).toBe("owner");
    expect(await judge(await token(keyA, { aud: ["x", ENTRA_AUDIENCE] }))).toBe("owner");
    expect(requests).toEqual([]);
  });

  test("R-35 reader and missing rights are told apart; owner wins over reader", async () => {
    const { judge } = setUp([issuer(issuerA, withKeys(keyA))]);
    expect(await judge(await token(keyA, { oid: "x", roles: ["Other", "Reader"] }))).toBe("reader");
    expect(await judge(await token(keyA, { oid: "x", roles: "Reader" }))).toBe("reader");
    expect(await judge(await token(keyA, { roles: ["Reader"] }))).toBe("owner");
    expect(await judge(await token(keyA, { oid: "x", roles: ["reader"] }))).toBe("none");
  });

  test("R-34 unknown issuer, wrong signature and wrong audience are refused", async () => {
    const { judge } = setUp([issuer(issuerA, withKeys(keyA))]);
    expect(await judge(await token(keyA, { iss: issuerB }))).toBe("issuer");
    expect(await judge(await token(keyA, { iss: issuerA.slice(0, -1) }))).toBe("issuer");
    expect(await judge(await token(keyA, { iss: [issuerA] }))).toBe("issuer");
    expect(await judge(await token(keyB))).toBe("signature");
    expect(await judge(await token(keyA, { aud: `${ENTRA_AUDIENCE}/` }))).toBe("audience");
    expect(await judge(await token(keyA, { aud: ENTRA_AUDIENCE.toUpperCase() }))).toBe("audience");
    const good = await token(keyA);
    const other = await token(keyA, { oid: "other" });
    expect(await judge([...other.split(".").slice(0, 2), good.split(".")[2]].join("."))).toBe("signature");
  });

  test("exp is required, exp and nbf have 5 minutes of tolerance", async () => {
    const { judge } = setUp([issuer(issuerA, withKeys(keyA))]);
    const now = startMs / 1000;
    expect(await judge(await token(keyA, { exp: now - 300 }))).toBe("owner");
    expect(await judge(await token(keyA, { exp: now - 301 }))).toBe("expired");
    expect(await judge(await token(keyA, { exp: undefined }))).toBe("noExpiry");
    expect(await judge(await token(keyA, { nbf: now + 301 }))).toBe("notYetValid");
  });

  test("H-50 hostile issuer and header parameters are refused without any request", async () => {
    const evil = "http://169.254.169.254/latest";
    const uri = `${issuerB}/jwks`;
    const { judge, requests } = setUp([issuer(issuerA, withKeys(keyA)), issuer(issuerB, { jwksUri: uri })], {
      [uri]: withKeys(keyB).keys,
    });
    expect(await judge(await token(keyB, { iss: evil }))).toBe("issuer");
    expect(await judge(await token(keyB, { iss: `${issuerB}/../x` }))).toBe("issuer");
    expect(
      await judge(await token(keyB, {}, { jku: `${evil}/jwks`, x5u: `${evil}/x5u`, kid: "../../etc/passwd" })),
    ).toBe("unknownKey");
    expect(await judge(await token(keyB, {}, { jku: `${evil}/jwks`, jwk: keyB.jwk }))).toBe("signature");
    expect(await judge(await token(keyA, { exp: 1 }))).toBe("expired");
    expect(await judge(await token(keyB, { iss: issuerB, aud: "other" }))).toBe("audience");
    expect(requests).toEqual([]);
  });

  test("H-50 HMAC with a public key, alg none and crit are refused", async () => {
    const { judge } = setUp([issuer(issuerA, withKeys(keyA))]);
    const claims = { iss: issuerA, aud: ENTRA_AUDIENCE, exp: startMs / 1000 + 60, oid: "owner-id" };
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "shared" })
      .sign(Buffer.from(JSON.stringify(keyA.jwk)));
    expect(await judge(forged)).toBe("algorithm");
    const none = [{ alg: "none" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    expect(await judge(`${none.join(".")}.`)).toBe("algorithm");
    const header = Buffer.from(JSON.stringify({ alg: "RS256", kid: "shared", crit: ["exp"], exp: 1 })).toString(
      "base64url",
    );
    expect(await judge([header, ...(await token(keyA)).split(".").slice(1)].join("."))).toBe("malformed");
    for (const text of ["", "a.b.c", "..", "é", `${"x".repeat(70_000)}`, "e30.e30.e30"])
      expect(["malformed", "tooLong"]).toContain(await judge(text));
  });

  test("an algorithm outside the issuer's list is refused although the key would verify", async () => {
    const { judge } = setUp([issuer(issuerA, { ...withKeys(keyA, keyEs), algorithms: ["RS256"] })]);
    expect(await judge(await token(keyEs))).toBe("algorithm");
  });

  test("H-51 two issuers sharing a kid do not accept each other's tokens", async () => {
    const uris = { a: "https://keys.example/a", b: "https://keys.example/b" };
    const { judge } = setUp([issuer(issuerA, { jwksUri: uris.a }), issuer(issuerB, { jwksUri: uris.b })], {
      [uris.a]: withKeys(keyA).keys,
      [uris.b]: withKeys(keyB).keys,
    });
    expect(await judge(await token(keyA))).toBe("owner");
    expect(await judge(await token(keyB, { iss: issuerB }))).toBe("owner");
    expect(await judge(await token(keyA, { iss: issuerB }))).toBe("signature");
    expect(await judge(await token(keyB))).toBe("signature");
  });
});

describe("keys of an issuer", () => {
  const configuration = `${issuerA.slice(0, -1)}/.well-known/openid-configuration`;
  const jwksUri = "https://keys.example.com/jwks";

  test("they are found by discovery once and then held", async () => {
    const { judge, requests } = setUp([issuer(issuerA)], {
      [configuration]: { issuer: issuerA, jwks_uri: jwksUri },
      [jwksUri]: withKeys(keyA).keys,
    });
    const text = await token(keyA);
    expect(await Promise.all([judge(text), judge(text), judge(text)])).toEqual(["owner", "owner", "owner"]);
    expect(await judge(text)).toBe("owner");
    expect(requests).toEqual([configuration, jwksUri]);
  });

  test("a discovery document of another issuer or leading to plain HTTP is not used", async () => {
    for (const document of [
      { issuer: issuerB, jwks_uri: jwksUri },
      { issuer: issuerA, jwks_uri: "http://keys.example.com/jwks" },
      { issuer: issuerA },
      [],
    ]) {
      const { judge, requests } = setUp([issuer(issuerA)], {
        [configuration]: document,
        [jwksUri]: withKeys(keyA).keys,
      });
      expect(await judge(await token(keyA))).toBe("unavailable");
      expect(requests).toEqual([configuration]);
    }
  });

  test("R-34 an unknown kid refetches the key set once, at most every 5 minutes", async () => {
    const { judge, requests, documents, advance } = setUp([issuer(issuerA, { jwksUri })], {
      [jwksUri]: withKeys(keyA).keys,
    });
    expect(await judge(await token(keyA))).toBe("owner");
    documents[jwksUri] = withKeys(keyA, keyNew).keys;
    expect(await judge(await token(keyNew))).toBe("unknownKey");
    advance(UNKNOWN_KEY_REFETCH_MS - 1);
    expect(await judge(await token(keyNew))).toBe("unknownKey");
    expect(requests).toHaveLength(1);
    advance(1);
    const both = await Promise.all([judge(await token(keyNew)), judge(await token(keyNew))]);
    expect(both).toEqual(["owner", "owner"]);
    expect(requests).toHaveLength(2);
    expect(await judge(await token(keyA, {}, { kid: "nobody" }))).toBe("unknownKey");
    expect(requests).toHaveLength(2);
  });

  test("an old key set is fetched again, and kept while that fails", async () => {
    const { judge, requests, documents, advance } = setUp([issuer(issuerA, { jwksUri })], {
      [jwksUri]: withKeys(keyA).keys,
    });
    const text = await token(keyA, { exp: startMs / 1000 + 100_000 });
    expect(await judge(text)).toBe("owner");
    documents[jwksUri] = new Response("down", { status: 503 });
    advance(KEY_SET_MAX_AGE_MS);
    expect(await judge(text)).toBe("owner");
    expect(await judge(text)).toBe("owner");
    expect(requests).toHaveLength(2);
    documents[jwksUri] = withKeys(keyNew).keys;
    advance(FAILED_FETCH_RETRY_MS);
    expect(await judge(text)).toBe("unknownKey");
    expect(requests).toHaveLength(3);
  });

  test("an outage causes one request per waiting time and heals", async () => {
    const { judge, requests, documents, advance } = setUp([issuer(issuerA, { jwksUri })]);
    const text = await token(keyA);
    for (let count = 0; count < 5; count++) expect(await judge(text)).toBe("unavailable");
    expect(requests).toHaveLength(1);
    documents[jwksUri] = withKeys(keyA).keys;
    advance(FAILED_FETCH_RETRY_MS);
    expect(await judge(text)).toBe("owner");
  });

  test("H-37 an oversized, malformed or wrongly shaped key set counts as unavailable", async () => {
    const oversized = JSON.stringify({ ...withKeys(keyA).keys, padding: "x".repeat(MAX_DOCUMENT_BYTES) });
    for (const body of [oversized, "{", "[]", '{"keys":{}}', '{"keys":[1]}', ""]) {
      const { judge } = setUp([issuer(issuerA, { jwksUri })], { [jwksUri]: new Response(body) });
      expect(await judge(await token(keyA))).toBe("unavailable");
    }
  });

  test("a request is bounded in time and follows no redirect", async () => {
    const seen: { redirect: string; signal: AbortSignal }[] = [];
    const { judge } = setUp(
      [issuer(issuerA, { jwksUri })],
      {},
      {
        fetchTimeoutMs: 10,
        fetch: (_url, init) => {
          seen.push(init);
          return new Promise((_resolve, reject) => {
            init.signal.addEventListener("abort", () => reject(new Error("aborted")));
          });
        },
      },
    );
    expect(await judge(await token(keyA))).toBe("unavailable");
    expect(seen.map(({ redirect, signal }) => [redirect, signal.aborted])).toEqual([["error", true]]);
  });
});

describe("development mode for Entra tokens", () => {
  test("a token of an unknown issuer is an owner's without signature check, within its lifetime and audience", async () => {
    const { judge, requests } = setUp([issuer(issuerA, withKeys(keyA))], {}, { allowUnvalidatedEntraTokens: true });
    expect(await judge(await token(keyB, { iss: issuerB }))).toBe("owner");
    expect(await judge(await token(keyB, { iss: issuerB, aud: "other" }))).toBe("audience");
    expect(await judge(await token(keyB, { iss: issuerB, exp: 1 }))).toBe("expired");
    expect(
      await judge(await token(keyB, { iss: issuerB }).then((text) => text.replace(/^[^.]+/, "eyJhbGciOiJub25lIn0"))),
    ).toBe("algorithm");
    expect(requests).toEqual([]);
  });

  test("a configured issuer's token is still checked in full", async () => {
    const { judge } = setUp([issuer(issuerA, withKeys(keyA))], {}, { allowUnvalidatedEntraTokens: true });
    expect(await judge(await token(keyB))).toBe("signature");
    expect(await judge(await token(keyA, { oid: "x" }))).toBe("none");
  });
});
