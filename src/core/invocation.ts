import type { Invoke } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { InvokeOutcome } from "./outbound.ts";
import { lengthOf, type Payload } from "./payload.ts";
import { PendingInvocations } from "./pending-invocations.ts";
import type { Upstream, UserEventOutcome } from "./ports.ts";
import type { Service } from "./service.ts";

/**
 * Asks the event handler and answers with an `invokeResponse`, while later commands of the client go on (C-95). The
 * answer goes to the socket the client has by then; without one it is lost.
 */
export function invoke(
  { service, upstream }: { readonly service: Service; readonly upstream: Upstream },
  connection: Connection,
  command: Invoke,
): void {
  const { invocationId, event, payload, metadata, trace = null } = command;
  const answer = (outcome: InvokeOutcome): void => {
    if (outcome.kind === "failed")
      service.recentErrors.note(connection.id, outcome.name, `Invocation of '${event}': ${outcome.message}`);
    service.pushControl(connection, { kind: "invokeResponse", invocationId, outcome });
  };
  const pending = (connection.invocations ??= new PendingInvocations());
  if (pending.has(invocationId)) {
    answer({ kind: "failed", name: "Duplicate", message: "An invocation with this id is pending." });
    return;
  }
  const { pendingInvocations, inboundQueue } = service.limits;
  const size = lengthOf(payload);
  // Each waits for its handler with its data, as do the commands behind an event.
  if (pending.count >= pendingInvocations || pending.size + size > inboundQueue.bytes) {
    answer({ kind: "failed", name: "BadRequest", message: "Too many invocations are pending." });
    return;
  }
  const cancellation = pending.add(invocationId, size);
  void upstream.userEvent(connection, { event, payload, metadata, trace }, cancellation).then((outcome) => {
    if (outcome.kind === "unhandled") service.messages?.eventUnhandled(connection, event, trace);
    // Not when it was cancelled, or the connection is over.
    if (pending.settle(invocationId, cancellation)) answer(outcomeOf(outcome));
  });
}

/** Gives up waiting for an invocation, if it is pending; there is no answer. */
export function cancelInvocation(connection: Connection, invocationId: string): void {
  connection.invocations?.cancel(invocationId);
}

function outcomeOf(outcome: UserEventOutcome): InvokeOutcome {
  switch (outcome.kind) {
    case "handled":
      return { kind: "handled", reply: contentOf(outcome.reply?.payload ?? null) };
    case "failed":
      return { kind: "failed", name: "InternalServerError", message: "The event handler failed." };
    case "heard": // A listener answers nothing.
    case "unhandled":
      return { kind: "failed", name: "NotFound", message: "No event handler is configured." };
  }
}

/** An empty body has no data type, even where it came with metadata (client-protocols 7.1). */
function contentOf(payload: Payload | null): Payload | null {
  return payload?.kind === "text" && payload.text === "" ? null : payload;
}
