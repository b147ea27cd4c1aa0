import type { Metadata, Payload } from "../../core/payload.ts";
import type { EventSource } from "../../core/ports.ts";

/** Headers that all events of a connection share, ready to be sent. */
export interface ConnectionHeaders {
  readonly list: readonly string[];
  /** Whether all are ASCII, so that a text body may be written together with them. */
  readonly isAscii: boolean;
}

/** What distinguishes one event. */
export interface EventFacts {
  /** Full `ce-type`. */
  readonly type: string;
  readonly eventName: string;
  readonly id: number;
  readonly timeMs: number;
  readonly contentType: string;
  /** Null: no state was ever set. */
  readonly connectionState: string | null;
  readonly requestId: string;
  readonly cookie: string | null;
  readonly metadata: Metadata | null;
}

const safe = /^[\t\x20-\x7e]*$/;
const metadataPrefix = "x-webpubsub-metadata-";

/**
 * Builds the headers of a connection; null if one of them cannot be sent, which fails every event of it.
 *
 * The user id may be any text and goes out as raw UTF-8 bytes, which the runtime takes as a Latin-1 string; every other
 * header must be ASCII. `subprotocol` is that of the connection, null while connecting.
 * @spec E-23 E-28 E-31
 */
export function connectionHeaders(
  source: Pick<EventSource, "hub" | "id" | "userId" | "subprotocol">,
  facts: { readonly origin: string; readonly signature: string | null; readonly userAgent: string },
): ConnectionHeaders | null {
  const { hub, id, userId, subprotocol } = source;
  const list = [
    "WebHook-Request-Origin",
    facts.origin,
    "ce-specversion",
    "1.0",
    "ce-awpsversion",
    "1.0",
    "ce-source",
    `/hubs/${hub}/client/${id}`,
    "ce-connectionId",
    id,
    "ce-hub",
    hub,
    "User-Agent",
    facts.userAgent,
  ];
  if (facts.signature !== null) list.push("ce-signature", facts.signature);
  if (subprotocol !== null && subprotocol !== "") list.push("ce-subprotocol", subprotocol);
  for (const text of list) if (!safe.test(text)) return null;
  if (userId === null) return { list, isAscii: true };
  if (safe.test(userId)) return { list: [...list, "ce-userId", userId], isAscii: true };
  const bytes = Buffer.from(userId, "utf8").toString("latin1");
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(bytes)) return null;
  return { list: [...list, "ce-userId", bytes], isAscii: false };
}

/** All headers of one event except `Host`, `Content-Length` and `Authorization`; null if one cannot be sent (E-29). */
export function eventHeaders(connection: ConnectionHeaders, facts: EventFacts): readonly string[] | null {
  const { type, eventName, connectionState, cookie, metadata } = facts;
  if (!safe.test(eventName) || (connectionState !== null && !safe.test(connectionState))) return null;
  const list = [
    ...connection.list,
    "Content-Type",
    facts.contentType,
    "ce-type",
    type,
    "ce-id",
    String(facts.id),
    "ce-time",
    eventTime(facts.timeMs),
    "ce-eventName",
    eventName,
    "x-ms-client-request-id",
    facts.requestId,
  ];
  if (connectionState !== null) list.push("ce-connectionState", connectionState);
  if (cookie !== null) list.push("Cookie", cookie);
  if (metadata !== null && !addMetadata(list, metadata)) return null;
  return list;
}

/** Keys are lower-cased; of keys equal ignoring case the last counts, since a header must not be repeated (E-55). */
function addMetadata(list: string[], metadata: Metadata): boolean {
  const byKey = new Map<string, string>();
  for (const [key, value] of metadata) {
    if (!safe.test(value)) return false;
    byKey.set(key.toLowerCase(), value);
  }
  for (const [key, value] of byKey) list.push(metadataPrefix + key, value);
  return true;
}

/** `yyyy-MM-ddTHH:mm:ssZ` (E-27). */
function eventTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Size of a body on the wire. */
export function bodySize(body: string | Uint8Array): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** Content type and body of a payload; JSON is the source text as it came (E-53, E-54). */
export function payloadBody(payload: Payload): { readonly contentType: string; readonly body: string | Uint8Array } {
  switch (payload.kind) {
    case "text":
      return { contentType: "text/plain; charset=utf-8", body: payload.text };
    case "json":
      return { contentType: "application/json", body: payload.source };
    case "binary":
      return { contentType: "application/octet-stream", body: payload.bytes };
    case "protobuf":
      return { contentType: "application/x-protobuf", body: payload.any };
  }
}
