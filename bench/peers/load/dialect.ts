import type { Endpoint } from "../../load/job.ts";

/** What a client received so far, in messages of its protocol (not in WebSocket frames: some servers put many in one). */
export interface Tally {
  /** Messages of the group. */
  deliveries: number;
  /** Everything else that is waited for: greetings and acknowledgements. */
  answers: number;
  /** Pings of the protocol itself; each wants an answer. */
  pings: number;
}

/**
 * Counts messages in the payloads of a server's data frames, however they are cut into pieces. It looks at no more
 * than it needs to tell messages apart; whether all that was sent has arrived is for the load to check.
 */
export interface Scanner {
  readonly tally: Tally;
  /** The next piece: `data` from `from` up to `to`. */
  payload(data: Buffer, from: number, to: number): void;
  /** A WebSocket message ends behind the last piece. */
  messageEnded(): void;
}

/** Who a client is. */
export interface ClientRole {
  readonly id: number;
  /** The group it is a member of; null: it only publishes. */
  readonly group: string | null;
  /** Whether what it publishes is acknowledged. */
  readonly isAcknowledged: boolean;
}

/** Something a client says while it gets ready, and how many answers it then waits for. */
export interface Greeting {
  readonly frame: Buffer | null;
  readonly answers: number;
}

/** A message as a client publishes it. */
export interface Publish {
  readonly group: string;
  readonly text: string;
  /** Number of the message, unique within its connection. */
  readonly id: number;
  readonly isAcknowledged: boolean;
}

/** The wire protocol of a peer's clients, as far as the load needs it. */
export interface Dialect {
  /** Bytes of the upgrade request. */
  upgrade(endpoint: Endpoint, role: ClientRole): Buffer;
  /** What follows until the client is connected and a member. */
  greetings(role: ClientRole): readonly Greeting[];
  scanner(): Scanner;
  /** A masked frame that publishes. */
  publish(message: Publish): Buffer;
  /** Answer to a ping of the protocol; null: there is none. */
  readonly pong: Buffer | null;
}

/** A tally at its beginning. */
export function emptyTally(): Tally {
  return { deliveries: 0, answers: 0, pings: 0 };
}

/** An upgrade request without a token. */
export function plainUpgrade(port: number, path: string, subprotocol: string | null): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}
