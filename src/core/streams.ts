import type { StreamData, StreamEnd, StreamStart } from "./commands.ts";
import type { MessageTrace } from "./message-trace.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import type { OutboundControl, StreamClosedError, StreamError, StreamPart } from "./outbound.ts";
import { emptyText, type Metadata, type Payload } from "./payload.ts";
import type { Permissions } from "./permissions.ts";
import type { Clock, Scheduler } from "./ports.ts";
import type { Publication } from "./publication.ts";

/** Who publishes streams; a `Connection` is one. */
export interface StreamPublisher {
  readonly hub: HubName;
  readonly id: ConnectionId;
  readonly userId: UserId | null;
  readonly permissions: Permissions;
  /** null: it cannot come back on another socket. */
  readonly replay: object | null;
}

/** What streams need of the service they belong to. */
export interface StreamPorts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  maxOpen(): number;
  publish(publication: Publication): "done" | Promise<"done" | "down">;
  /** Sends to the publisher, if it has a socket. */
  tell(control: OutboundControl): void;
}

interface Stream {
  readonly id: string;
  readonly group: GroupName;
  readonly metadata: Metadata | null;
  readonly excluded: ReadonlySet<ConnectionId> | null;
  readonly ttlSeconds: number;
  readonly idleTimeoutMs: number;
  /** Number of the next fragment. */
  expected: number;
  /** All fragments before are taken; behind `expected` while one is on its way to other nodes. */
  accepted: number;
  heardAt: number;
  ackDue: boolean;
  /** Whether its last message is on its way. */
  isEnding: boolean;
  cancelTimer: () => void;
}

interface StreamMessage {
  readonly payload: Payload;
  readonly part: StreamPart;
  readonly trace: MessageTrace | null;
}

/** How a stream ends for its publisher (null: well) and for its subscribers. */
interface Ending {
  readonly closed: StreamClosedError | null;
  readonly error: StreamError;
}

/** The longest time a timer takes; a longer idle time-out is watched in parts. */
const maxTimerMs = 2_147_483_647;
/** Ended streams that a client which comes back may still ask about. Ours. */
const rememberedEnds = 100;

const notFound: StreamClosedError = { name: "StreamNotFound", message: "The stream does not exist or is closed." };

/**
 * The streams that one logical connection publishes (client-protocols 7.2). They outlive its sockets: what a drop made
 * uncertain the client sends again, and the number of each fragment tells what is new. Acknowledgements of one event-loop
 * turn go out as one.
 */
export class Streams {
  readonly #publisher: StreamPublisher;
  readonly #ports: StreamPorts;
  readonly #open = new Map<string, Stream>();
  #due: Stream[] = [];
  /** How streams ended since the client last came back, and before that. */
  readonly #ended = new Map<string, StreamClosedError | null>();
  readonly #endedBefore = new Map<string, StreamClosedError | null>();

  constructor(publisher: StreamPublisher, ports: StreamPorts) {
    this.#publisher = publisher;
    this.#ports = ports;
  }

