import { CryptoHasher } from "bun";

/** Hash functions of the HMAC. */
export type HashName = "sha256" | "sha384" | "sha512";

/**
 * One secret that signs and verifies. It holds no text, only hashers in private fields, which nothing prints, so a key cannot
 * slip into a log line or an error text (H-55).
 *
 * A hasher that has taken in the key already is copied for each signature: the `createHmac` of Node costs about three times as
 * much, which of a REST request is a twentieth (P6).
 */
export class AccessKey {
  readonly #hashers: Readonly<Record<HashName, CryptoHasher>>;

  constructor(secret: Uint8Array) {
    this.#hashers = {
      sha256: new CryptoHasher("sha256", secret),
      sha384: new CryptoHasher("sha384", secret),
      sha512: new CryptoHasher("sha512", secret),
    };
  }

  /** HMAC of the UTF-8 bytes of a text. */
  sign(text: string, encoding: "base64url" | "hex", hash: HashName = "sha256"): string {
    return this.#hashers[hash].copy().update(text).digest(encoding);
  }
}

/** The access keys of a service, immutable: a rotation makes a new set. Both keys are valid at any time. */
export interface AccessKeys {
  readonly primary: AccessKey;
  readonly secondary: AccessKey | null;
  /** Primary first: the order in which tokens are tried and webhook signatures are written. */
  readonly all: readonly AccessKey[];
}

const encoder = new TextEncoder();

/**
 * Makes a key from the text of a connection string: the HMAC key is the UTF-8 bytes of the text, never its base64 decoding.
 * The configuration has judged the text (management 4); this function does not do it again.
 * @spec C-9 R-17
 */
export function createAccessKey(text: string): AccessKey {
  return new AccessKey(encoder.encode(text));
}

/** Makes the key set of a service. Without a secondary key only the primary one validates (management 4). */
export function createAccessKeys(texts: { readonly primary: string; readonly secondary: string | null }): AccessKeys {
  const primary = createAccessKey(texts.primary);
  const secondary = texts.secondary === null ? null : createAccessKey(texts.secondary);
  return { primary, secondary, all: secondary === null ? [primary] : [primary, secondary] };
}
