/** Wire protocols there is a client for. */
export type DialectName = "tidewire" | "ws" | "socket.io" | "nats" | "mqtt" | "centrifugo";

/** What is asked of every peer alike. */
export type PeerLoad =
  /** Deliveries: one more client publishes bursts of `inFlight`; the next when all members have all of the last. */
  | {
      readonly kind: "fanOut";
      readonly members: number;
      readonly inFlight: number;
      readonly textLength: number;
    }
  /**
   * Acknowledged messages: every member publishes to its group, one message at a time, the next when the acknowledgement
   * is there. All members get it, the publisher as well; a pause ends when they have.
   */
  | {
      readonly kind: "smallGroups";
      readonly groups: number;
      readonly members: number;
      readonly textLength: number;
    }
  /** Members of one group that do nothing. */
  | { readonly kind: "idle"; readonly connections: number };

/** A load spoken in a peer's protocol. */
export interface PeerWorkload {
  readonly kind: "peer";
  readonly dialect: DialectName;
  readonly load: PeerLoad;
}
