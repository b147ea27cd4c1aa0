import type { HeaderList, Routing, TunnelMessage } from "./messages.ts";

/** Why bytes are no frame; `isTooLarge` when only their size is wrong. */
export interface FrameFault {
  readonly type: "fault";
  readonly isTooLarge: boolean;
  readonly detail: string;
}

const numbers = {
  request: 1,
  response: 2,
  status: 5,
  reconnect: 6,
  close: 7,
  rebalance: 8,
  connected: 10,
} as const satisfies Record<TunnelMessage["type"], number>;

const types: ReadonlyMap<number, TunnelMessage["type"]> = new Map(
  Object.entries(numbers).map(([type, number]) => [number, type as TunnelMessage["type"]]),
);

const lengthBytes = 4;
const array3 = 0x93;
const nil = 0xc0;
/** MessagePack codes of strings and byte strings by the width of their length. */
const strings = { 1: 0xd9, 2: 0xda, 4: 0xdb } as const;
const binaries = { 1: 0xc4, 2: 0xc5, 4: 0xc6 } as const;
type Width = 1 | 2 | 4;

const none = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Writes a message as one frame: a little-endian length, then MessagePack `[type, JSON text, body]`. The few MessagePack
 * forms that occur are written here: a general reader would let a hostile frame nest millions of arrays.
 * @spec T-8
 */
export function encodeFrame(message: TunnelMessage): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(JSON.stringify(toJson(message)));
  const jsonHead = json.length < 32 ? [0xa0 | json.length] : lengthHead(strings, json.length);
  const body = message.type === "request" || message.type === "response" ? message.body : none;
  // As existing implementations do: a request without body has nil, an answer an empty byte string.
  const bodyHead = body.length > 0 || message.type === "response" ? lengthHead(binaries, body.length) : [nil];
  const size = 2 + jsonHead.length + json.length + bodyHead.length + body.length;
  const frame = new Uint8Array(lengthBytes + size);
  new DataView(frame.buffer).setUint32(0, size, true);
  let at = lengthBytes;
  for (const part of [[array3, numbers[message.type]], jsonHead, json, bodyHead, body]) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/**
 * Reads one frame. Never throws; unknown JSON properties are ignored, absent headers and routing hints have defaults. The
 * body is a view of `bytes`, which must not be written to afterwards.
 * @spec T-8 T-10
 */
export function decodeFrame(bytes: Uint8Array, limits: { readonly maxJsonBytes: number }): TunnelMessage | FrameFault {
  const reader = new Reader(bytes);
  const size = bytes.length < lengthBytes ? -1 : reader.view.getUint32(0, true);
  if (size !== bytes.length - lengthBytes) return fault("the length does not fit the message");
  if (bytes[lengthBytes] !== array3) return fault("it is no array of three");
  const type = types.get(bytes[lengthBytes + 1] ?? 0);
  if (type === undefined) return fault("its type is unknown");
  reader.at = lengthBytes + 2;
  const text = reader.string();
  if (text === null) return fault("its second element is no text");
  if (text.length > limits.maxJsonBytes) {
    return { type: "fault", isTooLarge: true, detail: `its JSON is bigger than ${limits.maxJsonBytes} bytes` };
  }
  const body = reader.binary();
  if (body === null || reader.at !== bytes.length) return fault("its third element is no byte string");
  const json = parseObject(text);
  if (json === null) return fault("its text is no JSON object");
  return fromJson(type, json, body) ?? fault("a property is missing or has the wrong type");
}

function fault(detail: string): FrameFault {
  return { type: "fault", isTooLarge: false, detail };
}

