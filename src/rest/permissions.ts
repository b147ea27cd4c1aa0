import { type ConnectionId, type GroupName, parseGroupName } from "../core/names.ts";
import type { PermissionRequest } from "../core/operations.ts";
import type { Call } from "./call.ts";
import { badRequest, clusterDown, emptyReply, type Outcome, Problem } from "./errors.ts";
import { connectionNotFound } from "./not-found.ts";
import { readConnectionId, readSegment } from "./parameters.ts";

/** Spellings of a permission in lower case; the numbers are those of the .NET enum. */
const actions: ReadonlyMap<string, PermissionRequest["action"]> = new Map([
  ["sendtogroup", "sendToGroup"],
  ["1", "sendToGroup"],
  ["joinleavegroup", "joinLeaveGroup"],
  ["2", "joinLeaveGroup"],
]);

/** WebPubSub_GrantPermission: 200, repeated too; 404 for an unknown connection; 409 beyond the rule limit. */
export async function grantPermission(call: Call): Promise<Outcome> {
  return change(call, "grant", () => emptyReply(200));
}

/** WebPubSub_RevokePermission: 204, also for an unknown connection; 409 beyond the rule limit. */
export async function revokePermission(call: Call): Promise<Outcome> {
  return change(call, "revoke", () => emptyReply(call.version.deleteStatus));
}

/** WebPubSub_CheckPermission: 200 when allowed; 404 when denied or the connection is unknown. */
export async function checkPermission(call: Call): Promise<Outcome> {
  return change(call, "check", () => emptyReply(200));
}

async function change(call: Call, kind: PermissionRequest["change"], success: () => Outcome): Promise<Outcome> {
  const request = readRequest(call);
  if (request instanceof Problem) return request;
  const outcome = await call.services.operations.permission({ hub: call.hub, change: kind, ...request });
  switch (outcome) {
    case "done":
      return success();
    case "unknown":
    case "denied":
      return kind === "revoke" ? success() : connectionNotFound("permissionDenied", request.id);
    case "conflict":
      return new Problem("tooManyPermissions", "The connection has too many permission rules.", {
        target: "Connection",
      });
    case "down":
      return clusterDown();
  }
}

interface ReadRequest {
  readonly action: PermissionRequest["action"];
  readonly id: ConnectionId;
  readonly group: GroupName | null;
}

function readRequest(call: Call): ReadRequest | Problem {
  const action = actions.get((readSegment(call, "permission") ?? "").toLowerCase());
  if (action === undefined) return badRequest("Invalid permission.");
  const id = readConnectionId(call);
  if (id instanceof Problem) return id;
  const group = readTargetGroup(call);
  return group instanceof Problem ? group : { action, id, group };
}

/** The group in `targetName`, taken literally; it is required unless the compatibility switch says otherwise. */
function readTargetGroup(call: Call): GroupName | null | Problem {
  const [name] = call.query.all("targetName");
  if (name === undefined && call.services.compat.permissionWithoutTargetMeansAll) return null;
  return parseGroupName(name ?? "") ?? badRequest("Invalid targetName.", "targetName");
}
