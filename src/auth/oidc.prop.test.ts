import { expect, test } from "bun:test";
import fc from "fast-check";
import { createOidcVerifier, defaultOidcAlgorithms, ENTRA_AUDIENCE } from "./oidc.ts";

test("H-50 an OIDC check of arbitrary text resolves, never accepts and requests nothing", async () => {
  let requests = 0;
  const verifier = createOidcVerifier({
    issuers: [
      {
        issuer: "i",
        jwksUri: "https://keys.example/jwks",
        audiences: [ENTRA_AUDIENCE],
        algorithms: defaultOidcAlgorithms,
        roles: [],
      },
    ],
    allowUnvalidatedEntraTokens: false,
    skewSeconds: 300,
    fetchTimeoutMs: 1000,
    nowMs: () => 0,
    fetch: () => {
      requests++;
      return Promise.reject(new Error("must not be called"));
    },
  });
  const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const shaped = fc
    .tuple(
      fc.record(
        { alg: fc.constantFrom("RS256", "HS256", "none"), kid: fc.jsonValue(), crit: fc.jsonValue() },
        { requiredKeys: [] },
      ),
      fc.record({ iss: fc.constantFrom("i", "j", 5), aud: fc.jsonValue(), exp: fc.jsonValue() }, { requiredKeys: [] }),
      fc.base64String(),
    )
    .map(([header, claims, signature]) => `${segment(header)}.${segment(claims)}.${signature}`);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), shaped), async (text) => {
      expect((await verifier.verify(text)).ok).toBe(false);
    }),
    { numRuns: 2000 },
  );
  expect(requests).toBe(0);
});
