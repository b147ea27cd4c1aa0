import type { Connection } from "./connection.ts";
import type { MessageTrace } from "./message-trace.ts";
import type { AckId } from "./names.ts";
import type { AckError } from "./outbound.ts";
import type { Service } from "./service.ts";

/** Answers a request whose ack id was used by a successful one; it must not be carried out again (C-33). */
export function isDuplicate(service: Service, connection: Connection, ackId: AckId | null): boolean {
  if (ackId === null || !connection.acks.has(ackId)) return false;
  const message = `Message with ack-id: ${ackId} has been processed`;
  service.pushControl(connection, { kind: "ack", ackId, error: { name: "Duplicate", message } });
  return true;
}

/** Confirms a request that asked for it (C-30). */
export function succeed(service: Service, connection: Connection, ackId: AckId | null): void {
  if (ackId === null) return;
  connection.acks.remember(ackId, service.limits.ackIds);
  service.pushControl(connection, { kind: "ack", ackId, error: null });
}

/** Refuses a request; that does not use up its ack id (C-32). `why` is for the operator where the client is told less. */
export function refuse(
  service: Service,
  connection: Connection,
  {
    ackId,
    error,
    why,
    trace = null,
  }: {
    readonly ackId: AckId | null;
    readonly error: AckError;
    readonly why?: string;
    readonly trace?: MessageTrace | null;
  },
): void {
  service.recentErrors.note(connection.id, error.name, why ?? error.message);
  service.messages?.refused(connection, error, trace);
  if (ackId !== null) service.pushControl(connection, { kind: "ack", ackId, error });
}
