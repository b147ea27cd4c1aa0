import type { AckId, EventName, GroupName } from "./names.ts";
import type { Metadata, Payload } from "./payload.ts";

/** A decoded request of a client. Names, sizes and types were checked by the codec; nothing here is checked again. */
export type Command =
  | { readonly kind: "joinGroup"; readonly group: GroupName; readonly ackId: AckId | null }
  | { readonly kind: "leaveGroup"; readonly group: GroupName; readonly ackId: AckId | null }
  | SendToGroup
  | SendEvent
  | { readonly kind: "ping" }
  | { readonly kind: "sequenceAck"; readonly sequenceId: AckId };

export interface SendToGroup {
  readonly kind: "sendToGroup";
  readonly group: GroupName;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  readonly noEcho: boolean;
  /** 0..300; 0: never expires (C-50). */
  readonly ttlSeconds: number;
  readonly ackId: AckId | null;
}

export interface SendEvent {
  readonly kind: "event";
  readonly event: EventName;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  readonly ackId: AckId | null;
}
