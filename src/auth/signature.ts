import { createHmac, timingSafeEqual } from "node:crypto";
import type { AccessKey, AccessKeys } from "./access-keys.ts";

/**
 * Makes the `ce-signature` of a connection: one `sha256=<lower-case hex>` per key, primary first, joined by a comma without
 * space, since one official verifier splits without trimming. Depends on keys and connection id only; cache it per
 * connection until the keys change (event-handlers 4.4).
 * @spec E-24 E-25
 */
export function signConnection(keys: AccessKeys, connectionId: string): string {
  return keys.all.map((key) => `sha256=${connectionHmac(key, connectionId).toString("hex")}`).join(",");
}

/**
 * Tells whether a `ce-signature` value holds an element made with one of the keys for this connection; hex in any case.
 * Compares in constant time and never throws; at most 8 elements are looked at (ours: official senders write two).
 * @spec H-57
 */
export function isConnectionSignature(header: string, keys: AccessKeys, connectionId: string): boolean {
  const expected = keys.all.map((key) => connectionHmac(key, connectionId));
  return header.split(",", 8).some((element) => {
    const hex = /^\s*sha256=([0-9a-f]{64})\s*$/i.exec(element)?.[1];
    if (hex === undefined) return false;
    const given = Buffer.from(hex, "hex");
    return expected.some((digest) => timingSafeEqual(given, digest));
  });
}

function connectionHmac(key: AccessKey, connectionId: string): Buffer {
  return createHmac("sha256", key).update(connectionId, "utf8").digest();
}
