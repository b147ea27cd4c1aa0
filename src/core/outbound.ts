import type { GroupStateItem } from "./group-state.ts";
import type { AckId, ConnectionId, GroupName, UserId } from "./names.ts";
import type { Metadata, Payload } from "./payload.ts";

/** One WebSocket message: text as a string, binary as bytes. */
export type Frame = string | Uint8Array;

/** A message to a group or a client as every protocol shows it; fanned out and sequenced. */
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
  /** The place in a stream to the group; null: a message of its own. */
  readonly stream: StreamPart | null;
}

/** One message of a stream (client-protocols 7.2). */
export interface StreamPart {
  readonly streamId: string;
  /** 1, 2, 3 … within the stream, not to be confused with the number a reliable recipient gets. */
  readonly sequenceId: number;
  /** null: a fragment; otherwise the last message, whose payload is empty. */
  readonly end: { readonly error: StreamError | null } | null;
}

/** Why a stream ended early, as its subscribers see it. */
export interface StreamError {
  readonly name: "UserError" | "IdleTimeout" | "InternalServerError" | "Forbidden" | "Cancelled";
  readonly message: string | null;
  /** Only of a `UserError`. */
  readonly userErrorCode: string | null;
}

/** States of members of a group for one that subscribed to them; sequenced like a message (client-protocols 7.3). */
export interface GroupStateMessage {
  readonly kind: "snapshot" | "update";
  readonly group: GroupName;
  readonly items: readonly GroupStateItem[];
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
  | { readonly kind: "pong" }
  | { readonly kind: "invokeResponse"; readonly invocationId: string; readonly outcome: InvokeOutcome }
  /** All fragments before `expected` are accepted. */
  | { readonly kind: "streamAck"; readonly streamId: string; readonly expected: number }
  | {
      readonly kind: "streamNack";
      readonly streamId: string;
      readonly expected: number;
      readonly name: "InvalidSequenceId";
      readonly message: string;
    }
  | { readonly kind: "streamClosed"; readonly streamId: string; readonly error: StreamClosedError | null };

/** What became of an invocation; `reply` is null when the handler had nothing to say. */
export type InvokeOutcome =
  | { readonly kind: "handled"; readonly reply: Payload | null }
  | {
      readonly kind: "failed";
      readonly name: "NotFound" | "InternalServerError" | "BadRequest" | "Duplicate";
      readonly message: string;
    };

/** Why a stream is over, as its publisher sees it. */
export interface StreamClosedError {
  readonly name: "StreamNotFound" | "Forbidden" | "BadRequest" | "InternalServerError" | "IdleTimeout";
  readonly message: string;
}

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
  /**
   * Encodes a data message once for all recipients of a fan-out; of a reliable format the part that `stamp` completes.
   * null: the protocol shows nothing for it (simple clients and the end of a stream).
   */
  message(message: OutboundMessage): Frame | null;
  /** The same for group states; null when the protocol has no such message. */
  groupState(message: GroupStateMessage): Frame | null;
  /** Completes a data message with the number it has for one recipient; null: the format has no numbers. */
  readonly stamp: ((message: Frame, sequenceId: number) => Frame) | null;
  /** Encodes a control message; null when the protocol shows nothing for it (simple clients, C-26). */
  control(control: OutboundControl): Frame | null;
}
