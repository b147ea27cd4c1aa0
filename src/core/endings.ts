/** Why a service metric says a connection ended (management 15). */
export type CloseCategory =
  | "Normal"
  | "Throttled"
  | "SendEventFailed"
  | "EventHandlerNotFound"
  | "SlowClient"
  | "ServiceTransientError"
  | "BadRequest"
  | "ServiceReload"
  | "ClosedByAppServer"
  | "PingTimeout";

/** How one kind of ending looks to the client, to event handlers and in the metrics. */
export interface EndingRow {
  /** WebSocket close code; null: the socket is cut without a close frame. */
  readonly code: number | null;
  /** Close reason on the wire, at most 123 UTF-8 bytes. */
  readonly reason: string;
  /** Whether a PubSub client gets `system/disconnected` first (client-protocols 11). */
  readonly announce: boolean;
  readonly category: CloseCategory;
  readonly spec: string;
}

/**
 * The endings the service starts, one row per cause (client-protocols 11). `reason` is also the text of the
 * `disconnected` event; where it is empty, and in `system/disconnected`, an ending's own text takes its place.
 */
export const endings = {
  closedByServer: { code: 1000, reason: "", announce: true, category: "ClosedByAppServer", spec: "C-92 R-81" },
  invalidJsonMessage: {
    code: 1007,
    reason: "The client message is not a valid JSON protocol message.",
    announce: true,
    category: "BadRequest",
    spec: "C-57",
  },
  textRequired: {
    code: 1003,
    reason: "The JSON subprotocol requires text messages.",
    announce: true,
    category: "BadRequest",
    spec: "C-61",
  },
  invalidProtobufMessage: {
    code: 1007,
    reason: "The client message is not a valid protobuf.webpubsub.azure.v1 protocol message.",
    announce: true,
    category: "BadRequest",
    spec: "C-87",
  },
  binaryRequired: {
    code: 1003,
    reason: "The protobuf.webpubsub.azure.v1 subprotocol requires binary messages.",
    announce: true,
    category: "BadRequest",
    spec: "C-61",
  },
  sendToGroupForbidden: {
    code: 1008,
    reason: "The connection is not authorized for raw sendToGroup mode.",
    announce: false,
    category: "BadRequest",
    spec: "C-66",
  },
  eventFailed: {
    code: 1011,
    reason: "The event handler failed.",
    announce: false,
    category: "SendEventFailed",
    spec: "C-65 E-63",
  },
  eventUnhandled: {
    code: 1011,
    reason: "No event handler is configured.",
    announce: false,
    category: "EventHandlerNotFound",
    spec: "C-65 E-64",
  },
  outboxFull: {
    code: 1008,
    reason: "The outbound message queue is full.",
    announce: false,
    category: "SlowClient",
    spec: "C-94 H-35",
  },
  replayFull: {
    code: 1008,
    reason: "The reliable message buffer is full.",
    announce: true,
    category: "SlowClient",
    spec: "C-81",
  },
  recoveryTimeout: {
    code: null,
    reason: "The connection recovery timeout expired.",
    announce: false,
    category: "PingTimeout",
    spec: "E-51",
  },
  inboxFull: {
    code: 1008,
    reason: "The inbound message queue is full.",
    announce: true,
    category: "Throttled",
    spec: "ours",
  },
  messageQuota: {
    code: 1008,
    reason: "Message count reaches limit",
    announce: true,
    category: "Throttled",
    spec: "management 12",
  },
  pingTimeout: {
    code: null,
    reason: "The connection timed out.",
    announce: false,
    category: "PingTimeout",
    spec: "C-93",
  },
  shutdown: { code: 1001, reason: "Service is restarting.", announce: true, category: "ServiceReload", spec: "H-39" },
  internalError: {
    code: 1011,
    reason: "Internal server error",
    announce: true,
    category: "ServiceTransientError",
    spec: "ours",
  },
} as const satisfies Record<string, EndingRow>;

export type EndingCause = keyof typeof endings;

/** Why a connection is over: the service closed it, or its socket closed from the other side. */
export type Ending =
  | { readonly by: "service"; readonly cause: EndingCause; readonly text: string | null }
  | { readonly by: "socket"; readonly code: number; readonly reason: string };
