import { isDuplicate, refuse, succeed } from "./acknowledge.ts";
import type { Command, SetGroupState } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { GroupState } from "./group-state.ts";
import type { AckError } from "./outbound.ts";
import type { Service } from "./service.ts";
import { utf8Length } from "./utf8.ts";

/** The commands about group states (client-protocols 7.3). */
export type GroupStateCommand = Extract<
  Command,
  { readonly kind: "setGroupState" | "subscribeGroupState" | "unsubscribeGroupState" }
>;

const denied: AckError = { name: "Forbidden", message: "Permission denied." };
const notMember: AckError = { name: "Forbidden", message: "Not a member of group." };

/** Carries out one of them; as `execute` (C-100). */
export function executeGroupState(service: Service, connection: Connection, command: GroupStateCommand): void {
  const { group, ackId } = command;
  if (isDuplicate(service, connection, ackId)) return;
  const error = problemOf(service, connection, command);
  if (error !== null) {
    refuse(service, connection, { ackId, error });
    return;
  }
  switch (command.kind) {
    case "setGroupState":
      service.setGroupState(connection, group, command.state);
      succeed(service, connection, ackId);
      return;
    case "subscribeGroupState":
      service.subscribeGroupState(connection, group);
      succeed(service, connection, ackId);
      service.pushGroupSnapshot(connection, group); // Nothing if the ack was one too many for its queue.
      return;
    case "unsubscribeGroupState":
      service.unsubscribeGroupState(connection, group);
      succeed(service, connection, ackId);
      return;
  }
}

function problemOf(service: Service, connection: Connection, command: GroupStateCommand): AckError | null {
  if (command.kind === "unsubscribeGroupState") return null;
  const { group } = command;
  const action = command.kind === "setGroupState" ? "setGroupState" : "getGroupState";
  if (!connection.permissions.allows(action, group)) return denied;
  if (command.kind === "setGroupState") {
    const tooBig = checkSize(command, service.limits.groupState.bytes);
    if (tooBig !== null) return tooBig;
  }
  return connection.groups.has(group) ? null : notMember;
}

function checkSize({ state }: SetGroupState, limit: number): AckError | null {
  if (state === null || sizeOf(state) <= limit) return null;
  return { name: "BadRequest", message: `State payload exceeds maximum size ${limit} bytes.` };
}

function sizeOf(state: GroupState): number {
  let bytes = 0;
  for (const [key, value] of state) bytes += utf8Length(key) + utf8Length(value);
  return bytes;
}
