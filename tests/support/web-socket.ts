import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { type DialOptions, dial } from "./dial.ts";
import { closePayload, encodeFrame, FrameReader, type IncomingFrame, type OutgoingFrame, opcodes } from "./frames.ts";
import type { Header, HttpResponse } from "./http-response.ts";
import { Inbox } from "./inbox.ts";
import { readResponse } from "./raw-http.ts";

/** A WebSocket handshake as a client sends it. */
export interface Handshake extends DialOptions {
  /** Path below the endpoint, query included. */
  readonly path: string;
  /** `Host` header; default: that of the endpoint. */
  readonly host?: string | undefined;
  /** Offered, in this order, in one header line. */
  readonly subprotocols?: readonly string[] | undefined;
  /** Further header lines, sent as they are, at the end. */
  readonly headers?: readonly Header[] | undefined;
  /** False: pings of the server stay unanswered. Default true. */
  readonly answerPings?: boolean;
}

/** A message, or the end. `frames` is the number of frames the message came in. */
export type SocketEvent =
  | { readonly kind: "text"; readonly text: string; readonly frames: number }
  | { readonly kind: "binary"; readonly bytes: Buffer; readonly frames: number }
  | Closed;

/** The end of a WebSocket; `code` 1005: a close frame without code, 1006: no close frame at all. */
export interface Closed {
  readonly kind: "closed";
  readonly code: number;
  readonly reason: string;
}

export type Message = Exclude<SocketEvent, Closed>;

/** Tries a handshake and tells only how it was answered, 101 included; the connection is closed again. */
export async function handshake(endpoint: string, options: Handshake): Promise<HttpResponse> {
  const { socket, response } = await shakeHands(endpoint, options);
  socket.destroy();
  return response;
}

/** Opens a WebSocket; rejects when the handshake is refused. */
export async function openWebSocket(endpoint: string, options: Handshake): Promise<WebSocketClient> {
  const { socket, response, rest } = await shakeHands(endpoint, options);
  if (response.status === 101)
    return new WebSocketClient(socket, { response, rest, answerPings: options.answerPings ?? true });
  socket.destroy();
  throw new Error(`the handshake was answered ${response.status} ${response.text}`);
}

