import type { Subject } from "../core/operations.ts";
import type { Call } from "./call.ts";
import { clusterDown, emptyReply, type Outcome, Problem, type RestFaultName } from "./errors.ts";
import { readConnectionId, readGroup, readUserId } from "./parameters.ts";

/** WebPubSub_ConnectionExists: 200, or 404 with `Warning.Connection.NotExisted`. */
export async function connectionExists(call: Call): Promise<Outcome> {
  const id = readConnectionId(call);
  return id instanceof Problem ? id : exists(call, { kind: "connection", id }, "connectionAbsent");
}

/** WebPubSub_GroupExists: 200 when the group has a member, or 404 with `Warning.Group.NotExisted`. */
export async function groupExists(call: Call): Promise<Outcome> {
  const group = readGroup(call);
  return group instanceof Problem ? group : exists(call, { kind: "group", group }, "groupAbsent");
}

/** WebPubSub_UserExists: 200 when the user has a connection, or 404 with `Warning.User.NotExisted`. */
export async function userExists(call: Call): Promise<Outcome> {
  const user = readUserId(call);
  return user instanceof Problem ? user : exists(call, { kind: "user", user }, "userAbsent");
}

async function exists(call: Call, subject: Subject, absent: RestFaultName): Promise<Outcome> {
  const answer = await call.services.operations.exists(call.hub, subject);
  if (answer === "down") return clusterDown();
  return answer === "yes" ? emptyReply(200) : new Problem(absent, "Not found.");
}
