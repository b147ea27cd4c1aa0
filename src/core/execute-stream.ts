import { isDuplicate, refuse, succeed } from "./acknowledge.ts";
import type { Command, StreamStart } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { AckId } from "./names.ts";
import type { StreamClosedError } from "./outbound.ts";
import type { Service } from "./service.ts";

/** The commands that make up streams to groups (client-protocols 7.2). */
export type StreamCommand = Extract<
  Command,
  { readonly kind: "streamStart" | "streamData" | "streamKeepAlive" | "streamEnd" | "streamProblem" }
>;

/** Carries out one of them; as `execute`. */
export function executeStream(
  service: Service,
  connection: Connection,
  command: StreamCommand,
): Promise<void> | undefined {
  switch (command.kind) {
    case "streamStart":
      start(service, connection, command);
      return undefined;
    case "streamData":
      return service.streamsOf(connection).data(command);
    case "streamKeepAlive":
      service.streamsOf(connection).keepAlive(command.streamId);
      return undefined;
    case "streamEnd":
      return service.streamsOf(connection).end(command);
    case "streamProblem": {
      const { streamId, ackId, message } = command;
      if (!command.opens) service.streamsOf(connection).fault(streamId, message);
      else if (!isDuplicate(service, connection, ackId))
        refuseStart(service, connection, { streamId, ackId, error: { name: "BadRequest", message } });
      return undefined;
    }
  }
}

function start(service: Service, connection: Connection, command: StreamStart): void {
  const { ackId, group } = command;
  if (isDuplicate(service, connection, ackId)) return;
  const error: StreamClosedError | null = connection.permissions.allows("sendToGroup", group)
    ? service.streamsOf(connection).start(command)
    : { name: "Forbidden", message: `The client does not have permission to send to group '${group}'.` };
  if (error === null) succeed(service, connection, ackId);
  else refuseStart(service, connection, { ...command, error });
}

/** A stream that is open under the id is left alone; its publisher learns of the refusal by the same message (7.2). */
function refuseStart(
  service: Service,
  connection: Connection,
  {
    streamId,
    ackId,
    error,
  }: { readonly streamId: string; readonly ackId: AckId | null; readonly error: StreamClosedError },
): void {
  service.pushControl(connection, { kind: "streamClosed", streamId, error });
  const name = error.name === "Forbidden" ? "Forbidden" : "BadRequest";
  refuse(service, connection, { ackId, error: { name, message: error.message } });
}
