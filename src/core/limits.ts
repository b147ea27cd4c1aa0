/** Bounds of one service; every one is configurable (client-protocols 13, management 12). */
export interface Limits {
  /** Biggest client message in bytes, all fragments together (C-62). */
  readonly maxMessageBytes: number;
  /** Frames and bytes that may wait for a connection whose socket is full; beyond, it is closed (C-94, H-35). */
  readonly outboundQueue: { readonly messages: number; readonly bytes: number };
  /** Frames and bytes of one client that may wait behind a running user event; beyond, it is closed. Ours. */
  readonly inboundQueue: { readonly messages: number; readonly bytes: number };
  /** What a reliable connection may leave unconfirmed, and how long it waits for its client (client-protocols 8). */
  readonly reliable: { readonly recoveryMs: number; readonly messages: number; readonly bytes: number };
  /** Streams that one connection may have open, and invocations that may wait for their handler. Ours. */
  readonly openStreams: number;
  readonly pendingInvocations: number;
  /** Size of one group state, its keys and values in UTF-8, and items of one snapshot (client-protocols 7.3). */
  readonly groupState: { readonly bytes: number; readonly items: number };
  /** Successful ack ids remembered per connection (C-35). */
  readonly ackIds: number;
  /** Literal groups and patterns per action and connection (client-protocols 4.2, R-93). */
  readonly permissionLiterals: number;
  readonly permissionPatterns: number;
  /** Connections over all hubs; 0: unlimited (M-44). */
  readonly maxConnections: number;
  /** Time a closing connection gets to take what is queued, in milliseconds (client-protocols 11). */
  readonly closeDrainMs: number;
}

export const defaultLimits: Limits = {
  maxMessageBytes: 1_048_576,
  outboundQueue: { messages: 1000, bytes: 16_777_216 },
  inboundQueue: { messages: 1000, bytes: 16_777_216 },
  reliable: { recoveryMs: 30_000, messages: 1000, bytes: 16_777_216 },
  openStreams: 100,
  pendingInvocations: 100,
  groupState: { bytes: 512, items: 200 },
  ackIds: 1000,
  permissionLiterals: 1000,
  permissionPatterns: 10,
  maxConnections: 0,
  closeDrainMs: 5000,
};
