import type { Metadata, Payload } from "../../core/payload.ts";
import { bodySize, payloadBody } from "../webhooks/headers.ts";

/** One event on its way to event listeners: everything a message is made from, fixed when the event was dispatched. */
export interface ListenerEvent {
  readonly hub: string;
  readonly connectionId: string;
  readonly userId: string | null;
  readonly subprotocol: string | null;
  readonly connectionState: string | null;
  readonly kind: "sys" | "user";
  readonly event: string;
  /** Shared with the event handler's copy (event-handlers 4.3). */
  readonly id: number;
  readonly timeMs: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly metadata: Metadata | null;
  /** Body and an allowance for the rest; what the queue's bound counts. */
  readonly size: number;
}

/** Ours: attributes and bookkeeping of an event, beside its body. */
const fixedSize = 512;

/** Completes an event with its size. */
export function sizedEvent(event: Omit<ListenerEvent, "size">): ListenerEvent {
  let size = fixedSize + bodySize(event.body) + (event.userId?.length ?? 0) + (event.connectionState?.length ?? 0);
  for (const [key, value] of event.metadata ?? []) size += key.length + value.length;
  return { ...event, size };
}

/** The bytes of a body, the same as in the request to an event handler. */
export function bodyBytes({ body }: ListenerEvent): Buffer {
  return typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** Content type and body of a payload for listeners, where text has no charset (event-handlers 12). */
export function listenerBody(payload: Payload): { readonly contentType: string; readonly body: string | Uint8Array } {
  return payload.kind === "text" ? { contentType: "text/plain", body: payload.text } : payloadBody(payload);
}

/** `{connectionId}/{id}`: the same for every copy of an event, so that receivers can tell repetitions. */
export function messageId(event: Pick<ListenerEvent, "connectionId" | "id">): string {
  return `${event.connectionId}/${event.id}`;
}

/**
 * The CloudEvents attributes by their lower-case names, in the order of the specification; user, subprotocol and state
 * only where they are not empty. `datacontenttype` is left to the sink.
 * @spec E-84 E-87
 */
export function attributesOf(event: ListenerEvent): readonly (readonly [name: string, value: string])[] {
  const list: (readonly [string, string])[] = [
    ["specversion", "1.0"],
    ["awpsversion", "1.0"],
    ["type", `azure.webpubsub.${event.kind}.${event.event}`],
    ["source", `/hubs/${event.hub}/client/${event.connectionId}`],
    ["id", String(event.id)],
    ["time", `${new Date(event.timeMs).toISOString().slice(0, 19)}Z`],
    ["hub", event.hub],
    ["eventname", event.event],
    ["connectionid", event.connectionId],
  ];
  const optional = [
    ["userid", event.userId],
    ["subprotocol", event.subprotocol],
    ["connectionstate", event.connectionState],
  ] as const;
  for (const [name, value] of optional) if (value !== null && value !== "") list.push([name, value]);
  return list;
}

/** Metadata as properties named `x-webpubsub-metadata-{lower key}`; of keys equal ignoring case the last counts. */
export function metadataProperties(event: ListenerEvent): ReadonlyMap<string, string> {
  const byName = new Map<string, string>();
  for (const [key, value] of event.metadata ?? []) byName.set(`x-webpubsub-metadata-${key.toLowerCase()}`, value);
  return byName;
}
