import type { DeliveryStep, FollowedDelivery, MessageTrace, ReceivedMessage } from "../core/message-trace.ts";
import { lengthOf } from "../core/payload.ts";
import type { ConnectionFacts, MessageTelemetry } from "../core/ports.ts";
import type { Publication } from "../core/publication.ts";
import type { RecordSink, ResourceLevel, ResourceProperties, ResourceRecord } from "./resource-logs.ts";

/** Who follows messages from their senders to their recipients: a sink of more lines than anybody reads. */
export interface PathSink extends RecordSink {
  /**
   * Where it is told how a message gets to this connection; null when nobody wants to know, or has room for it, which is
   * counted as left out. `isBeyond`: enough recipients of the message are followed, so only whom somebody asked for counts.
   */
  follow(to: ConnectionFacts, isBeyond: boolean): DeliverySink | null;
  /** Whether somebody asked to see what is exchanged with event handlers. */
  readonly capturesBodies: boolean;
}

/** Those who have room for the lines of one delivery. */
export interface DeliverySink {
  write(record: ResourceRecord): void;
  /** Counts a line as left out. */
  leftOut(): void;
}

export interface MessageLinesOptions {
  /** Everybody: the resource log as well as whoever watches. */
  readonly records: RecordSink;
  readonly paths: PathSink;
  /** Milliseconds since the epoch with fractions, never going back. */
  readonly now: () => number;
}

/** Recipients of one message that are followed without being asked for; ours. */
const maxFollowed = 100;

/**
 * Writes a MessagingLogs line for each thing that happens to a message (management 14.1). Names and sizes, never a payload.
 * The path of a message, from sender to recipients, is for whoever watches; the resource log has the publication alone.
 */
export function createMessageLines({ records, paths, now }: MessageLinesOptions): MessageTelemetry {
  const traced = (trace: MessageTrace | null): Pick<ResourceProperties, "traceId" | "elapsed"> =>
    trace === null ? {} : { traceId: trace.id, elapsed: microseconds(now() - trace.receivedAt) };
  const about = (
    { id, userId, hub, callerAddress }: ConnectionFacts,
    line: {
      readonly operationName: string;
      readonly level: ResourceLevel;
      readonly message: string;
      readonly trace?: MessageTrace | null;
    },
  ): void => {
    const { operationName, level, message, trace = null } = line;
    records.write({
      category: "MessagingLogs",
      operationName,
      level,
      callerIpAddress: callerAddress,
      properties: { message, connectionId: id, userId, hub, ...traced(trace) },
    });
  };
  function follow<Recipient extends ConnectionFacts>(
    trace: MessageTrace,
    recipient: Recipient,
    isBeyond: boolean,
  ): FollowedDelivery<Recipient> | null {
    const sink = paths.wants("MessagingLogs") ? paths.follow(recipient, isBeyond) : null;
    if (sink === null) return null;
    return {
      recipient,
      told(step) {
        const queued = microseconds(step.queuedAt - trace.receivedAt);
        sink.write(deliveryRecord(recipient, step, { queued, ...traced(trace) }));
      },
      leftOut: () => sink.leftOut(),
    };
  }
  return {
    now,
    arrived: () => ({ id: crypto.randomUUID().replaceAll("-", ""), receivedAt: now() }),
    received(trace, received) {
      if (!paths.wants("MessagingLogs")) return;
      const { from, kind, size } = received;
      const sender = from.id === null ? {} : { connectionId: from.id, userId: from.userId };
      paths.write({
        category: "MessagingLogs",
        operationName: "MessageReceived",
        level: "Informational",
        callerIpAddress: from.callerAddress,
        properties: { message: describeReceived(received), ...sender, hub: from.hub, kind, size, ...traced(trace) },
      });
    },
    published<Recipient extends ConnectionFacts>(publication: Publication, recipients: Iterable<Recipient>) {
      const { hub, from, trace } = publication;
      const followed: FollowedDelivery<Recipient>[] = [];
      let count = 0;
      for (const recipient of recipients) {
        count += 1;
        const delivery = trace === null ? null : follow(trace, recipient, followed.length >= maxFollowed);
        if (delivery !== null) followed.push(delivery);
      }
      const sender = from.kind === "connection" ? { connectionId: from.id, userId: from.user } : {};
      const message = describePublication(publication, count);
      records.write({
        category: "MessagingLogs",
        operationName: "MessagePublished",
        level: "Informational",
        properties: { message, ...sender, hub, recipients: count, ...traced(trace) },
      });
      return followed;
    },
    answered: (trace, recipient) => follow(trace, recipient, false),
    groupChanged(connection, change, group) {
      const isJoin = change === "joined";
      about(connection, {
        operationName: isJoin ? "GroupJoined" : "GroupLeft",
        level: "Informational",
        message: `The connection ${change} group '${group}'.`,
      });
    },
    eventUnhandled(connection, event, trace) {
      const message = `No event handler takes the user event '${event}'.`;
      about(connection, { operationName: "EventUnhandled", level: "Warning", message, trace });
    },
    refused(connection, { name, message }, trace) {
      const text = `A request was refused as ${name}: ${message}`;
      about(connection, { operationName: "RequestRefused", level: "Warning", message: text, trace });
    },
  };
}

