import { AckMemory } from "./ack-memory.ts";
import type { Cancellation } from "./cancellation.ts";
import type { FilterSubject } from "./filter/values.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import type { Frame, OutboundControl } from "./outbound.ts";
import type { Flusher, OutboxLimits } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { PendingInvocations } from "./pending-invocations.ts";
import type { RoleRules } from "./permissions.ts";
import { Permissions } from "./permissions.ts";
import type { ConnectionFacts, EventSource, FrameSink, WireFormat } from "./ports.ts";
import type { ReplayBounds, ReplayTotals } from "./replay-buffer.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { SmallSet } from "./small-set.ts";
import type { Streams } from "./streams.ts";

/** Everything known of a connection when its socket opens. */
export interface ConnectionInit {
  readonly hub: HubName;
  readonly id: ConnectionId;
  readonly userId: UserId | null;
  readonly roles: RoleRules;
  readonly groups: readonly GroupName[];
  readonly subprotocol: string | null;
  readonly format: WireFormat;
  readonly requestHost: string;
  readonly callerAddress: string;
  readonly upstreamSession: object | null;
}

/** What bounds the queues of a connection. */
export interface PushLimits extends ReplayBounds {
  readonly outbox: OutboxLimits;
}

/**
 * One logical client: identity and state. It holds its permissions, groups, ack memory and outbox as values; what
 * happens to it is decided by `Service`. Fields stay few: each costs every idle connection (P10).
 */
export class Connection implements EventSource, FilterSubject, ConnectionFacts {
  readonly hub: HubName;
  readonly id: ConnectionId;
  readonly userId: UserId | null;
  readonly subprotocol: string | null;
  readonly requestHost: string;
  readonly callerAddress: string;
  readonly format: WireFormat;
  readonly permissions: Permissions;
  readonly groups = new SmallSet<GroupName>();
  outbox: Outbox;
  sink: FrameSink;
  /** Unconfirmed messages of a reliable client; null for every other. */
  readonly replay: ReplayBuffer | null;
  /** Calls off the end of a reliable connection without a socket; null while it has one. Owned by `Service`. */
  cancelExpiry: (() => void) | null = null;
  upstreamSession: object | null;
  /** The user event that is waiting for its handler; aborted when the connection ends. */
  pendingEvent: Cancellation | null = null;
  /** Invocations that wait for their handler; null until there was one. */
  invocations: PendingInvocations | null = null;
  /** Streams it publishes; null until there was one. Owned by `Service`. */
  streams: Streams | null = null;
  /** Calls off the cut that is due when a closing client takes too long; owned by `Service`. */
  cancelAbort: (() => void) | null = null;
  /** False from the moment the connection is over for everybody else. */
  isOpen = true;
  /** Keep-alive tick at which the client was last heard; owned by `KeepAlive`. */
  lastHeardTick = 0;
  /** Keep-alive slot it waits in, and the interval that put it there; owned by `KeepAlive`. */
  keepAliveSlot = 0;
  keepAliveSeconds = 0;
  #events = 1;
  #acks: AckMemory | null = null;

  constructor(
    init: ConnectionInit,
    sink: FrameSink,
    parts: { readonly flusher: Flusher; readonly replays: ReplayTotals },
  ) {
    this.hub = init.hub;
    this.id = init.id;
    this.userId = init.userId;
    this.subprotocol = init.subprotocol;
    this.requestHost = init.requestHost;
    this.callerAddress = init.callerAddress;
    this.format = init.format;
    this.permissions = new Permissions(init.roles);
    this.sink = sink;
    this.outbox = new Outbox(parts.flusher, sink);
    this.replay = init.format.encoder.stamp === null ? null : new ReplayBuffer(parts.replays);
    this.upstreamSession = init.upstreamSession;
  }

  get connectionId(): string {
    return this.id;
  }

  get protocol(): string | null {
    return this.subprotocol;
  }

  get acks(): AckMemory {
    return (this.#acks ??= new AckMemory());
  }

  /** `connect` was 0, asked or not, so the first id here is 1 (E-26). */
  takeEventId(): number {
    const id = this.#events;
    this.#events += 1;
    return id;
  }

  /** Calls off everything that waits for an event handler: the connection is over. */
  abortEvents(): void {
    this.pendingEvent?.abort();
    this.invocations?.cancelAll();
  }

  /** Whether it waits for its client to come back. */
  get isDetached(): boolean {
    return this.cancelExpiry !== null;
  }

  /**
   * Queues a data message, as its format's `message` encoded it. Of a reliable connection it is numbered and kept, with or
   * without a socket. Returns the bound that was reached, queueing nothing; null when all is well.
   */
  push(frame: Frame, expiresAt: number | null, limits: PushLimits): "outboxFull" | "replayFull" | null {
    const { stamp } = this.format.encoder;
    if (stamp === null || this.replay === null)
      return this.outbox.push(frame, expiresAt, limits.outbox) ? null : "outboxFull";
    const sequenceId = this.replay.add(frame, expiresAt, limits);
    if (sequenceId === null) return "replayFull";
    if (this.isDetached) return null;
    return this.outbox.push(stamp(frame, sequenceId), expiresAt, limits.outbox) ? null : "outboxFull";
  }

  /** Queues a control message, if the protocol shows it. False: the outbox is full. */
  pushControl(control: OutboundControl, limits: OutboxLimits): boolean {
    const frame = this.format.encoder.control(control);
    return frame === null || this.outbox.push(frame, null, limits);
  }
}
