import { randomUUID } from "node:crypto";
import type { Header } from "./http-response.ts";
import { freshName } from "./names.ts";
import type { Target } from "./server.ts";
import { type ClientTokenOptions, clientToken } from "./tokens.ts";
import { openWebSocket, type WebSocketClient } from "./web-socket.ts";

export interface ClientOptions extends ClientTokenOptions {
  /** The whole token; null: none. Default: signed from the other options. */
  readonly token?: string | null | undefined;
  /** Further query parameters. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly subprotocols?: readonly string[] | undefined;
  readonly headers?: readonly Header[] | undefined;
  readonly host?: string | undefined;
  readonly answerPings?: boolean;
}

/** `/client/hubs/{hub}?access_token=…` as the SDKs build it, plus `query`. */
export function clientPath(target: Target, options: ClientOptions): string {
  const query = new URLSearchParams(options.query);
  const token = options.token === undefined ? clientToken(target, options) : options.token;
  if (token !== null) query.set("access_token", token);
  return `/client/hubs/${encodeURIComponent(options.hub)}?${query.toString()}`;
}

/** A frame of the JSON protocol, parsed. */
export type JsonFrame = Readonly<Record<string, unknown>>;

/** A connected client of `json.webpubsub.azure.v1`. */
export interface JsonClient {
  readonly socket: WebSocketClient;
  readonly hub: string;
  /** The `connected` frame, which came first. */
  readonly connected: JsonFrame;
  readonly connectionId: string;
  /** Sends text as it is, anything else as JSON. */
  send(message: string | JsonFrame): void;
  /** The next frame, parsed. */
  next(options?: { readonly withinMs?: number }): Promise<JsonFrame>;
  /** Sends a command with an ackId of its own; the next frame must be its ack, which is returned without `type` and `ackId`. */
  ask(command: JsonFrame): Promise<JsonFrame>;
  /**
   * Proves that nothing more was delivered: REST sends a marker to this connection, and it must be what comes next. Says
   * something only about messages whose delivery is known to be settled, by an ack or by the answer of a REST request.
   */
  nothingArrived(): Promise<void>;
}

/** Connects a JSON client and reads its `connected` frame. */
export async function connectJson(target: Target, options: ClientOptions): Promise<JsonClient> {
  const socket = await openClient(target, { subprotocols: ["json.webpubsub.azure.v1"], ...options });
  const connected = await jsonFrame(socket);
  const { type, event, connectionId } = connected;
  if (type !== "system" || event !== "connected" || typeof connectionId !== "string") {
    throw new Error(`the first frame is not system/connected: ${JSON.stringify(connected)}`);
  }
  const next: JsonClient["next"] = (waiting) => jsonFrame(socket, waiting);
  let ackId = 1_000_000; // away from the ids tests choose themselves
  return {
    socket,
    hub: options.hub,
    connected,
    connectionId,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    next,
    ask: async (command) => {
      const id = ackId++;
      socket.send(JSON.stringify({ ...command, ackId: id }));
      const { type: answered, ackId: echoed, ...rest } = await next();
      if (answered !== "ack" || echoed !== id)
        throw new Error(`not the ack: ${JSON.stringify({ type: answered, ackId: echoed, ...rest })}`);
      return rest;
    },
    nothingArrived: async () => {
      const marker = await sendMarker(target, `/api/hubs/${options.hub}/connections/${connectionId}/:send`);
      const frame = await next();
      if (frame["data"] !== marker) throw new Error(`this arrived: ${JSON.stringify(frame)}`);
    },
  };
}

/** A connected client without a sub-protocol the service knows. */
export interface SimpleClient {
  readonly socket: WebSocketClient;
  readonly hub: string;
  readonly userId: string | null;
  /** As for `JsonClient`, by a marker to the client's user; for clients whose user no other client has. */
  nothingArrived(): Promise<void>;
}

/** Connects a simple client; its user is one of its own unless given. */
export async function connectSimple(target: Target, options: ClientOptions): Promise<SimpleClient> {
  const userId = options.userId === undefined ? freshName("user") : options.userId;
  const socket = await openClient(target, { ...options, userId });
  return {
    socket,
    hub: options.hub,
    userId,
    nothingArrived: async () => {
      const marker = await sendMarker(
        target,
        `/api/hubs/${options.hub}/users/${encodeURIComponent(userId ?? "")}/:send`,
      );
      const message = await socket.nextMessage();
      if (message.kind !== "text" || message.text !== marker)
        throw new Error(`this arrived: ${JSON.stringify(message)}`);
    },
  };
}

/** Opens the WebSocket of a client, without reading from it. */
export async function openClient(target: Target, options: ClientOptions): Promise<WebSocketClient> {
  const { subprotocols, headers, host, answerPings = true } = options;
  return openWebSocket(target.endpoint, {
    path: clientPath(target, options),
    subprotocols,
    headers,
    host,
    answerPings,
    ca: target.ca,
  });
}

async function jsonFrame(socket: WebSocketClient, waiting?: { readonly withinMs?: number }): Promise<JsonFrame> {
  const frame = await socket.nextJson(waiting);
  if (typeof frame !== "object" || frame === null || Array.isArray(frame))
    throw new Error("the frame is not a JSON object");
  return frame as JsonFrame;
}

/** Sends a text nobody else sends to a path of the REST API. */
export async function sendMarker(target: Target, path: string): Promise<string> {
  const marker = `marker ${randomUUID()}`;
  const sent = await target.rest({ method: "POST", path, body: marker });
  if (sent.status !== 202) throw new Error(`the marker was answered ${sent.status} ${sent.text}`);
  return marker;
}
