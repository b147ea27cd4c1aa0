import type { Target } from "../core/publication.ts";
import type { Call } from "./call.ts";
import { clusterDown, emptyReply, type Outcome, Problem } from "./errors.ts";
import { readConnectionId, readExcluded, readGroup, readUserId } from "./parameters.ts";

/** WebPubSub_CloseAllConnections: 204; `excluded` stay open. */
export async function closeAllConnections(call: Call): Promise<Outcome> {
  return closeScope(call, { kind: "hub" });
}

/** WebPubSub_CloseGroupConnections: 204, also for an empty group. */
export async function closeGroupConnections(call: Call): Promise<Outcome> {
  const group = readGroup(call);
  return group instanceof Problem ? group : closeScope(call, { kind: "group", group });
}

/** WebPubSub_CloseUserConnections: 204, also for an unknown user. */
export async function closeUserConnections(call: Call): Promise<Outcome> {
  const user = readUserId(call);
  return user instanceof Problem ? user : closeScope(call, { kind: "user", user });
}

/** WebPubSub_CloseConnection: 204, also for an unknown connection. It has no `excluded`. */
export async function closeConnection(call: Call): Promise<Outcome> {
  const id = readConnectionId(call);
  if (id instanceof Problem) return id;
  const outcome = await close(call, { kind: "connection", id }, null);
  return outcome ?? emptyReply(call.version.deleteStatus);
}

/** @spec R-85 */
async function closeScope(call: Call, target: Target): Promise<Outcome> {
  const outcome = await close(call, target, readExcluded(call.query));
  return outcome ?? emptyReply(204);
}

async function close(call: Call, target: Target, excluded: ReturnType<typeof readExcluded>): Promise<Problem | null> {
  const reason = call.query.text("reason") ?? "";
  const outcome = await call.services.operations.closeConnections({ hub: call.hub, target, excluded, reason });
  return outcome === "done" ? null : clusterDown();
}
