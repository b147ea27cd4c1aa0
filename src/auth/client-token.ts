import type { TokenClaims } from "./verify.ts";

/** Who a client is and what it may do, as its token says. Names are not validated here: an invalid group is the caller's 400. */
export interface ClientIdentity {
  /** Null for a client without user id; an empty `sub` counts as none. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

/** Every claim as a list of texts, as the `connect` event carries it. */
export type FlatClaims = Readonly<Record<string, readonly string[]>>;

// .NET writers put roles under the first or the last name, depending on their claim mapping (client-protocols 3.2).
const roleClaims = ["role", "roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"] as const;

/**
 * Reads user, roles and groups from the claims of a verified client token: `sub`, else `nameid`; `role`, `roles` and the
 * long .NET name together; `webpubsub.group`. Each may be a single value or an array.
 * @spec C-15 client-protocols 3.2
 */
export function readClientIdentity(claims: TokenClaims): ClientIdentity {
  const userId = claimTexts(claims["sub"])[0] ?? claimTexts(claims["nameid"])[0] ?? "";
  return {
    userId: userId === "" ? null : userId,
    roles: roleClaims.flatMap((name) => claimTexts(claims[name])),
    groups: claimTexts(claims["webpubsub.group"]),
  };
}

/**
 * Flattens claims for the `connect` event: strings as they are, numbers and booleans as text, arrays element by element,
 * objects as JSON text, null as no value (event-handlers 6.1). Claim names stay as the signer spelled them.
 */
export function flattenClaims(claims: TokenClaims): FlatClaims {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, claimTexts(value)]));
}

function claimTexts(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((element: unknown) => (element === null ? [] : [claimText(element)]));
  return [claimText(value)];
}

function claimText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
