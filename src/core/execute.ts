import { isDuplicate, refuse, succeed } from "./acknowledge.ts";
import { Cancellation } from "./cancellation.ts";
import type { Command, SendEvent, SendToGroup } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { executeGroupState } from "./execute-group-state.ts";
import { executeStream } from "./execute-stream.ts";
import { cancelInvocation, invoke } from "./invocation.ts";
import type { ConnectionId, EventName, GroupName } from "./names.ts";
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
    case "ignored":
      return undefined;
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
    case "invoke":
      invoke(executor, connection, command);
      return undefined;
    case "invokeProblem":
      executor.service.recentErrors.note(connection.id, "BadRequest", command.message);
      executor.service.pushControl(connection, {
        kind: "invokeResponse",
        invocationId: command.invocationId,
        outcome: { kind: "failed", name: "BadRequest", message: command.message },
      });
      return undefined;
    case "cancelInvocation":
      cancelInvocation(connection, command.invocationId);
      return undefined;
    case "streamStart":
    case "streamData":
    case "streamKeepAlive":
    case "streamEnd":
    case "streamProblem":
      return executeStream(executor.service, connection, command);
    case "setGroupState":
    case "subscribeGroupState":
    case "unsubscribeGroupState":
      executeGroupState(executor.service, connection, command);
      return undefined;
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
  const { group, ackId, ttlSeconds, trace = null } = command;
  if (isDuplicate(service, connection, ackId)) return undefined;
  if (!connection.permissions.allows("sendToGroup", group)) {
    // A simple client has no other way to learn of it (C-66).
    if (!connection.format.answersFaults) service.end(connection, "sendToGroupForbidden");
    else refuse(service, connection, { ackId, error: forbidden("send to", group), trace });
    return undefined;
  }
  const publication: Publication = {
    hub: connection.hub,
    target: { kind: "group", group },
    payload: command.payload,
    metadata: command.metadata,
    from: { kind: "connection", id: connection.id, user: connection.userId },
    stream: null,
    excluded: command.noEcho ? new Set<ConnectionId>([connection.id]) : null,
    filter: null,
    expiresAt: ttlSeconds === 0 ? null : clock.now() + ttlSeconds * 1000,
    trace,
  };
  const outcome = service.publish(publication);
  if (outcome === "done") {
    succeed(service, connection, ackId);
    return undefined;
  }
  return outcome.then((late) => {
    if (late === "done") succeed(service, connection, ackId);
    else refuse(service, connection, { ackId, error: internalServerError, trace });
  });
}

async function sendEvent({ service, upstream }: Executor, connection: Connection, command: SendEvent): Promise<void> {
  const { event, payload, metadata, ackId, trace = null } = command;
  if (isDuplicate(service, connection, ackId)) return;
  const cancellation = new Cancellation();
  connection.pendingEvent = cancellation;
  const outcome = await upstream.userEvent(connection, { event, payload, metadata, trace }, cancellation);
  connection.pendingEvent = null;
  if (outcome.kind === "unhandled") service.messages?.eventUnhandled(connection, event, trace);
  if (!connection.isOpen) return;
  if (outcome.kind === "failed" || outcome.kind === "unhandled") {
    // C-53, C-54, C-65: who can be told is told, a simple client is closed.
    if (connection.format.answersFaults)
      refuse(service, connection, {
        ackId,
        error: internalServerError,
        why: whyNotHandled(outcome.kind, event),
        trace,
      });
    else service.end(connection, outcome.kind === "failed" ? "eventFailed" : "eventUnhandled");
    return;
  }
  if (outcome.kind === "handled" && outcome.reply !== null) {
    service.pushMessage(connection, { from: { kind: "server" }, stream: null, ...outcome.reply }, trace);
    if (!connection.isOpen) return;
  }
  succeed(service, connection, ackId);
}

function whyNotHandled(kind: "failed" | "unhandled", event: EventName): string {
  return kind === "failed"
    ? `The event handler failed on the event '${event}'.`
    : `No event handler takes the event '${event}'.`;
}

function forbidden(verb: "join" | "leave" | "send to", group: GroupName): AckError {
  return { name: "Forbidden", message: `The client does not have permission to ${verb} group '${group}'.` };
}
