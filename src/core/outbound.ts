import type { AckId, ConnectionId, GroupName, UserId } from "./names.ts";
import type { Metadata, Payload } from "./payload.ts";

/** One WebSocket message: text as a string, binary as bytes. */
export type Frame = string | Uint8Array;

/** A data message as every protocol shows it; the only kind of outbound that is fanned out and sequenced. */
export interface OutboundMessage {
  /**
   * `fromUserId`: the publisher's user, null for a client without one, undefined when the publisher was REST and the
   * field is left out (C-37, R-53).
   */
  readonly from:
    | { readonly kind: "group"; readonly group: GroupName; readonly fromUserId: UserId | null | undefined }
    | { readonly kind: "server" };
  readonly payload: Payload;
  /** null or non-empty. */
  readonly metadata: Metadata | null;
}

/** Everything else a client can be sent: never fanned out, never sequenced, lost when the socket drops. */
export type OutboundControl =
  | {
      readonly kind: "connected";
      readonly connectionId: ConnectionId;
      readonly userId: UserId | null;
      /** Proof to recover the connection; null where the protocol knows no recovery (C-24, C-70). */
      readonly reconnectionToken: string | null;
    }
  | { readonly kind: "disconnected"; readonly message: string }
  | { readonly kind: "ack"; readonly ackId: AckId; readonly error: AckError | null }
  | { readonly kind: "pong" };

/** The `error` of a negative ack (client-protocols 6.5). */
export interface AckError {
  readonly name: "Forbidden" | "Duplicate" | "InternalServerError" | "BadRequest";
  readonly message: string;
}

/**
 * Turns outbound values into frames. One object per wire format, shared by all connections that speak it: its identity
 * is the key of encode-once. Pure, never throws.
 */
export interface Encoder {
  /** Encodes a data message once for all recipients of a fan-out; of a reliable format the part that `stamp` completes. */
  message(message: OutboundMessage): Frame;
  /** Completes a data message with the number it has for one recipient; null: the format has no numbers. */
  readonly stamp: ((message: Frame, sequenceId: number) => Frame) | null;
  /** Encodes a control message; null when the protocol shows nothing for it (simple clients, C-26). */
  control(control: OutboundControl): Frame | null;
}
