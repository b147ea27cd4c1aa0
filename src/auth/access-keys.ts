import { createSecretKey, type KeyObject } from "node:crypto";

/**
 * One secret that signs and verifies. A `KeyObject` on purpose: it prints as `[object]`, so a key cannot slip into a log
 * line or an error text (H-55).
 */
export type AccessKey = KeyObject;

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
  return createSecretKey(encoder.encode(text));
}

/** Makes the key set of a service. Without a secondary key only the primary one validates (management 4). */
export function createAccessKeys(texts: { readonly primary: string; readonly secondary: string | null }): AccessKeys {
  const primary = createAccessKey(texts.primary);
  const secondary = texts.secondary === null ? null : createAccessKey(texts.secondary);
  return { primary, secondary, all: secondary === null ? [primary] : [primary, secondary] };
}
