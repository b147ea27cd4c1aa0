import type { GroupState } from "./group-state.ts";
import type { MessageTrace } from "./message-trace.ts";
import type { AckId, EventName, GroupName } from "./names.ts";
import type { Metadata, Payload } from "./payload.ts";

/** A decoded request of a client. Names, sizes and types were checked by the codec; nothing here is checked again. */
export type Command =
  | { readonly kind: "joinGroup"; readonly group: GroupName; readonly ackId: AckId | null }
  | { readonly kind: "leaveGroup"; readonly group: GroupName; readonly ackId: AckId | null }
  | SendToGroup
  | SendEvent
  | { readonly kind: "ping" }
  | { readonly kind: "sequenceAck"; readonly sequenceId: AckId }
  /** Valid, and nothing to do (client-protocols 7.1: a response of a client). */
  | { readonly kind: "ignored" }
  | Invoke
  | { readonly kind: "invokeProblem"; readonly invocationId: string; readonly message: string }
  | { readonly kind: "cancelInvocation"; readonly invocationId: string }
  | StreamStart
  | StreamData
  | { readonly kind: "streamKeepAlive"; readonly streamId: string }
  | StreamEnd
  | StreamProblem
  | SetGroupState
  | { readonly kind: "subscribeGroupState"; readonly group: GroupName; readonly ackId: AckId | null }
  | { readonly kind: "unsubscribeGroupState"; readonly group: GroupName; readonly ackId: AckId | null };

/** What may become of a request that carries a message. */
interface Traceable {
  /** There while somebody watches; codecs do not set it. */
  readonly trace?: MessageTrace;
}

export interface SendToGroup extends Traceable {
  readonly kind: "sendToGroup";
  readonly group: GroupName;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  readonly noEcho: boolean;
  /** 0..300; 0: never expires (C-50). */
  readonly ttlSeconds: number;
  readonly ackId: AckId | null;
}

export interface SendEvent extends Traceable {
  readonly kind: "event";
  readonly event: EventName;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  readonly ackId: AckId | null;
}

/** A user event whose answer is a response to this very request (client-protocols 7.1). */
export interface Invoke extends Traceable {
  readonly kind: "invoke";
  /** Chosen by the client; non-empty, at most `maxClientIdLength` long. */
  readonly invocationId: string;
  readonly event: EventName;
  /** Empty text when the client sent no data. */
  readonly payload: Payload;
  readonly metadata: Metadata | null;
}

/** Idle time-out of a stream that names none (client-protocols 7.2). */
export const defaultStreamIdleTimeoutMs = 300_000;

/** Opens a stream to a group; metadata, `noEcho` and `ttlSeconds` hold for each of its messages (client-protocols 7.2). */
export interface StreamStart {
  readonly kind: "streamStart";
  /** Chosen by the client; non-empty, at most `maxClientIdLength` long. */
  readonly streamId: string;
  readonly group: GroupName;
  readonly metadata: Metadata | null;
  readonly noEcho: boolean;
  readonly ttlSeconds: number;
  /** Above 0. */
  readonly idleTimeoutMs: number;
  readonly ackId: AckId | null;
}

/** One fragment of a stream. */
export interface StreamData extends Traceable {
  readonly kind: "streamData";
  readonly streamId: string;
  /** 1, 2, 3 …; inexact beyond 2^53, which no stream reaches. */
  readonly sequenceId: number;
  readonly payload: Payload;
}

export interface StreamEnd extends Traceable {
  readonly kind: "streamEnd";
  readonly streamId: string;
  /** Why the publisher gave up; null: it is complete. */
  readonly error: { readonly message: string | null; readonly userErrorCode: string | null } | null;
}

/** A stream frame that breaks the rules of its stream, not those of the protocol: it closes at most the stream. */
export interface StreamProblem {
  readonly kind: "streamProblem";
  /** As the client sent it, of any length. */
  readonly streamId: string;
  /** Whether it would have opened the stream: one that is open under this id is left alone then. */
  readonly opens: boolean;
  readonly message: string;
  /** Only with `opens`. */
  readonly ackId: AckId | null;
}

/** Replaces the state of a connection in a group; null clears it (client-protocols 7.3). */
export interface SetGroupState {
  readonly kind: "setGroupState";
  readonly group: GroupName;
  /** Distinct keys in sending order. */
  readonly state: GroupState | null;
  readonly ackId: AckId | null;
}
