import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet } from "jose";
import { createIssuerKeys, type FetchDocument, type IssuerKeys, type KeySource } from "./issuer-keys.ts";
import { lifetimeFault, MAX_TOKEN_LENGTH, type TokenClaims, type TokenFault } from "./verify.ts";

/** Signature algorithms of OIDC tokens. HMAC is absent on purpose: a public key must never serve as HMAC key (H-50). */
export type OidcAlgorithm = "RS256" | "RS384" | "RS512" | "ES256" | "ES384" | "ES512" | "PS256" | "PS384" | "PS512";

/** What the bearer of a token may do: everything, read-only operations, or nothing (403). */
export type RestRole = "owner" | "reader" | "none";

/** One mapping rule: the token's `claim` is, or as an array contains, exactly `value`. */
export interface RoleRule {
  readonly claim: string;
  readonly value: string;
  readonly role: "owner" | "reader";
}

/** One trusted issuer. `issuer` must be unique in the list; the first entry wins otherwise. */
export interface OidcIssuer {
  /** Exact value of `iss`. */
  readonly issuer: string;
  /** Key set address; without it and without `keys` the discovery document of the issuer names it. */
  readonly jwksUri?: string;
  /** Fixed keys; then nothing is ever fetched. */
  readonly keys?: JSONWebKeySet;
  readonly audiences: readonly string[];
  readonly algorithms: readonly OidcAlgorithm[];
  readonly roles: readonly RoleRule[];
}

/** Everything an {@link OidcVerifier} needs. */
export interface OidcOptions {
  readonly issuers: readonly OidcIssuer[];
  /**
   * Development only: accept a token of any other issuer for the Entra audience, as owner, **without checking its
   * signature**. A configured issuer's tokens are still checked in full.
   */
  readonly allowUnvalidatedEntraTokens: boolean;
  /** Tolerance on `exp` and `nbf`, 300 by specification. */
  readonly skewSeconds: number;
  /** For each request to an issuer. */
  readonly fetchTimeoutMs: number;
  readonly fetch: FetchDocument;
  readonly nowMs: () => number;
}

/** Why an OIDC token was refused. For logs only: every reason is the same 401. */
export type OidcFault = TokenFault | "issuer" | "audience" | "unknownKey" | "unavailable";

/** Outcome of an OIDC check. `ok` with role `none` means: authentic, but without any right here (403). */
export type OidcCheck =
  | { readonly ok: true; readonly role: RestRole; readonly claims: TokenClaims }
  | { readonly ok: false; readonly reason: OidcFault };

/** Checks bearer tokens of configured issuers for the REST API. */
export interface OidcVerifier {
  /** Never rejects. Claims that need no key are checked first, so most bad tokens cause no request to an issuer. */
  verify(token: string): Promise<OidcCheck>;
}

/** Audience of tokens the SDKs request with a `TokenCredential`, compared exactly (rest-api 4.5). */
export const ENTRA_AUDIENCE = "https://webpubsub.azure.com";

/** Allowed algorithms of an issuer that names none (rest-api 4.5). */
export const defaultOidcAlgorithms: readonly OidcAlgorithm[] = ["RS256", "ES256"];

/** What a token of an unknown issuer must look like in development mode. */
const unvalidatedEntra: Pick<OidcIssuer, "algorithms" | "audiences" | "roles"> = {
  algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"],
  audiences: [ENTRA_AUDIENCE],
  roles: [],
};

interface Trusted {
  readonly issuer: OidcIssuer;
  readonly keys: IssuerKeys;
}

interface Decoded {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly claims: TokenClaims;
}

/**
 * Builds the verifier of one configuration. Issuers, and the addresses of their keys, come from the configuration alone:
 * an unknown `iss`, or `jku`, `x5u`, `jwk`, `x5c` in the header, cause no request (H-50). Keys are held per issuer (H-51).
 * @spec R-34 R-35 H-50 H-51
 */
export function createOidcVerifier(options: OidcOptions): OidcVerifier {
  const fetching = { fetch: options.fetch, nowMs: options.nowMs, timeoutMs: options.fetchTimeoutMs };
  const trusted: readonly Trusted[] = options.issuers.map((issuer) => ({
    issuer,
    keys: createIssuerKeys(keySource(issuer), fetching),
  }));

  return {
    async verify(token) {
      const decoded = decode(token);
      if (decoded === null) return refuse(token.length > MAX_TOKEN_LENGTH ? "tooLong" : "malformed");
      const clock = { nowSeconds: options.nowMs() / 1000, skewSeconds: options.skewSeconds };
      const entry = trusted.find(({ issuer }) => issuer.issuer === decoded.claims["iss"]);
      const rules = entry?.issuer ?? (options.allowUnvalidatedEntraTokens ? unvalidatedEntra : null);
      if (rules === null) return refuse("issuer");

      if (!rules.algorithms.some((allowed) => allowed === decoded.alg)) return refuse("algorithm");
      if (!texts(decoded.claims["aud"]).some((audience) => rules.audiences.includes(audience)))
        return refuse("audience");
      const fault = lifetimeFault(decoded.claims, clock);
      if (fault !== null) return refuse(fault);
      if (entry === undefined) return { ok: true, role: "owner", claims: decoded.claims };

      const found = await entry.keys.find({ alg: decoded.alg, kid: decoded.kid });
      if (!found.ok) return refuse(found.reason);
      if (!(await isSigned(token, { key: found.key, algorithm: decoded.alg }))) return refuse("signature");
      return { ok: true, role: roleOf(decoded.claims, rules.roles), claims: decoded.claims };
    },
  };
}

function keySource(issuer: OidcIssuer): KeySource {
  if (issuer.keys !== undefined) return { kind: "static", keys: issuer.keys };
  if (issuer.jwksUri !== undefined) return { kind: "jwksUri", jwksUri: issuer.jwksUri };
  return { kind: "discovery", issuer: issuer.issuer };
}

/** Reads a token without trusting it; null when it is no JWT. */
function decode(token: string): Decoded | null {
  if (token.length > MAX_TOKEN_LENGTH) return null;
  try {
    const { alg, kid, crit } = decodeProtectedHeader(token);
    if (crit !== undefined) return null; // no extension is understood
    if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return null;
    return { alg, kid, claims: decodeJwt(token) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}

async function isSigned(
  token: string,
  proof: { readonly key: CryptoKey; readonly algorithm: string },
): Promise<boolean> {
  try {
    await compactVerify(token, proof.key, { algorithms: [proof.algorithm] });
    return true;
  } catch (error) {
    // JOSEError: wrong signature or form. TypeError: a key too weak or of the wrong kind for the algorithm.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
}

/** The strongest role whose rule matches. */
function roleOf(claims: TokenClaims, rules: readonly RoleRule[]): RestRole {
  const roles = rules.filter(({ claim, value }) => texts(claims[claim]).includes(value)).map(({ role }) => role);
  if (roles.includes("owner")) return "owner";
  return roles.includes("reader") ? "reader" : "none";
}

function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((element) => typeof element === "string") : [];
}

function refuse(reason: OidcFault): OidcCheck {
  return { ok: false, reason };
}
