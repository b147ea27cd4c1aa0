import type { MembershipRequest } from "../core/operations.ts";
import type { Call } from "./call.ts";
import { clusterDown, emptyReply, type Outcome, Problem } from "./errors.ts";
import { connectionNotFound } from "./not-found.ts";
import { readConnectionId, readGroup, readUserId } from "./parameters.ts";

/** WebPubSub_AddConnectionToGroup: 200, repeated too; 404 for an unknown connection. */
export async function addConnectionToGroup(call: Call): Promise<Outcome> {
  const group = readGroup(call);
  if (group instanceof Problem) return group;
  const id = readConnectionId(call);
  if (id instanceof Problem) return id;
  const outcome = await change(call, { change: "add", subject: { kind: "connection", id }, group });
  return outcome === "unknown" ? connectionNotFound("connectionUnknown", id) : outcome;
}

/** WebPubSub_RemoveConnectionFromGroup: 204, also for a non-member and an unknown connection. */
export async function removeConnectionFromGroup(call: Call): Promise<Outcome> {
  const group = readGroup(call);
  if (group instanceof Problem) return group;
  const id = readConnectionId(call);
  return id instanceof Problem ? id : remove(call, { subject: { kind: "connection", id }, group });
}

/** WebPubSub_RemoveConnectionFromAllGroups: 204, also for an unknown connection, which stays open. */
export async function removeConnectionFromAllGroups(call: Call): Promise<Outcome> {
  const id = readConnectionId(call);
  return id instanceof Problem ? id : remove(call, { subject: { kind: "connection", id }, group: null });
}

/** WebPubSub_AddUserToGroup: 200; all connections of the user at this moment; 404 when there is none. */
export async function addUserToGroup(call: Call): Promise<Outcome> {
  const user = readUserId(call);
  if (user instanceof Problem) return user;
  const group = readGroup(call);
  if (group instanceof Problem) return group;
  const outcome = await change(call, { change: "add", subject: { kind: "user", user }, group });
  if (outcome !== "unknown") return outcome;
  return new Problem("userUnknown", `User \`${user}\` is not found.`, { target: "User" });
}

/** WebPubSub_RemoveUserFromGroup: 204, also for an unknown user. */
export async function removeUserFromGroup(call: Call): Promise<Outcome> {
  const user = readUserId(call);
  if (user instanceof Problem) return user;
  const group = readGroup(call);
  return group instanceof Problem ? group : remove(call, { subject: { kind: "user", user }, group });
}

/** WebPubSub_RemoveUserFromAllGroups: 204, also for an unknown user. */
export async function removeUserFromAllGroups(call: Call): Promise<Outcome> {
  const user = readUserId(call);
  return user instanceof Problem ? user : remove(call, { subject: { kind: "user", user }, group: null });
}

async function remove(call: Call, request: Pick<MembershipRequest, "subject" | "group">): Promise<Outcome> {
  const outcome = await change(call, { change: "remove", ...request });
  return outcome instanceof Problem ? outcome : emptyReply(call.version.deleteStatus);
}

async function change(call: Call, request: Omit<MembershipRequest, "hub">): Promise<Outcome | "unknown"> {
  const outcome = await call.services.operations.changeMembership({ hub: call.hub, ...request });
  switch (outcome) {
    case "done":
      return emptyReply(200);
    case "unknown":
      return outcome;
    case "down":
      return clusterDown();
  }
}
