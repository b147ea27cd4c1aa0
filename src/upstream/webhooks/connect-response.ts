import { type GroupName, parseGroupName } from "../../core/names.ts";
import type { ConnectOutcome } from "../../core/ports.ts";
import type { HttpReply } from "./http-client.ts";

type Accepted = ConnectOutcome & { readonly kind: "accepted" };

const nothing: Accepted = {
  kind: "accepted",
  userId: undefined,
  roles: undefined,
  groups: undefined,
  subprotocol: undefined,
};
const maxForwardedBytes = 8192;

/**
 * Reads the body of a 2xx reply to `connect`; null if it cannot be used. Its `Content-Type` does not matter, names of
 * properties compare ignoring case, unknown ones are ignored. Whether the client offered the subprotocol is not judged.
 * @spec E-36 E-37 E-38 E-39 E-43
 */
export function readConnectResponse(body: Uint8Array): Accepted | null {
  if (body.length === 0) return nothing;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return null;
  }
  if (value === null) return nothing;
  if (typeof value !== "object" || Array.isArray(value)) return null;
  const properties = new Map(
    Object.entries(value).map(([name, property]) => [name.toLowerCase(), property as unknown]),
  );
  const userId = readUserId(properties.get("userid"));
  const roles = readStrings(properties.get("roles"));
  const groups = readGroups(properties.get("groups"));
  const subprotocol = properties.get("subprotocol") ?? undefined;
  if (userId === null || roles === null || groups === null) return null;
  if (subprotocol !== undefined && typeof subprotocol !== "string") return null;
  return { kind: "accepted", userId, roles, groups, subprotocol: subprotocol === "" ? undefined : subprotocol };
}

/** A line break could not be sent on as `ce-userId` (event-handlers 4.2). */
function readUserId(value: unknown): string | undefined | null {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" && !/[\r\n\0]/.test(value) ? value : null;
}

function readStrings(value: unknown): readonly string[] | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return null;
  const items: readonly unknown[] = value;
  return items.every((item) => typeof item === "string") ? items : null;
}

function readGroups(value: unknown): readonly GroupName[] | undefined | null {
  const names = readStrings(value);
  if (names === undefined || names === null) return names;
  const groups = names.map(parseGroupName).filter((group) => group !== null);
  if (groups.length !== names.length) return null;
  return groups.length === 0 ? undefined : groups; // E-38: [] keeps the token's
}

/**
 * How a reply other than 2xx looks to the client: its 4xx or 5xx status, 500 for any other. The body stays with us unless
 * `forwardsBody` is on and it is text or JSON of at most 8 KiB.
 * @spec E-42
 */
export function refuseConnect(reply: HttpReply, forwardsBody: boolean): ConnectOutcome {
  const status = reply.status >= 400 && reply.status <= 599 ? reply.status : 500;
  const isReadable = /^(?:text\/|application\/(?:json|problem\+json)\b)/i.test(reply.headers.contentType ?? "");
  const isForwarded = forwardsBody && isReadable && reply.body.length <= maxForwardedBytes;
  return { kind: "refused", status, body: isForwarded ? new TextDecoder().decode(reply.body) : "" };
}
