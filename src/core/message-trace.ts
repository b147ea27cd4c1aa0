import type { Command } from "./commands.ts";
import { lengthOf } from "./payload.ts";
import type { ConnectionFacts, MessageTelemetry } from "./ports.ts";

/** A message on its way, as long as somebody watches. Plain data, so that it can go to other nodes with the message. */
export interface MessageTrace {
  readonly id: string;
  /** Milliseconds since the epoch, with fractions; on one node it never goes back. */
  readonly receivedAt: number;
}

/** What a client or REST asks for, as far as its path is told: never what is in it. */
export interface ReceivedMessage {
  readonly from: ConnectionFacts | { readonly id: null; readonly hub: string; readonly callerAddress: string };
  readonly kind: "sendToGroup" | "event" | "invoke" | "stream" | "sendToAll" | "sendToUser" | "sendToConnection";
  /** The group, event, user, connection or stream that it names; null for a whole hub. */
  readonly name: string | null;
  /** Characters of text, bytes of everything else. */
  readonly size: number;
}

/** How far a message got on its way to one connection. */
export interface DeliveryStep {
  /**
   * `written`: the socket has it. `waiting`: the socket is full. `kept`: the client is away, it gets it when it comes back.
   * `expired`, `lost` (the connection ended) and `refused` (its queue is full, the connection ends): it will not get it.
   */
  readonly stage: "written" | "waiting" | "kept" | "expired" | "lost" | "refused";
  /** When it was queued, on the clock of `MessageTrace`. */
  readonly queuedAt: number;
  /** Messages in the queue of the connection. */
  readonly queueLength: number;
  /** Bytes that the socket has taken and not handed on. */
  readonly bufferedBytes: number;
  /** The number it has for a reliable client; null for every other. */
  readonly sequenceId: number | null;
}

/** A recipient to whom a message is followed, and who is told of each step. */
export interface FollowedDelivery<Recipient> {
  readonly recipient: Recipient;
  told(step: DeliveryStep): void;
  /** It is not followed any further: there are too many. */
  leftOut(): void;
}

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
