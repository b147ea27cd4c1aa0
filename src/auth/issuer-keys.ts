import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from "jose";
import { isRecord } from "./is-record.ts";

/** Where the keys of an issuer come from; fixed by configuration, never by a token (H-50). */
export type KeySource =
  /** `<issuer>/.well-known/openid-configuration` names the key set. */
  | { readonly kind: "discovery"; readonly issuer: string }
  | { readonly kind: "jwksUri"; readonly jwksUri: string }
  | { readonly kind: "static"; readonly keys: JSONWebKeySet };

/** The part of `fetch` that is used: one GET, no redirects followed. */
export type FetchDocument = (
  url: string,
  init: {
    readonly signal: AbortSignal;
    readonly redirect: "error";
    readonly headers: Readonly<Record<string, string>>;
  },
) => Promise<Response>;

/** The outside world of {@link createIssuerKeys}. */
export interface KeyFetching {
  readonly fetch: FetchDocument;
  /** Monotonic or wall clock in milliseconds; only differences are used. */
  readonly nowMs: () => number;
  /** For each request. */
  readonly timeoutMs: number;
}

/** Outcome of a look-up. `unavailable`: the key set could not be fetched and none is held. */
export type KeyLookup =
  | { readonly ok: true; readonly key: CryptoKey }
  | { readonly ok: false; readonly reason: "unknownKey" | "unavailable" };

/** The verification keys of one issuer. */
export interface IssuerKeys {
  /** Finds the one key for `alg` and `kid` of a token header. Reads no other header parameter. Never rejects. */
  find(header: { readonly alg: string; readonly kid?: string | undefined }): Promise<KeyLookup>;
}

/** A held key set is fetched again on an unknown `kid`, but not more often than this (rest-api 4.5). */
export const UNKNOWN_KEY_REFETCH_MS = 300_000;
/** A held key set is fetched again at this age, so that keys an issuer withdrew go away. Ours. */
export const KEY_SET_MAX_AGE_MS = 3_600_000;
/** After a failed request the next one waits this long, so that an outage of the issuer is no request storm. Ours. */
export const FAILED_FETCH_RETRY_MS = 10_000;
/** Largest document read. Ours: key sets of large issuers are below 32 KiB. */
export const MAX_DOCUMENT_BYTES = 524_288;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * Holds the keys of one issuer. The cache is per issuer and selects by `kid` and `alg` inside it: two issuers sharing a
 * `kid` never see each other's keys (H-51). Requests go only to the configured address, or to the `jwks_uri` of the
 * discovery document found there; one at a time. While a refresh fails, the held keys stay in use.
 * @spec R-34 H-50 H-51
 */
export function createIssuerKeys(source: KeySource, fetching: KeyFetching): IssuerKeys {
  if (source.kind === "static") {
    const keySet = createLocalJWKSet(source.keys);
    return { find: (header) => select(keySet, header) };
  }

  let held: { readonly keySet: KeySet; readonly fetchedAt: number } | null = null;
  let retryAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | null = null;

  const refresh = async (): Promise<void> => {
    const document = await fetchKeySet(source, fetching);
    const now = fetching.nowMs();
    if (document === null) {
      retryAt = now + FAILED_FETCH_RETRY_MS;
    } else {
      held = { keySet: createLocalJWKSet(document), fetchedAt: now };
      retryAt = now + UNKNOWN_KEY_REFETCH_MS;
    }
  };
  const refreshIfAllowed = async (): Promise<void> => {
    if (pending === null) {
      if (fetching.nowMs() < retryAt) return;
      pending = refresh().finally(() => {
        pending = null;
      });
    }
    await pending;
  };

  return {
    async find(header) {
      if (held === null || fetching.nowMs() - held.fetchedAt >= KEY_SET_MAX_AGE_MS) await refreshIfAllowed();
      if (held === null) return { ok: false, reason: "unavailable" };
      const found = await select(held.keySet, header);
      if (found.ok) return found;
      const before = held;
      await refreshIfAllowed();
      return held === before ? found : select(held.keySet, header);
    },
  };
}

async function select(
  keySet: KeySet,
  header: { readonly alg: string; readonly kid?: string | undefined },
): Promise<KeyLookup> {
  const asked: JWTHeaderParameters =
    header.kid === undefined ? { alg: header.alg } : { alg: header.alg, kid: header.kid };
  try {
    return { ok: true, key: await keySet(asked) };
  } catch (error) {
    // No key, several keys, or a key this runtime cannot import: none of them verifies this token.
    if (error instanceof errors.JOSEError || error instanceof DOMException || error instanceof TypeError) {
      return { ok: false, reason: "unknownKey" };
    }
    throw error;
  }
}

async function fetchKeySet(
  source: Exclude<KeySource, { kind: "static" }>,
  fetching: KeyFetching,
): Promise<JSONWebKeySet | null> {
  const jwksUri = source.kind === "jwksUri" ? source.jwksUri : await discover(source.issuer, fetching);
  if (jwksUri === null) return null;
  const document = await fetchJson(jwksUri, fetching);
  return isKeySet(document) ? document : null;
}

async function discover(issuer: string, fetching: KeyFetching): Promise<string | null> {
  const document = await fetchJson(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, fetching);
  if (!isRecord(document) || document["issuer"] !== issuer) return null;
  const jwksUri = document["jwks_uri"];
  if (typeof jwksUri !== "string" || !URL.canParse(jwksUri)) return null;
  // A secured issuer must not hand over to plain HTTP.
  const { protocol } = new URL(jwksUri);
  return protocol === "https:" || protocol === new URL(issuer).protocol ? jwksUri : null;
}

/** Reads one JSON document within the time and size bounds; null on any failure. */
async function fetchJson(url: string, fetching: KeyFetching): Promise<unknown> {
  try {
    const response = await fetching.fetch(url, {
      signal: AbortSignal.timeout(fetching.timeoutMs),
      redirect: "error",
      headers: { accept: "application/json" },
    });
    const text = response.ok ? await readBounded(response) : null;
    if (text === null) {
      await response.body?.cancel();
      return null;
    }
    const document: unknown = JSON.parse(text);
    return document;
  } catch {
    return null; // network, timeout, redirect, not JSON: the caller treats all as "not available now"
  }
}

async function readBounded(response: Response): Promise<string | null> {
  if (response.body === null) return null;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  const chunks: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > MAX_DOCUMENT_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isRecord(value) && Array.isArray(value["keys"]) && value["keys"].every((key: unknown) => isRecord(key));
}