  /** Opens a stream; the caller has checked the permission. Returns what is wrong, or null (C-96). */
  start(command: StreamStart): StreamClosedError | null {
    const { streamId: id, group, metadata, ttlSeconds, idleTimeoutMs } = command;
    if (this.#open.has(id)) return badRequest("A stream with this id is open already.");
    if (this.#open.size >= this.#ports.maxOpen()) return badRequest("Too many streams are open.");
    const excluded = command.noEcho ? new Set<ConnectionId>([this.#publisher.id]) : null;
    const heardAt = this.#ports.clock.now();
    const stream: Stream = {
      id,
      group,
      metadata,
      excluded,
      ttlSeconds,
      idleTimeoutMs,
      expected: 1,
      accepted: 1,
      heardAt,
      ackDue: false,
      isEnding: false,
      cancelTimer: noTimer,
    };
    this.#open.set(id, stream);
    this.#ended.delete(id);
    this.#endedBefore.delete(id);
    this.#watch(stream);
    this.#tell({ kind: "streamAck", streamId: id, expected: 1 });
    return null;
  }

  /** Publishes the fragment that is next; answers any other (C-97). The promise is for the publication. */
  data({ streamId, sequenceId, payload, trace }: StreamData): Promise<void> | undefined {
    const stream = this.#publishable(streamId);
    if (stream === null) return undefined;
    if (sequenceId > stream.expected) {
      const { expected } = stream;
      const message = `The next fragment is ${expected}.`;
      this.#tell({ kind: "streamNack", streamId, expected, name: "InvalidSequenceId", message });
      return undefined;
    }
    if (sequenceId < stream.expected) {
      this.#acknowledge(stream);
      return undefined;
    }
    const part: StreamPart = { streamId, sequenceId, end: null };
    return this.#publish(stream, { payload, part, trace: trace ?? null }, () => {
      stream.accepted = stream.expected;
      this.#acknowledge(stream);
    });
  }

  /** Postpones the idle time-out. */
  keepAlive(streamId: string): void {
    this.#heard(streamId);
  }

  /** The same for a frame that arrived, while it waits for its turn. */
  noteFrame(streamId: string): void {
    const stream = this.#open.get(streamId);
    if (stream !== undefined) stream.heardAt = this.#ports.clock.now();
  }

  /** Ends a stream as its publisher wishes. */
  end({ streamId, error, trace }: StreamEnd): Promise<void> | undefined {
    const stream = this.#publishable(streamId);
    if (stream === null) return undefined;
    const part = endOf(stream, error === null ? null : { name: "UserError", ...error });
    return this.#publish(stream, { payload: emptyText, part, trace: trace ?? null }, () => this.#close(stream, null));
  }

  /** Ends a stream, if it is open, of which a frame broke the rules. */
  fault(streamId: string, message: string): void {
    const stream = this.#heard(streamId);
    if (stream === null) return;
    this.#fail(stream, {
      closed: badRequest(message),
      error: streamError("InternalServerError", "The publisher sent an invalid frame."),
    });
  }

  /** The client is back on another socket: answers to the last one may be lost. */
  recovered(): void {
    for (const [streamId, error] of this.#ended) remember(this.#endedBefore, streamId, error);
    this.#ended.clear();
  }

  /** Ends every stream: the logical connection is over. */
  cancel(): void {
    for (const stream of this.#open.values()) {
      stream.cancelTimer();
      if (!stream.isEnding)
        this.#tellSubscribers(stream, streamError("Cancelled", "The connection of the publisher ended."));
    }
    this.#open.clear();
  }

  /** The open stream, now in use; null, and the client is told, when there is none. */
  #heard(streamId: string): Stream | null {
    const stream = this.#open.get(streamId);
    if (stream === undefined) {
      // Asked again after a recovery, the answer that was lost is repeated.
      const ended = this.#endedBefore.get(streamId);
      this.#tell({ kind: "streamClosed", streamId, error: ended === undefined ? notFound : ended });
      return null;
    }
    stream.heardAt = this.#ports.clock.now();
    return stream;
  }

  /** The same when the publisher still may publish in it; its permissions can change meanwhile. */
  #publishable(streamId: string): Stream | null {
    const stream = this.#heard(streamId);
    if (stream === null || this.#publisher.permissions.allows("sendToGroup", stream.group)) return stream;
    this.#fail(stream, forbidden);
    return null;
  }

  #publish(stream: Stream, message: StreamMessage, taken: () => void): Promise<void> | undefined {
    // Before it goes out: a publisher that has no room for its own message is ended by it, and `cancel` comes first.
    if (message.part.end === null) stream.expected += 1;
    else beginEnd(stream);
    const outcome = this.#ports.publish(this.#publication(stream, message));
    if (outcome === "done") {
      taken();
      return undefined;
    }
    return outcome.then((late) => {
      if (this.#open.get(stream.id) !== stream) return;
      if (late === "done") taken();
      else if (stream.isEnding) this.#close(stream, clusterDown.closed);
      // Members on this node have the fragment, others do not: it can neither be repeated nor left out.
      else this.#fail(stream, clusterDown);
    });
  }

