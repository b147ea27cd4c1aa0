import type { AccessKeys } from "./access-keys.ts";

/**
 * Makes the `ce-signature` of a connection: one `sha256=<lower-case hex>` per key, primary first, joined by a comma without
 * space, since one official verifier splits without trimming. Depends on keys and connection id only; cache it per
 * connection until the keys change (event-handlers 4.4).
 * @spec E-24 E-25
 */
export function signConnection(keys: AccessKeys, connectionId: string): string {
  return keys.all.map((key) => `sha256=${key.sign(connectionId, "hex")}`).join(",");
}
