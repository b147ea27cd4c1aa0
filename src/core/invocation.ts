import { Cancellation } from "./cancellation.ts";
import type { Invoke } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { InvokeOutcome } from "./outbound.ts";
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
  const { invocationId, event, payload, metadata } = command;
  const answer = (outcome: InvokeOutcome): void =>
    service.pushControl(connection, { kind: "invokeResponse", invocationId, outcome });
  const pending = (connection.invocations ??= new Map<string, Cancellation>());
  if (pending.has(invocationId)) {
    answer({ kind: "failed", name: "Duplicate", message: "An invocation with this id is pending." });
    return;
  }
  if (pending.size >= service.limits.pendingInvocations) {
    answer({ kind: "failed", name: "BadRequest", message: "Too many invocations are pending." });
    return;
  }
  const cancellation = new Cancellation();
  pending.set(invocationId, cancellation);
  void upstream.userEvent(connection, { event, payload, metadata }, cancellation).then((outcome) => {
    // Cancelled, or the connection is over.
    if (pending.get(invocationId) !== cancellation) return;
    pending.delete(invocationId);
    answer(outcomeOf(outcome));
  });
}

/** Gives up waiting for an invocation, if it is pending; there is no answer. */
export function cancelInvocation(connection: Connection, invocationId: string): void {
  connection.invocations?.get(invocationId)?.abort();
  connection.invocations?.delete(invocationId);
}

function outcomeOf(outcome: UserEventOutcome): InvokeOutcome {
  switch (outcome.kind) {
    case "handled":
      return { kind: "handled", reply: outcome.reply?.payload ?? null };
    case "failed":
      return { kind: "failed", name: "InternalServerError", message: "The event handler failed." };
    case "unhandled":
      return { kind: "failed", name: "NotFound", message: "No event handler is configured." };
  }
}
