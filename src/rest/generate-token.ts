import { type ClientEndpointKind, clientAudience } from "../auth/audience.ts";
import { mintClientToken } from "../auth/mint.ts";
import { type GroupName, parseGroupName } from "../core/names.ts";
import type { Call } from "./call.ts";
import { endpointOf } from "./endpoint.ts";
import { badRequest, type Outcome, Problem } from "./errors.ts";
import { readCount } from "./parameters.ts";
import type { Query } from "./query.ts";

const defaultMinutes = 60;
const maxMinutes = 2_147_483_647;

const clientTypes: ReadonlyMap<string, ClientEndpointKind> = new Map([
  ["default", "default"],
  ["mqtt", "mqtt"],
  ["socketio", "socketio"],
]);

/**
 * WebPubSub_GenerateClientToken: 200 `{"token"}`, good for a client connection of the hub from now on. Every call mints a
 * new one; roles are not judged here.
 * @spec R-95 R-96
 */
export function generateClientToken(call: Call): Outcome {
  const { query, access } = call;
  const kind = readClientType(query);
  if (kind instanceof Problem) return kind;
  const minutes = readCount(query, "minutesToExpire", maxMinutes);
  if (minutes instanceof Problem) return minutes;
  const groups = readGroups(query);
  if (groups instanceof Problem) return groups;
  const token = mintClientToken(access.mintingKey, {
    audience: clientAudience(endpointOf(call), kind, call.hub),
    userId: query.text("userId"),
    roles: query.all("role"),
    groups,
    issuedAtSeconds: Math.floor(call.services.clock.now() / 1000),
    lifetimeSeconds: (minutes ?? defaultMinutes) * 60,
    tokenId: crypto.randomUUID(),
  });
  return { status: 200, json: JSON.stringify({ token }) };
}

function readClientType(query: Query): ClientEndpointKind | Problem {
  const [name, ...more] = query.all("clientType");
  if (name === undefined) return "default";
  const kind = more.length === 0 ? clientTypes.get(name.toLowerCase()) : undefined;
  return kind ?? badRequest("Invalid clientType.", "clientType");
}

function readGroups(query: Query): readonly GroupName[] | Problem {
  const groups: GroupName[] = [];
  for (const raw of query.all("group")) {
    const group = parseGroupName(raw);
    if (group === null) return badRequest("Invalid group name.", "group");
    groups.push(group);
  }
  return groups;
}
