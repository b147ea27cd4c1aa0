import { randomUUID } from "node:crypto";
import { decode, encode } from "@msgpack/msgpack";
import type { HttpResponse } from "./http-response.ts";
import { Inbox, inTime } from "./inbox.ts";
import type { Target } from "./server.ts";
import { type Claims, nowSeconds, type Signing, signToken } from "./tokens.ts";
import { type Closed, handshake, openWebSocket, type WebSocketClient } from "./web-socket.ts";

/** One frame of the tunnel protocol. */
export interface TunnelFrame {
  readonly type: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly content: Uint8Array;
}

/** A frame as the official clients write it, with the library they use. */
export function packFrame(type: number, json: unknown, content?: Uint8Array | null): Buffer {
  const packed = encode([type, typeof json === "string" ? json : JSON.stringify(json), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packed.length);
  return Buffer.concat([length, packed]);
}

/** What the service may send (T-9). */
const legalTypes = [1, 2, 5, 6, 7, 8, 10];

function unpackFrame(bytes: Buffer): TunnelFrame {
  const length = bytes.readUInt32LE(0);
  if (length !== bytes.length - 4) throw new Error(`a frame of ${length} bytes in a message of ${bytes.length}`);
  const [type, text, content, ...more] = decode(bytes.subarray(4)) as [number, string, Uint8Array | null];
  const json = JSON.parse(text) as Record<string, unknown>;
  if (!legalTypes.includes(type) || json["Type"] !== type || more.length > 0)
    throw new Error(`a frame ${type} ${text}`);
  return { type, json, content: content ?? new Uint8Array(0) };
}

/** An event as it came through the tunnel. */
export class TunnelledRequest {
  constructor(frame: TunnelFrame) {
    this.frame = frame;
    this.ackId = Number(frame.json["AckId"]);
    this.method = String(frame.json["HttpMethod"]);
    this.url = String(frame.json["Url"]);
    this.headers = frame.json["Headers"] as Readonly<Record<string, readonly string[]>>;
    this.text = Buffer.from(frame.content).toString("utf8");
  }

  readonly frame: TunnelFrame;
  readonly ackId: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly text: string;

  /** The value of a header; null when it is absent. Throws when it has not exactly one. */
  header(name: string): string | null {
    const values = Object.entries(this.headers).filter(([each]) => each.toLowerCase() === name.toLowerCase());
    if (values.length === 0) return null;
    if (values.length > 1 || values[0]?.[1].length !== 1) throw new Error(`${name} is repeated`);
    return values[0]?.[1][0] ?? null;
  }

  get event(): string {
    return this.header("ce-eventName") ?? "";
  }
}

export interface TunnelAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string | Uint8Array;
  readonly isPartial?: boolean;
  /** Default: that of the request. */
  readonly ackId?: number;
}

export interface TunnelOptions {
  readonly hub: string;
  /** `sub`; null: none. Default: a new one. */
  readonly serverId?: string | null;
  /** Further query parameters as they stand in the URL, such as `&target=x`. */
  readonly query?: string;
  readonly claims?: Claims;
  readonly signing?: Partial<Signing>;
  /** Replaces the whole token; null: none. */
  readonly token?: string | null;
  readonly subprotocols?: readonly string[];
  /** Answers events by itself; undefined, and without it all: the test takes them by hand. */
  readonly auto?: (request: TunnelledRequest) => TunnelAnswer | undefined;
}

/** Says yes to every event but these, which the test takes by hand. */
export function acceptAllBut(...events: readonly string[]): NonNullable<TunnelOptions["auto"]> {
  return (request) => (events.includes(request.event) ? undefined : {});
}

/** `/server/tunnel?hub=…&access_token=…` as the official clients build it, and the token they sign for it. */
function tunnelPath(target: Target, options: TunnelOptions): string {
  const path = `/server/tunnel?hub=${encodeURIComponent(options.hub)}${options.query ?? ""}`;
  if (options.token === null) return path;
  const { serverId = randomUUID() } = options;
  const claims = {
    iat: nowSeconds(),
    exp: nowSeconds() + 3600,
    aud: `${target.endpoint.replace(/^http/, "ws")}${path}`,
    sub: serverId ?? undefined,
    ...options.claims,
  };
  const token = options.token ?? signToken(claims, { key: target.primaryKey, ...options.signing });
  return `${path}&access_token=${encodeURIComponent(token)}`;
}

/** How a handshake is answered; the connection is closed again. */
export function tunnelHandshake(target: Target, options: TunnelOptions): Promise<HttpResponse> {
  const { subprotocols } = options;
  return handshake(target.endpoint, { path: tunnelPath(target, options), subprotocols, ca: target.ca });
}

/** A REST answer that came through the tunnel, its parts joined. */
interface RestAnswer {
  readonly status: number;
  readonly text: string;
  /** Sizes of the parts. */
  readonly parts: readonly number[];
}

