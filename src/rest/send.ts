import type { Filter } from "../core/filter/filter.ts";
import type { ReceivedMessage } from "../core/message-trace.ts";
import type { ConnectionId } from "../core/names.ts";
import { lengthOf, type Payload } from "../core/payload.ts";
import type { Target } from "../core/publication.ts";
import { type BodyLength, checkBodyLength, readBytes, readText } from "./body.ts";
import type { Call } from "./call.ts";
import { chooseTextEncoding, parseContentType, type TextEncodingChoice } from "./content-type.ts";
import { badRequest, clusterDown, emptyReply, type Outcome, Problem } from "./errors.ts";
import { readMetadata } from "./metadata-headers.ts";
import { readConnectionId, readExcluded, readFilter, readGroup, readUserId } from "./parameters.ts";
import type { Query } from "./query.ts";

const maxTtlSeconds = 300;
const accepted = emptyReply(202);
const unsupportedMediaType = emptyReply(415);

/** Which of the optional parameters an operation has (rest-api 6); the others are unknown to it, hence ignored. */
interface Recipients {
  readonly target: Target;
  readonly excluded: ReadonlySet<ConnectionId> | null;
  readonly filter: string | null;
}

/**
 * WebPubSub_SendToAll: 202 when the message has been handed over, also with nobody there. Not idempotent.
 * @spec R-41 R-49 R-50 R-51
 */
export function sendToAll(call: Call): Outcome | Promise<Outcome> {
  const { query } = call;
  return send(call, { target: { kind: "hub" }, excluded: readExcluded(query), filter: query.text("filter") });
}

/** WebPubSub_SendToGroup: 202, also for an unknown group. */
export function sendToGroup(call: Call): Outcome | Promise<Outcome> {
  const group = readGroup(call);
  if (group instanceof Problem) return group;
  const { query } = call;
  return send(call, { target: { kind: "group", group }, excluded: readExcluded(query), filter: query.text("filter") });
}

/** WebPubSub_SendToUser: 202, also for an unknown user; reaches every connection of the user. */
export function sendToUser(call: Call): Outcome | Promise<Outcome> {
  const user = readUserId(call);
  if (user instanceof Problem) return user;
  return send(call, { target: { kind: "user", user }, excluded: null, filter: call.query.text("filter") });
}

/** WebPubSub_SendToConnection: 202, also for an unknown connection. */
export function sendToConnection(call: Call): Outcome | Promise<Outcome> {
  const id = readConnectionId(call);
  if (id instanceof Problem) return id;
  return send(call, { target: { kind: "connection", id }, excluded: null, filter: null });
}

function send(call: Call, recipients: Recipients): Outcome | Promise<Outcome> {
  const ttlSeconds = readTtlSeconds(call.query);
  if (ttlSeconds instanceof Problem) return ttlSeconds;
  const filter = readFilter(recipients.filter, call);
  if (filter instanceof Problem) return filter;
  const length = checkBodyLength(call.request.headers, call.services.maxBodyBytes);
  if (length instanceof Problem) return length;
  const format = readFormat(call.request.headers);
  if (format === null) return unsupportedMediaType;
  return publish(call, { ...recipients, filter, ttlSeconds, length, format });
}

interface Message extends Omit<Recipients, "filter"> {
  readonly filter: Filter | null;
  readonly ttlSeconds: number;
  readonly length: BodyLength;
  readonly format: Format;
}

async function publish(call: Call, message: Message): Promise<Outcome> {
  const { request, services, trace } = call;
  const { format, length } = message;
  const maxBytes = services.maxBodyBytes;
  const payload =
    format.kind === "binary"
      ? binaryPayload(await readBytes(request, length, maxBytes))
      : textPayload(await readText(request, length, { encoding: format.encoding, maxBytes }), format.kind);
  if (payload instanceof Problem) return payload;
  const metadata = readMetadata(request.headers);
  if (metadata instanceof Problem) return metadata;
  if (trace !== null) {
    const from = { id: null, hub: call.hub, callerAddress: call.caller.address };
    const size = lengthOf(payload);
    services.telemetry.messages?.received(trace, { from, ...describeTarget(message.target), size });
  }
  const outcome = services.operations.publish({
    hub: call.hub,
    target: message.target,
    payload,
    metadata,
    from: { kind: "server" },
    stream: null,
    excluded: message.excluded,
    filter: message.filter,
    expiresAt: message.ttlSeconds === 0 ? null : services.clock.now() + message.ttlSeconds * 1000,
    trace,
  });
  return (outcome === "done" ? outcome : await outcome) === "done" ? accepted : clusterDown();
}

function describeTarget(target: Target): Pick<ReceivedMessage, "kind" | "name"> {
  switch (target.kind) {
    case "hub":
      return { kind: "sendToAll", name: null };
    case "group":
      return { kind: "sendToGroup", name: target.group };
    case "user":
      return { kind: "sendToUser", name: target.user };
    case "connection":
      return { kind: "sendToConnection", name: target.id };
  }
}

/** 0: never expires. */
function readTtlSeconds(query: Query): number | Problem {
  const [value, ...more] = query.all("messageTtlSeconds");
  if (value === undefined) return 0;
  const isValid = more.length === 0 && /^[0-9]+$/.test(value) && Number(value) <= maxTtlSeconds;
  return isValid ? Number(value) : badRequest("Invalid messageTtlSeconds.");
}

type Format = { readonly kind: "binary" } | { readonly kind: "json" | "text"; readonly encoding: TextEncodingChoice };

/** The kind of message by `Content-Type`; null: 415. */
function readFormat(headers: Headers): Format | null {
  const header = headers.get("content-type");
  if (header === null) return { kind: "binary" };
  const contentType = parseContentType(header);
  switch (contentType?.mediaType) {
    case "application/octet-stream":
      return { kind: "binary" };
    case "application/json":
    case "text/plain": {
      const encoding = chooseTextEncoding(contentType.charset);
      return encoding && { kind: contentType.mediaType === "text/plain" ? "text" : "json", encoding };
    }
    default:
      return null;
  }
}

function binaryPayload(bytes: Uint8Array | Problem): Payload | Problem {
  return bytes instanceof Problem ? bytes : { kind: "binary", bytes };
}

function textPayload(text: string | Problem, kind: "json" | "text"): Payload | Problem {
  if (text instanceof Problem) return text;
  if (kind === "text") return { kind: "text", text };
  return isJson(text) ? { kind: "json", source: text } : badRequest("The request body is not a valid JSON.");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
