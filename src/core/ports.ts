import type { CancelSignal } from "./cancellation.ts";
import type { Ending } from "./endings.ts";
import type { FollowedDelivery, MessageTrace, ReceivedMessage } from "./message-trace.ts";
import type { ConnectionId, EventName, GroupName, HubName, UserId } from "./names.ts";
import type { NodeAnswer, NodeCommand } from "./operations.ts";
import type { AckError, Encoder, Frame } from "./outbound.ts";
import type { Metadata, Payload } from "./payload.ts";
import type { Publication } from "./publication.ts";

/** Wall clock in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** Timers and the end of the event-loop turn. Callbacks run once and must not throw. */
export interface Scheduler {
  /** Runs `callback` after the I/O of the current event-loop turn; never before the caller returned. */
  afterTurn(callback: () => void): void;
  /** Runs `callback` every `ms` milliseconds until the returned function is called. */
  every(ms: number, callback: () => void): () => void;
  /** Runs `callback` once after `ms` milliseconds unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** Source of connection ids: unguessable, URL-safe, unique in the deployment, carrying this node's id (C-24). */
export interface IdSource {
  connectionId(): ConnectionId;
}

/**
 * The physical WebSocket of a connection. Owned by the transport; calls after the socket closed are ignored.
 */
export interface FrameSink {
  /**
   * Writes frames in order with as few system calls as possible and returns how many were taken; fewer than given means
   * the socket is full and `SocketEvents.drained` will be called. A taken frame may still be waiting in the socket.
   */
  write(frames: readonly Frame[]): number;
  /** Bytes taken but not yet handed to the operating system. */
  readonly bufferedBytes: number;
  ping(): void;
  /** Starts the closing handshake behind everything taken so far. `SocketEvents.closed` follows. */
  close(code: number, reason: string): void;
  /** Cuts the socket without a close frame; the client sees 1006. `SocketEvents.closed` follows. */
  abort(): void;
}

/** What the transport reports of one socket; called in order, never after `closed`. */
export interface SocketEvents {
  frame(frame: Frame): void;
  /** The socket takes frames again. */
  drained(): void;
  /** A ping or pong arrived: the client is alive. */
  alive(): void;
  /** 1005: close frame without code, 1006: no close frame; 1002, 1007, 1009: what the client sent was refused. */
  closed(code: number, reason: string): void;
}

/** A WebSocket upgrade request, after the front door (path base stripped, caller resolved, network rules applied). */
export interface UpgradeRequest {
  /** Path and query exactly as on the request line, without path base. */
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
  readonly caller: Caller;
  /** False: not a WebSocket upgrade, which the client endpoint answers with 400. */
  readonly isUpgrade: boolean;
  /** Aborted when the client gives up before it was answered. */
  readonly signal: CancelSignal;
}

/** Who sends a request, as resolved by the front door. */
export interface Caller {
  /** Address of the client; the forwarded one when the peer is a trusted proxy (M-33). */
  readonly address: string;
  /** Scheme, and host with port, as the caller sees them (R-77, M-39). */
  readonly scheme: "http" | "https";
  readonly host: string;
  /** Hosts (with port) that an audience may name besides the configured public endpoints (rest-api 4.4). */
  readonly audienceHosts: readonly string[];
  /** Client certificate as `{thumbprint, content}` for the connect event, null without one (M-35). */
  readonly certificate: { readonly thumbprint: string; readonly content: string } | null;
}

export type UpgradeDecision =
  | {
      readonly accept: true;
      /** Value of `Sec-WebSocket-Protocol` in the answer, null for none. */
      readonly subprotocol: string | null;
      /** Set for sockets of application servers: they have a limit of their own, and their traffic is not that of clients. */
      readonly serverSocket?: { readonly maxMessageBytes: number };
      /** Called once, synchronously, when the socket is open; frames written in it precede everything else. */
      open(sink: FrameSink): SocketEvents;
      /** Called instead of `open` when the socket could not be opened any more (the client is gone). */
      abandoned(): void;
    }
  | {
      readonly accept: false;
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** What the transport calls for a WebSocket upgrade; implemented by the gateway. Never rejects. */
export interface Endpoint {
  upgrade(request: UpgradeRequest): Promise<UpgradeDecision>;
}

/**
 * The link to the other nodes of a cluster. The in-process implementation has no other nodes and costs nothing.
 * A publication is handed to the others at most once, never back to this node; with the link down, the answer is "down"
 * and the caller refuses what it could not do (K-6). Only plain data crosses: a filter travels as its text. Closed by
 * the composition root.
 */
export interface Backplane {
  /** Hands a publication to all other nodes with interest; done when the link has taken it. */
  publish(publication: Publication): "done" | Promise<"done" | "down">;
  /** Carries out a command on the node that owns the connection; a node that is gone answers `unknown` (K-5). */
  ask(owner: string, command: NodeCommand): Promise<NodeAnswer | "down">;
  /** Asks all other live nodes and returns every answer; none when there are no others. */
  askAll(command: NodeCommand): Promise<readonly NodeAnswer[] | "down">;
}

/** The connection an event is about, as the event handlers see it. A `Connection` satisfies it. */
export interface EventSource {
  readonly hub: HubName;
  readonly id: ConnectionId;
  readonly userId: UserId | null;
  /** Negotiated subprotocol; null while connecting and for simple clients without one (E-31). */
  readonly subprotocol: string | null;
  /** Host the client dialled, without port; the default origin of event requests (event-handlers 3.4). */
  readonly requestHost: string;
  /** Next event id: `connect` is 0, then counted in dispatch order whether or not anybody listens (E-26). */
  takeEventId(): number;
  /** Slot that the upstream room owns: connection state, cookies. Carried from `connect` over to the connection. */
  upstreamSession: object | null;
}

/** What the `connect` event tells about the handshake (event-handlers 6.1). */
export interface ConnectEvent {
  readonly claims: Readonly<Record<string, readonly string[]>>;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly subprotocols: readonly string[];
  readonly clientCertificates: readonly { readonly thumbprint: string; readonly content: string }[];
}

export type ConnectOutcome =
  | {
      readonly kind: "accepted";
      /** undefined: keep the token's; `""` clears the user (E-38). */
      readonly userId: string | undefined;
      readonly roles: readonly string[] | undefined;
      /** undefined: keep the token's; never empty. */
      readonly groups: readonly GroupName[] | undefined;
      readonly subprotocol: string | undefined;
    }
  /** The status goes to the client before the upgrade (E-42, E-43); `body` is empty unless configured otherwise. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string };

export type UserEventOutcome =
  | { readonly kind: "unhandled" }
  /** Event listeners have it, and no handler wants it: a success without a reply (C-65, E-85). */
  | { readonly kind: "heard" }
  | { readonly kind: "failed" }
  /** The handler answered; `reply` is null when it has nothing to say to the client. */
  | {
      readonly kind: "handled";
      readonly reply: { readonly payload: Payload; readonly metadata: Metadata | null } | null;
    };

export interface UserEvent {
  readonly event: EventName;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  /** The message that it came with; null: nobody follows it. */
  readonly trace: MessageTrace | null;
}

/**
 * The application side that receives events. Blocking events resolve, never reject; notifications are queued, bounded,
 * and retried; their failures are logged. Per connection: `disconnected` is dispatched after `connected` was sent.
 * Self-contained against slow handlers: nothing here blocks the delivery path.
 */
export interface Upstream {
  /** Whether some handler of the hub wants `connect`; false lets the handshake skip building the event. */
  wantsConnect(hub: HubName): boolean;
  /** Asks the handler before the upgrade; with none, accepted with everything kept. Aborting the signal ends the request. */
  connect(source: EventSource, event: ConnectEvent, signal: CancelSignal): Promise<ConnectOutcome>;
  connected(source: EventSource): void;
  disconnected(source: EventSource, reason: string): void;
  /**
   * Queues a user event for all matching listeners, sends it to the first matching handler and waits for its answer
   * (event-handlers 7.3, 7.4).
   */
  userEvent(source: EventSource, event: UserEvent, signal: CancelSignal): Promise<UserEventOutcome>;
  /** Whether a membership change of this hub is worth reporting; cheap, called on every join and leave. */
  wantsPresence(hub: HubName): boolean;
  presence(source: EventSource, change: "joined" | "left", group: GroupName): void;
}

/**
 * Where the service reports what happens. Implementations must be cheap and must not throw; they never see a key, a
 * token or a payload.
 */
export interface Telemetry {
  connectionOpened(connection: ConnectionFacts): void;
  connectionEnded(connection: ConnectionFacts, ending: Ending): void;
  /** A WebSocket handshake was answered with this status. */
  handshake(status: number, clientType: "WebPubSub" | "MQTT" | "SocketIO"): void;
  inbound(bytes: number): void;
  /** `messages`: each frame counted by `billedMessages`. */
  outbound(bytes: number, messages: number): void;
  log(level: LogLevel, event: string, fields: LogFields): void;
  /** Told of single messages while somebody wants to know; null: nobody does, and nothing is to be computed for it. */
  readonly messages: MessageTelemetry | null;
}

/** What happens to messages, one by one. As `Telemetry`, but neither cheap nor there most of the time. */
export interface MessageTelemetry {
  /** The clock of `MessageTrace`. */
  now(): number;
  /** A request begins; what carries a message of it further is joined to what this returns. */
  arrived(): MessageTrace;
  /** The request carries a message. */
  received(trace: MessageTrace, message: ReceivedMessage): void;
  /** A publication is handed to these connections of this node; returns those to which it is to be followed. */
  published<Recipient extends ConnectionFacts>(
    publication: Publication,
    recipients: Iterable<Recipient>,
  ): readonly FollowedDelivery<Recipient>[];
  /** The answer of an event handler is handed to the client that sent the event; null: it is not to be followed. */
  answered<Recipient extends ConnectionFacts>(
    trace: MessageTrace,
    recipient: Recipient,
  ): FollowedDelivery<Recipient> | null;
  groupChanged(connection: ConnectionFacts, change: "joined" | "left", group: GroupName): void;
  /** No event handler takes this user event. */
  eventUnhandled(connection: ConnectionFacts, event: EventName, trace: MessageTrace | null): void;
  /** A request of a client was refused. */
  refused(connection: ConnectionFacts, error: AckError, trace: MessageTrace | null): void;
}

export type LogLevel = "debug" | "info" | "warning" | "error";
/** Values are printed as they are; callers never pass secrets. `message` is a sentence. */
export type LogFields = { readonly message: string } & Readonly<Record<string, string | number | boolean | null>>;

export interface ConnectionFacts {
  /** Address of the client, forwarded ones resolved. */
  readonly callerAddress: string;
  readonly hub: HubName;
  readonly id: ConnectionId;
  readonly userId: UserId | null;
  readonly subprotocol: string | null;
}

/** What a codec's connection speaks, as core needs it. */
export interface WireFormat {
  readonly encoder: Encoder;
  /** Simple clients have no ack and no error message: what fails closes them (client-protocols 15). */
  readonly answersFaults: boolean;
}