/** An application's end of a tunnel, by hand. Checks every frame of the service; status frames wait in `others`. */
export class RawTunnel {
  readonly socket: WebSocketClient;
  readonly events = new Inbox<TunnelledRequest>();
  readonly others = new Inbox<TunnelFrame>();
  readonly #greeting = Promise.withResolvers<TunnelFrame>();
  readonly #closed = Promise.withResolvers<Closed>();
  readonly #answers = new Inbox<TunnelFrame>();
  readonly #auto: NonNullable<TunnelOptions["auto"]>;
  #ackId = 0;
  #isGreeted = false;

  constructor(socket: WebSocketClient, auto: NonNullable<TunnelOptions["auto"]>) {
    this.socket = socket;
    this.#auto = auto;
    void this.#read();
  }

  /** The first frame, which has to be the greeting. */
  greeting(): Promise<TunnelFrame> {
    return inTime(this.#greeting.promise, "greeting of the tunnel");
  }

  /** The end of the connection. */
  closed(withinMs?: number): Promise<Closed> {
    return inTime(this.#closed.promise, "end of the tunnel", withinMs);
  }

  /** Reads until the end; rejects, with nobody to catch it, on anything the service must not send. */
  async #read(): Promise<void> {
    for (;;) {
      const event = await this.socket.next({ withinMs: 600_000 });
      if (event.kind === "closed") {
        this.#closed.resolve(event);
        return;
      }
      if (event.kind === "text") throw new Error(`the service sent text: ${event.text}`);
      this.#frame(unpackFrame(event.bytes));
    }
  }

  /** The next event of that name. */
  next(event: string, options: { readonly withinMs?: number } = {}): Promise<TunnelledRequest> {
    return this.events.take({ what: `${event} event`, where: (each) => each.event === event, ...options });
  }

  answer(request: TunnelledRequest, answer: TunnelAnswer = {}): void {
    const { LocalRouting, ChannelName } = request.frame.json;
    const { status = 200, headers = {}, body = "", isPartial = false, ackId = request.ackId } = answer;
    const json = {
      AckId: ackId,
      LocalRouting,
      StatusCode: status,
      ChannelName,
      NotCompleted: isPartial,
      Headers: headers,
      Type: 2,
    };
    this.socket.send(packFrame(2, json, Buffer.from(body)));
  }

  /** Takes the next event of that name and answers it. */
  async serve(event: string, answer: TunnelAnswer = {}): Promise<TunnelledRequest> {
    const request = await this.next(event);
    this.answer(request, answer);
    return request;
  }

  /** Starts a REST call through the tunnel; `path` is what stands behind the host. A text goes as text, others as JSON. */
  call(method: string, path: string, body: string | object = ""): Promise<RestAnswer> {
    const content = typeof body === "string" ? body : JSON.stringify(body);
    const contentType = typeof body === "string" ? "text/plain" : "application/json";
    const AckId = ++this.#ackId;
    const Headers = content.length === 0 ? {} : { "Content-Type": [contentType] };
    const request = {
      AckId,
      HttpMethod: method,
      Url: `https://host${path}`,
      Headers,
      LocalRouting: true,
      ChannelName: "c",
    };
    this.socket.send(packFrame(1, { ...request, Type: 1 }, Buffer.from(content)));
    return this.#collect(AckId);
  }

  async #collect(ackId: number): Promise<RestAnswer> {
    const parts: Uint8Array[] = [];
    let status = 0;
    for (;;) {
      const where = (each: TunnelFrame) => each.json["AckId"] === ackId;
      const { json, content } = await this.#answers.take({ what: `answer ${ackId}`, where, withinMs: 10_000 });
      if (json["LocalRouting"] !== true || json["ChannelName"] !== "c") throw new Error("the routing was not echoed");
      if (parts.length === 0) status = Number(json["StatusCode"]);
      parts.push(content);
      if (json["NotCompleted"] === true) continue;
      return { status, text: Buffer.concat(parts).toString("utf8"), parts: parts.map((part) => part.length) };
    }
  }

  #frame(frame: TunnelFrame): void {
    if (!this.#isGreeted) {
      if (frame.type !== 10) throw new Error(`the first frame is of type ${frame.type}`);
      this.#isGreeted = true;
      this.#greeting.resolve(frame);
    } else if (frame.type === 2) this.#answers.push(frame);
    else if (frame.type !== 1) this.others.push(frame);
    else {
      const request = new TunnelledRequest(frame);
      const answer = this.#auto(request);
      if (answer === undefined) this.events.push(request);
      else this.answer(request, answer);
    }
  }
}

/** Opens a tunnel and waits for its greeting. */
export async function openTunnel(target: Target, options: TunnelOptions): Promise<RawTunnel> {
  const { subprotocols, auto = () => undefined } = options;
  const socket = await openWebSocket(target.endpoint, {
    path: tunnelPath(target, options),
    subprotocols,
    ca: target.ca,
  });
  const tunnel = new RawTunnel(socket, auto);
  await tunnel.greeting();
  return tunnel;
}