  #publication(stream: Stream, { payload, part, trace }: StreamMessage): Publication {
    const { id, hub, userId } = this.#publisher;
    const { ttlSeconds } = stream;
    return {
      hub,
      target: { kind: "group", group: stream.group },
      payload,
      metadata: stream.metadata,
      from: { kind: "connection", id, user: userId },
      excluded: stream.excluded,
      filter: null,
      stream: part,
      // A stream whose end expired would keep its readers waiting.
      expiresAt: ttlSeconds === 0 || part.end !== null ? null : this.#ports.clock.now() + ttlSeconds * 1000,
      trace,
    };
  }

  /** Ends a stream for a reason of the service's own. */
  #fail(stream: Stream, { closed, error }: Ending): void {
    beginEnd(stream);
    this.#tellSubscribers(stream, error);
    this.#close(stream, closed);
  }

  /** The last message that subscribers get. When it gets lost between nodes, their own time-out ends the stream. */
  #tellSubscribers(stream: Stream, error: StreamError): void {
    const message = { payload: emptyText, part: endOf(stream, error), trace: null };
    void this.#ports.publish(this.#publication(stream, message));
  }

  #close(stream: Stream, error: StreamClosedError | null): void {
    const { id: streamId } = stream;
    this.#open.delete(streamId);
    if (this.#publisher.replay !== null) remember(this.#ended, streamId, error);
    this.#tell({ kind: "streamClosed", streamId, error });
  }

  #acknowledge(stream: Stream): void {
    if (stream.ackDue) return;
    stream.ackDue = true;
    if (this.#due.push(stream) === 1) this.#ports.scheduler.afterTurn(() => this.#sendAcks());
  }

  #sendAcks(): void {
    const due = this.#due;
    this.#due = [];
    for (const stream of due) {
      stream.ackDue = false;
      const { id: streamId, accepted: expected } = stream;
      if (this.#open.get(streamId) === stream) this.#tell({ kind: "streamAck", streamId, expected });
    }
  }

  /** Looks again when the stream could be idle; moving a timer with every fragment would cost more (C-98). */
  #watch(stream: Stream): void {
    const { clock, scheduler } = this.#ports;
    const rest = stream.heardAt + stream.idleTimeoutMs - clock.now();
    stream.cancelTimer = scheduler.after(Math.min(Math.max(rest, 1), maxTimerMs), () => {
      if (clock.now() - stream.heardAt < stream.idleTimeoutMs) this.#watch(stream);
      else this.#fail(stream, idleTimeout);
    });
  }

  #tell(control: OutboundControl): void {
    this.#ports.tell(control);
  }
}

const forbidden: Ending = {
  closed: { name: "Forbidden", message: "The client does not have permission to send to the group any more." },
  error: streamError("Forbidden", "The publisher does not have permission to send to the group any more."),
};

const clusterDown: Ending = {
  closed: { name: "InternalServerError", message: "The stream cannot reach all nodes of the service." },
  error: streamError("InternalServerError", "The stream did not reach all nodes of the service."),
};

const idleTimeout: Ending = {
  closed: { name: "IdleTimeout", message: "The stream was idle for too long." },
  error: streamError("IdleTimeout", "The stream was idle for too long."),
};

/** From here on its last message goes out, and no time-out ends it again. */
function beginEnd(stream: Stream): void {
  stream.isEnding = true;
  stream.cancelTimer();
}

function noTimer(): void {}

/** Notes how a stream ended, in place of the oldest one when there are many. */
function remember(
  ended: Map<string, StreamClosedError | null>,
  streamId: string,
  error: StreamClosedError | null,
): void {
  ended.delete(streamId);
  ended.set(streamId, error);
  if (ended.size <= rememberedEnds) return;
  for (const oldest of ended.keys()) {
    ended.delete(oldest);
    return;
  }
}

function badRequest(message: string): StreamClosedError {
  return { name: "BadRequest", message };
}

function streamError(name: Exclude<StreamError["name"], "UserError">, message: string): StreamError {
  return { name, message, userErrorCode: null };
}

function endOf(stream: Stream, error: StreamError | null): StreamPart {
  return { streamId: stream.id, sequenceId: stream.expected, end: { error } };
}
