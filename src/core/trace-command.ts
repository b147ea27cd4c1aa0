import type { Command } from "./commands.ts";
import type { MessageTrace } from "./message-trace.ts";
import { lengthOf } from "./payload.ts";
import type { ConnectionFacts, MessageTelemetry, ReceivedMessage } from "./ports.ts";

/** Tells of a request that carries a message, and joins it to its trace; others come back as they are. */
export function traceCommand<Request extends Command>(
  command: Request,
  trace: MessageTrace,
  { messages, from }: { readonly messages: MessageTelemetry; readonly from: ConnectionFacts },
): Request {
  const message = messageOf(command);
  if (message === null) return command;
  messages.received(trace, { from, ...message });
  return { ...command, trace };
}

function messageOf(command: Command): Omit<ReceivedMessage, "from"> | null {
  switch (command.kind) {
    case "sendToGroup":
      return { kind: command.kind, name: command.group, size: lengthOf(command.payload) };
    case "event":
    case "invoke":
      return { kind: command.kind, name: command.event, size: lengthOf(command.payload) };
    case "streamData":
      return { kind: "stream", name: command.streamId, size: lengthOf(command.payload) };
    case "streamEnd":
      return { kind: "stream", name: command.streamId, size: 0 };
    case "joinGroup":
    case "leaveGroup":
    case "ping":
    case "sequenceAck":
    case "ignored":
    case "invokeProblem":
    case "cancelInvocation":
    case "streamStart":
    case "streamKeepAlive":
    case "streamProblem":
    case "setGroupState":
    case "subscribeGroupState":
    case "unsubscribeGroupState":
      return null;
  }
}
