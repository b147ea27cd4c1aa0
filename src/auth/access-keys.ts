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

/** Why a text cannot be an access key. */
export type AccessKeyProblem = "tooShort" | "surroundingSpace" | "forbiddenCharacter";

/** Shortest access key in UTF-8 bytes: the Java SDK and the .NET validator refuse shorter HS256 keys (rest-api 4.2). */
const MIN_ACCESS_KEY_BYTES = 32;

const encoder = new TextEncoder();

/**
 * Tells why `text` cannot be an access key, or null when it can (management 4).
 * `;` would end the key inside a connection string; a lone surrogate has no UTF-8 form that clients agree on.
 */
export function accessKeyProblem(text: string): AccessKeyProblem | null {
  if (text.trim() !== text) return "surroundingSpace";
  if (/;|\p{Cc}/u.test(text) || !text.isWellFormed()) return "forbiddenCharacter";
  if (encoder.encode(text).length < MIN_ACCESS_KEY_BYTES) return "tooShort";
  return null;
}

/**
 * Makes a key from the text of a connection string: the HMAC key is the UTF-8 bytes of the text, never its base64 decoding.
 * The text must have passed {@link accessKeyProblem}; this function does not judge it again.
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