/** Milliseconds to the microsecond. */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

const deliveries = {
  written: { operationName: "MessageDelivered", level: "Informational" },
  waiting: { operationName: "MessageDelayed", level: "Warning" },
  kept: { operationName: "MessageDelayed", level: "Informational" },
  expired: { operationName: "MessageLost", level: "Warning" },
  lost: { operationName: "MessageLost", level: "Warning" },
  refused: { operationName: "MessageLost", level: "Warning" },
} as const satisfies Record<DeliveryStep["stage"], { readonly operationName: string; readonly level: ResourceLevel }>;

function deliveryRecord(
  { id, userId, hub, callerAddress }: ConnectionFacts,
  step: DeliveryStep,
  times: Pick<ResourceProperties, "traceId" | "elapsed" | "queued">,
): ResourceRecord {
  const { stage, queueLength, bufferedBytes, sequenceId } = step;
  return {
    category: "MessagingLogs",
    ...deliveries[stage],
    callerIpAddress: callerAddress,
    properties: {
      message: describeDelivery(step),
      connectionId: id,
      userId,
      hub,
      stage,
      ...(stage === "waiting" && { queueLength }),
      ...(bufferedBytes > 0 && { bufferedBytes }),
      ...(sequenceId !== null && { sequenceId }),
      ...times,
    },
  };
}

function describeDelivery({ stage, queueLength, bufferedBytes }: DeliveryStep): string {
  switch (stage) {
    case "written":
      return bufferedBytes > 0
        ? `The message was written to the socket, which still has to send ${bufferedBytes} bytes.`
        : "The message was written to the socket.";
    case "waiting":
      return `The message waits: the socket is full, and ${countOf(queueLength, "message is", "messages are")} in the queue.`;
    case "kept":
      return "The message is kept: the client is away, and gets it when it comes back.";
    case "expired":
      return "The message expired while it waited.";
    case "lost":
      return "The connection ended before the message was written.";
    case "refused":
      return "The queue of the connection is full, and the connection ends.";
  }
}

function describeReceived({ from, kind, name, size }: ReceivedMessage): string {
  const sender = from.id === null ? "REST" : "A client";
  return `${sender} sent ${describeRequest(kind, name ?? "")} (length ${size}).`;
}

function describeRequest(kind: ReceivedMessage["kind"], name: string): string {
  switch (kind) {
    case "sendToGroup":
      return `a message to group '${name}'`;
    case "sendToAll":
      return "a message to the whole hub";
    case "sendToUser":
      return `a message to user '${name}'`;
    case "sendToConnection":
      return `a message to connection '${name}'`;
    case "event":
      return `the event '${name}'`;
    case "invoke":
      return `an invocation of '${name}'`;
    case "stream":
      return `a part of stream '${name}'`;
  }
}

function describePublication({ target, payload, from, stream }: Publication, recipients: number): string {
  const whom = countOf(recipients, "connection", "connections");
  const what = `${payload.kind}, ${lengthOf(payload)} ${payload.kind === "text" || payload.kind === "json" ? "characters" : "bytes"}`;
  const by = from.kind === "server" ? "REST" : "a client";
  const part = stream === null ? "" : ` in stream '${stream.streamId}'`;
  return `A message of ${by} to ${describeTarget(target)}${part} was handed to ${whom} (${what}).`;
}

function countOf(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

function describeTarget(target: Publication["target"]): string {
  switch (target.kind) {
    case "hub":
      return "the whole hub";
    case "group":
      return `group '${target.group}'`;
    case "user":
      return `user '${target.user}'`;
    case "connection":
      return `connection '${target.id}'`;
  }
}
