declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Canonical (lower-case) name of a hub; hub names compare case-insensitively (C-12, R-8). */
export type HubName = Branded<"HubName">;
/** Name of a group; case-sensitive, 1..1024 UTF-16 units, not blank (C-58, R-10). */
export type GroupName = Branded<"GroupName">;
/** Identifier of a user; case-sensitive, never empty. */
export type UserId = Branded<"UserId">;
/** Identifier of a logical connection; carries the id of the node that owns it, see `node-id.ts`. */
export type ConnectionId = Branded<"ConnectionId">;
/** Name of a user event; `^[A-Za-z][A-Za-z0-9_.-]{0,127}$` when it comes from a PubSub client (C-55). */
export type EventName = Branded<"EventName">;
/** Canonical decimal text of an unsigned 64-bit integer: a JavaScript number could not echo 2^64-1 (C-34). */
export type AckId = Branded<"AckId">;

const hubPattern = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
const eventPattern = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;
const maxUint64 = "18446744073709551615";
const maxGroupLength = 1024;
/** Ours: longest id that a client may choose for a stream or an invocation, in UTF-16 units; as a group name. */
export const maxClientIdLength = 1024;

/** Returns the canonical hub name, or null if the pattern of the REST reference does not match (R-7, C-13). */
export function parseHubName(raw: string): HubName | null {
  return hubPattern.test(raw) ? (raw.toLowerCase() as HubName) : null;
}

/** Returns the group name, or null if it is blank or longer than 1024 UTF-16 units (C-57, R-10). */
export function parseGroupName(raw: string): GroupName | null {
  return raw.length <= maxGroupLength && raw.trim() !== "" ? (raw as GroupName) : null;
}

/** Returns the event name, or null if it does not match the pattern (C-55). */
export function parseEventName(raw: string): EventName | null {
  return eventPattern.test(raw) ? (raw as EventName) : null;
}

/** Returns the user id, or null for the empty string, which everywhere means "no user". */
export function parseUserId(raw: string): UserId | null {
  return raw === "" ? null : (raw as UserId);
}

/** Returns the connection id, or null if it is blank. Any other text is accepted: an unknown id is not a malformed one. */
export function parseConnectionId(raw: string): ConnectionId | null {
  return raw.trim() === "" ? null : (raw as ConnectionId);
}

/** Returns the text as an ack id if it is a plain decimal of 0..2^64-1 without sign or leading zeros (C-34, C-59). */
export function parseAckId(raw: string): AckId | null {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(raw)) return null;
  if (raw.length === maxUint64.length && raw > maxUint64) return null;
  return raw as AckId;
}
