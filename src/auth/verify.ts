import { timingSafeEqual } from "node:crypto";
import type { AccessKey, HashName } from "./access-keys.ts";
import { isRecord } from "./is-record.ts";

/** The HMAC algorithms a key token may use. */
export type HmacAlgorithm = "HS256" | "HS384" | "HS512";

/** Claims of a token whose signature and lifetime were checked. The values are still whatever the signer wrote. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** Why a token was refused. For logs only: every reason is the same 401 to the caller. */
export type TokenFault =
  | "tooLong"
  | "malformed"
  | "algorithm"
  | "critical"
  | "signature"
  | "noExpiry"
  | "expired"
  | "notYetValid";

/** Outcome of a token check. */
export type TokenCheck =
  | { readonly ok: true; readonly claims: TokenClaims }
  | { readonly ok: false; readonly reason: TokenFault };

/** How a key token is judged. */
export interface KeyTokenRules {
  readonly algorithms: readonly HmacAlgorithm[];
  /** Current time in seconds since the epoch, fractions allowed. */
  readonly nowSeconds: number;
  /** Tolerance on `exp` and `nbf`: 300 by specification (client-protocols 3.1, rest-api 4.2). */
  readonly skewSeconds: number;
}

/** Longest token looked at, in characters. Ours: four times the request line of 16 KiB in which tokens must fit. */
export const MAX_TOKEN_LENGTH = 65_536;

/** REST takes HS256 only (rest-api 4.2). */
export const restTokenAlgorithms: readonly HmacAlgorithm[] = ["HS256"];

/** Clients may use every HMAC variant (client-protocols 3.1). */
export const clientTokenAlgorithms: readonly HmacAlgorithm[] = ["HS256", "HS384", "HS512"];

const hashes: Readonly<Record<HmacAlgorithm, HashName>> = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };
const base64url = { alphabet: "base64url" } as const;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Header segments as JWT libraries write them: recognized, not decoded, because nearly every token has one of these. */
const usualHeaders: ReadonlyMap<string, { readonly ok: true; readonly algorithm: HmacAlgorithm }> = new Map(
  clientTokenAlgorithms.flatMap((algorithm) =>
    [`{"alg":"${algorithm}","typ":"JWT"}`, `{"typ":"JWT","alg":"${algorithm}"}`].map(
      (header) => [Buffer.from(header).toString("base64url"), { ok: true, algorithm }] as const,
    ),
  ),
);

/**
 * Checks a token signed with an access key: form, algorithm, signature with any of `keys`, `exp` (required), `nbf`.
 *
 * Synchronous and free of I/O: `jku`, `x5u`, `x5c`, `jwk` and `kid` are never looked at (H-50). Never throws. A header with
 * `crit` is refused, since no extension is understood. Audience and every other claim are the caller's to check.
 * `algorithm` as reason means the token is not an HMAC token allowed here; the caller may offer it to OIDC then.
 *
 * Own code and not the JOSE library: that one is asynchronous only and took 12 to 60 µs per token against 3 µs, of a
 * budget of 66 µs per REST request (P6). The property tests hold this function against the library.
 * @spec C-6 C-7 C-8 R-17 R-28 R-29 R-30 H-50
 */
export function verifyKeyToken(token: string, keys: readonly AccessKey[], rules: KeyTokenRules): TokenCheck {
  if (token.length > MAX_TOKEN_LENGTH) return refuse("tooLong");
  if (!compactForm.test(token)) return refuse("malformed");
  const headerEnd = token.indexOf(".");
  const payloadEnd = token.lastIndexOf(".");

  const header = readHeader(token.slice(0, headerEnd), rules.algorithms);
  if (!header.ok) return header;
  const { algorithm } = header;

  if (!isSigned(token, { payloadEnd, algorithm, keys })) return refuse("signature");
  const claims = parseSegment(token.slice(headerEnd + 1, payloadEnd));
  if (claims === null) return refuse("malformed");
  const fault = lifetimeFault(claims, rules);
  return fault === null ? { ok: true, claims } : refuse(fault);
}

/**
 * Checks `exp` (required) and `nbf` (optional) of parsed claims against the clock with its tolerance; null when both hold.
 * The last tolerated second still counts.
 */
export function lifetimeFault(
  claims: TokenClaims,
  clock: Pick<KeyTokenRules, "nowSeconds" | "skewSeconds">,
): TokenFault | null {
  const { exp, nbf } = claims;
  if (exp === undefined) return "noExpiry";
  if (typeof exp !== "number") return "malformed";
  if (nbf !== undefined && typeof nbf !== "number") return "malformed";
  if (exp < clock.nowSeconds - clock.skewSeconds) return "expired";
  if (nbf !== undefined && nbf > clock.nowSeconds + clock.skewSeconds) return "notYetValid";
  return null;
}

type Refusal = Extract<TokenCheck, { ok: false }>;

/** The algorithm that a header names, if it is one of these. */
function readHeader(
  segment: string,
  allowed: readonly HmacAlgorithm[],
): { readonly ok: true; readonly algorithm: HmacAlgorithm } | Refusal {
  const usual = usualHeaders.get(segment);
  if (usual !== undefined) return allowed.includes(usual.algorithm) ? usual : refuse("algorithm");
  const header = parseSegment(segment);
  if (header === null) return refuse("malformed");
  const algorithm = allowed.find((each) => each === header["alg"]);
  if (algorithm === undefined) return refuse("algorithm");
  return Object.hasOwn(header, "crit") ? refuse("critical") : { ok: true, algorithm };
}

function refuse(reason: TokenFault): Refusal {
  return { ok: false, reason };
}

function isSigned(
  token: string,
  proof: { readonly payloadEnd: number; readonly algorithm: HmacAlgorithm; readonly keys: readonly AccessKey[] },
): boolean {
  const signed = token.slice(0, proof.payloadEnd);
  const given = Buffer.from(token.slice(proof.payloadEnd + 1), "latin1");
  for (const key of proof.keys) {
    // Compared as text: this also refuses a second spelling of the same bytes (padding bits of the last character).
    const expected = Buffer.from(key.sign(signed, "base64url", hashes[proof.algorithm]), "latin1");
    if (given.length === expected.length && timingSafeEqual(given, expected)) return true;
  }
  return false;
}

/** Decodes one segment to a JSON object; null when it is not one. */
function parseSegment(segment: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(utf8.decode(Uint8Array.fromBase64(segment, base64url)));
    return isRecord(value) ? value : null;
  } catch {
    return null; // neither base64 nor JSON: the caller reports `malformed`
  }
}