function lengthHead(codes: Readonly<Record<Width, number>>, length: number): readonly number[] {
  if (length <= 0xff) return [codes[1], length];
  if (length <= 0xffff) return [codes[2], length >>> 8, length & 0xff];
  return [codes[4], length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
}

/** Reads the elements behind the type, each once; null for anything that does not belong there. */
class Reader {
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  string(): Uint8Array | null {
    const code = this.#bytes[this.at] ?? nil;
    if (code < 0xa0 || code > 0xbf) return this.#sized(strings);
    this.at += 1;
    return this.#take(code & 0x1f);
  }

  binary(): Uint8Array | null {
    if (this.#bytes[this.at] !== nil) return this.#sized(binaries);
    this.at += 1;
    return none;
  }

  #sized(codes: Readonly<Record<Width, number>>): Uint8Array | null {
    const code = this.#bytes[this.at];
    const width = ([1, 2, 4] as const).find((each) => codes[each] === code);
    if (width === undefined || this.at + 1 + width > this.#bytes.length) return null;
    const at = this.at + 1;
    this.at = at + width;
    const length =
      width === 1 ? this.view.getUint8(at) : width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
    return this.#take(length);
  }

  #take(length: number): Uint8Array | null {
    const end = this.at + length;
    if (end > this.#bytes.length) return null;
    const part = this.#bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(text: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(text));
    return isObject(value) ? value : null;
  } catch {
    return null; // neither UTF-8 nor JSON: the caller reports it
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of the properties is that of the clients in use. */
function toJson(message: TunnelMessage): Json {
  const Type = numbers[message.type];
  switch (message.type) {
    case "request":
      return {
        Type,
        AckId: message.ackId,
        HttpMethod: message.method,
        Url: message.url,
        Headers: groupHeaders(message.headers),
        LocalRouting: message.routing.local,
        ChannelName: message.routing.channel,
        TracingId: null,
      };
    case "response":
      return {
        AckId: message.ackId,
        LocalRouting: message.routing.local,
        StatusCode: message.status,
        ChannelName: message.routing.channel,
        NotCompleted: message.isPartial,
        Headers: groupHeaders(message.headers),
        Type,
      };
    case "status":
    case "close":
      return { Type, Message: message.text, TracingId: null };
    case "reconnect":
    case "rebalance": {
      const { targetId, endpoint, text } = message;
      return { Type, TargetId: targetId, Endpoint: endpoint, Message: text, TracingId: null };
    }
    case "connected": {
      const { connectionId, userId } = message;
      return { Type, ConnectionId: connectionId, UserId: userId, ReconnectionToken: null, TracingId: null };
    }
  }
}

function fromJson(type: TunnelMessage["type"], json: Json, body: Uint8Array): TunnelMessage | null {
  const text = textOf(json["Message"]) ?? "";
  switch (type) {
    case "request":
    case "response":
      return exchangeFromJson(type, json, body);
    case "status":
    case "close":
      return { type, text };
    case "reconnect":
    case "rebalance":
      return { type, targetId: textOf(json["TargetId"]), endpoint: textOf(json["Endpoint"]), text };
    case "connected": {
      const connectionId = textOf(json["ConnectionId"]);
      return connectionId === null ? null : { type, connectionId, userId: textOf(json["UserId"]) };
    }
  }
}

function exchangeFromJson(type: "request" | "response", json: Json, body: Uint8Array): TunnelMessage | null {
  const ackId = integerOf(json["AckId"]);
  const headers = listHeaders(json["Headers"]);
  const routing = routingOf(json);
  if (ackId === null || headers === null || routing === null) return null;
  if (type === "request") {
    const method = textOf(json["HttpMethod"]);
    const url = textOf(json["Url"]);
    return method === null || url === null ? null : { type, ackId, method, url, headers, routing, body };
  }
  const status = integerOf(json["StatusCode"]);
  if (status === null) return null;
  return { type, ackId, status, headers, routing, isPartial: json["NotCompleted"] === true, body };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function integerOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}

function routingOf({ LocalRouting: local = false, ChannelName: channel = "" }: Json): Routing | null {
  return typeof local === "boolean" && typeof channel === "string" ? { local, channel } : null;
}

function groupHeaders(headers: HeaderList): Json {
  const grouped = new Map<string, string[]>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const values = grouped.get(name);
    if (values === undefined) grouped.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(grouped);
}

function listHeaders(value: unknown): HeaderList | null {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) return null;
  const list: string[] = [];
  for (const [name, values] of Object.entries(value)) {
    // Single values are written as lists, but nothing is lost by taking them as they are.
    for (const each of Array.isArray(values) ? (values as unknown[]) : [values]) {
      if (typeof each !== "string") return null;
      list.push(name, each);
    }
  }
  return list;
}
