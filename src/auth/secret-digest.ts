import { createHash, timingSafeEqual } from "node:crypto";

/** What is kept of a secret to recognise it by; of one length, whatever the secret's. */
export function digestSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Whether this is the secret of a digest; the time it takes does not tell how close it was. */
export function matchesDigest(given: string, expected: Buffer): boolean {
  return timingSafeEqual(digestSecret(given), expected);
}
