import type { Command, SendEvent, SendToGroup } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { AckId, ConnectionId, GroupName } from "./names.ts";
import type { AckError } from "./outbound.ts";
import type { Clock, Upstream } from "./ports.ts";
import type { Publication } from "./publication.ts";
import type { Service } from "./service.ts";

/** What carrying out a client's command needs. */
export interface Executor {
  readonly service: Service;
  readonly upstream: Upstream;
  readonly clock: Clock;
}

const internalServerError: AckError = { name: "InternalServerError", message: "Internal server error" };

/**
 * Carries out one command of a client and answers it. Returns undefined when everything is done, a promise when the
 * client's next command has to wait for it (client-protocols 6.8). Never throws, never rejects.
 */
export function execute(executor: Executor, connection: Connection, command: Command): Promise<void> | undefined {
  switch (command.kind) {
    case "ping":
      executor.service.pushControl(connection, { kind: "pong" });
      return undefined;
    case "sequenceAck":
      // C-63: a protocol that keeps nothing has nothing to release. Beyond 2^53 a number was never given.
      connection.replay?.release(Number(command.sequenceId));
      return undefined;
    case "joinGroup":
    case "leaveGroup":
      changeGroup(executor, connection, command);
      return undefined;
    case "sendToGroup":
      return sendToGroup(executor, connection, command);
    case "event":
      return sendEvent(executor, connection, command);
  }
}

function changeGroup(
  { service }: Executor,
  connection: Connection,
  command: Extract<Command, { kind: "joinGroup" | "leaveGroup" }>,
): void {
  const { group, ackId } = command;
  if (isDuplicate(service, connection, ackId)) return;
  const verb = command.kind === "joinGroup" ? "join" : "leave";
  if (!connection.permissions.allows("joinLeaveGroup", group)) {
    refuse(service, connection, { ackId, error: forbidden(verb, group) });
    return;
  }
  if (command.kind === "joinGroup") service.join(connection, group);
  else service.leave(connection, group);
  succeed(service, connection, ackId);
}

function sendToGroup(
  { service, clock }: Executor,
  connection: Connection,
  command: SendToGroup,
): Promise<void> | undefined {
  const { group, ackId, ttlSeconds } = command;
  if (isDuplicate(service, connection, ackId)) return undefined;
  if (!connection.permissions.allows("sendToGroup", group)) {
    // A simple client has no other way to learn of it (C-66).
    if (!connection.format.answersFaults) service.end(connection, "sendToGroupForbidden");
    else refuse(service, connection, { ackId, error: forbidden("send to", group) });
    return undefined;
  }
  const publication: Publication = {
    hub: connection.hub,
    target: { kind: "group", group },
    payload: command.payload,
    metadata: command.metadata,
    from: { kind: "connection", id: connection.id, user: connection.userId },
    excluded: command.noEcho ? new Set<ConnectionId>([connection.id]) : null,
    filter: null,
    expiresAt: ttlSeconds === 0 ? null : clock.now() + ttlSeconds * 1000,
  };
  const outcome = service.publish(publication);
  if (outcome === "done") {
    succeed(service, connection, ackId);
    return undefined;
  }
  return outcome.then((late) => {
    if (late === "done") succeed(service, connection, ackId);
    else refuse(service, connection, { ackId, error: internalServerError });
  });
}

async function sendEvent({ service, upstream }: Executor, connection: Connection, command: SendEvent): Promise<void> {
  const { event, payload, metadata, ackId } = command;
  if (isDuplicate(service, connection, ackId)) return;
  const controller = new AbortController();
  connection.pendingEvent = controller;
  const outcome = await upstream.userEvent(connection, { event, payload, metadata }, controller.signal);
  connection.pendingEvent = null;
  if (!connection.isOpen) return;
  if (outcome.kind === "failed" || outcome.kind === "unhandled") {
    // C-53, C-54, C-65: who can be told is told, a simple client is closed.
    if (connection.format.answersFaults) refuse(service, connection, { ackId, error: internalServerError });
    else service.end(connection, outcome.kind === "failed" ? "eventFailed" : "eventUnhandled");
    return;
  }
  if (outcome.kind === "handled" && outcome.reply !== null) {
    service.pushMessage(connection, { from: { kind: "server" }, ...outcome.reply });
    if (!connection.isOpen) return;
  }
  succeed(service, connection, ackId);
}

/** Answers a request whose ack id was used by a successful one; it must not be carried out again (C-33). */
function isDuplicate(service: Service, connection: Connection, ackId: AckId | null): boolean {
  if (ackId === null || !connection.acks.has(ackId)) return false;
  const message = `Message with ack-id: ${ackId} has been processed`;
  service.pushControl(connection, { kind: "ack", ackId, error: { name: "Duplicate", message } });
  return true;
}

function succeed(service: Service, connection: Connection, ackId: AckId | null): void {
  if (ackId === null) return; // C-30
  connection.acks.remember(ackId, service.limits.ackIds);
  service.pushControl(connection, { kind: "ack", ackId, error: null });
}

/** A refused request does not use up its ack id (C-32). */
function refuse(
  service: Service,
  connection: Connection,
  { ackId, error }: { readonly ackId: AckId | null; readonly error: AckError },
): void {
  if (ackId !== null) service.pushControl(connection, { kind: "ack", ackId, error });
}

function forbidden(verb: "join" | "leave" | "send to", group: GroupName): AckError {
  return { name: "Forbidden", message: `The client does not have permission to ${verb} group '${group}'.` };
}