async function shakeHands(endpoint: string, options: Handshake) {
  const key = randomBytes(16).toString("base64");
  const socket = await dial(endpoint, options);
  try {
    const url = new URL(endpoint);
    const base = url.pathname === "/" ? "" : url.pathname;
    const lines = [
      `GET ${base}${options.path} HTTP/1.1`,
      `Host: ${options.host ?? url.host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
      ...(options.subprotocols === undefined ? [] : [`Sec-WebSocket-Protocol: ${options.subprotocols.join(", ")}`]),
      ...(options.headers ?? []).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    const read = await readResponse(socket, options);
    if (read.response.status === 101) checkAccepted(read.response, key);
    return { socket, ...read };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function checkAccepted(response: HttpResponse, key: string): void {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  if (response.header("sec-websocket-accept") !== accept) throw new Error("the 101 has a wrong Sec-WebSocket-Accept");
  if (response.header("upgrade")?.toLowerCase() !== "websocket") throw new Error("the 101 has no Upgrade: websocket");
  if (response.header("sec-websocket-extensions") !== null)
    throw new Error("the 101 chose an extension nobody offered");
}

/**
 * The client side of one WebSocket, speaking frames over a plain socket. Everything the server sends is kept from the
 * first byte on, so no test can come too late. Answers pings and the closing handshake by itself; never reconnects.
 */
export class WebSocketClient {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #events = new Inbox<SocketEvent>();
  readonly #answerPings: boolean;
  readonly #ended = Promise.withResolvers<void>();
  #parts: IncomingFrame[] = [];
  #isClosed = false;

  /** The 101 response. */
  readonly response: HttpResponse;
  /** Payloads of the server's pings and pongs. */
  readonly pings = new Inbox<Buffer>();
  readonly pongs = new Inbox<Buffer>();

  constructor(
    socket: Socket,
    opened: { readonly response: HttpResponse; readonly rest: Buffer; readonly answerPings: boolean },
  ) {
    this.#socket = socket;
    this.#answerPings = opened.answerPings;
    this.response = opened.response;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    this.#receive(opened.rest);
    if (socket.destroyed) this.#end();
    else socket.resume();
  }

  /** The sub-protocol the server chose, in its spelling; null without one. */
  get subprotocol(): string | null {
    return this.response.header("sec-websocket-protocol");
  }

  /** What arrived and was not read yet. */
  get unread(): readonly SocketEvent[] {
    return this.#events.untaken;
  }

  /** Resolves when the server closed its side of the TCP connection. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Sends one message in one frame: text, or binary for bytes. */
  send(message: string | Uint8Array): void {
    this.sendFrame({ opcode: typeof message === "string" ? opcodes.text : opcodes.binary, payload: message });
  }

  sendFrame(frame: OutgoingFrame): void {
    this.sendBytes(encodeFrame(frame));
  }

  /** Sends raw bytes, frames or not. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  ping(payload: string | Uint8Array = ""): void {
    this.sendFrame({ opcode: opcodes.ping, payload });
  }

  /** Sends a close frame; `closed()` then tells the server's answer. */
  close(code?: number, reason?: string): void {
    this.sendFrame({ opcode: opcodes.close, payload: closePayload(code, reason) });
  }

  /** Cuts the TCP connection without a close frame, by reset. */
  abort(): void {
    this.#socket.resetAndDestroy();
  }

  /** Stops reading from the socket, as a client does that hangs. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The next event, whatever it is. */
  async next(options: { readonly withinMs?: number; readonly what?: string } = {}): Promise<SocketEvent> {
    return this.#events.take({ what: options.what ?? "WebSocket message or close", withinMs: options.withinMs });
  }

  /** The next message; rejects if the connection ends first. */
  async nextMessage(options: { readonly withinMs?: number } = {}): Promise<Message> {
    const event = await this.next({ what: "WebSocket message", ...options });
    if (event.kind === "closed") throw new Error(`closed ${event.code} "${event.reason}" instead of a message`);
    return event;
  }

  /** The next message, which must be text in one frame. */
  async nextText(options: { readonly withinMs?: number } = {}): Promise<string> {
    const message = await this.nextMessage(options);
    if (message.kind !== "text" || message.frames !== 1)
      throw new Error(`${message.kind} in ${message.frames} frames instead of text`);
    return message.text;
  }

  /** The next message, which must be binary in one frame. */
  async nextBinary(options: { readonly withinMs?: number } = {}): Promise<Buffer> {
    const message = await this.nextMessage(options);
    if (message.kind !== "binary" || message.frames !== 1)
      throw new Error(`${message.kind} in ${message.frames} frames instead of binary`);
    return message.bytes;
  }

  /** The next message, parsed. Numbers beyond 2^53 lose digits: use `nextText` for those. */
  async nextJson(options: { readonly withinMs?: number } = {}): Promise<unknown> {
    return JSON.parse(await this.nextText(options)) as unknown;
  }

  /** The end of the connection; rejects if a message comes first. */
  async closed(options: { readonly withinMs?: number } = {}): Promise<Pick<Closed, "code" | "reason">> {
    const event = await this.next({ what: "close", ...options });
    if (event.kind !== "closed") throw new Error(`a message instead of the close: ${JSON.stringify(event)}`);
    return { code: event.code, reason: event.reason };
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#frame(frame);
    } catch (error) {
      this.#finish(1006, `broken by the server: ${error instanceof Error ? error.message : String(error)}`);
      this.#socket.destroy();
    }
  }

  #frame(frame: IncomingFrame): void {
    if (this.#isClosed) throw new Error("a frame after the close frame");
    if (frame.opcode >= 8 && (!frame.fin || frame.payload.length > 125))
      throw new Error("an oversized or fragmented control frame");
    switch (frame.opcode) {
      case opcodes.ping:
        this.pings.push(frame.payload);
        if (this.#answerPings) this.sendFrame({ opcode: opcodes.pong, payload: frame.payload });
        break;
      case opcodes.pong:
        this.pongs.push(frame.payload);
        break;
      case opcodes.close:
        this.#close(frame.payload);
        break;
      default:
        this.#data(frame);
    }
  }

  #data(frame: IncomingFrame): void {
    const isFirst = this.#parts.length === 0;
    if (frame.opcode > opcodes.binary || isFirst === (frame.opcode === opcodes.continuation))
      throw new Error(`a frame with opcode ${frame.opcode}`);
    this.#parts.push(frame);
    if (!frame.fin) return;
    const parts = this.#parts;
    this.#parts = [];
    const bytes = Buffer.concat(parts.map((part) => part.payload));
    const frames = parts.length;
    if (parts[0]?.opcode === opcodes.binary) this.#events.push({ kind: "binary", bytes, frames });
    else this.#events.push({ kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), frames });
  }

  #close(payload: Buffer): void {
    if (payload.length === 1) throw new Error("a close frame with one byte");
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    this.sendFrame({ opcode: opcodes.close, payload: payload.subarray(0, 2) });
    this.#finish(code, payload.subarray(2).toString("utf8"));
  }

  #finish(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.push({ kind: "closed", code, reason });
  }

  #end(): void {
    this.#finish(1006, "");
    this.#ended.resolve();
    this.#socket.destroy();
  }
}
