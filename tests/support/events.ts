import { createHmac } from "node:crypto";
import { type ClientOptions, clientPath, type JsonFrame } from "./clients.ts";
import { dial } from "./dial.ts";
import type { Answer } from "./event-handler.ts";
import type { Header, HttpResponse } from "./http-response.ts";
import type { Target } from "./server.ts";
import { handshake } from "./web-socket.ts";

/** The ack of a user event that failed, without `type` and `ackId`. */
export const failedAck: JsonFrame = {
  success: false,
  error: { name: "InternalServerError", message: "Internal server error" },
};
export const successAck: JsonFrame = { success: true };

/** A user event with text data, as a JSON client sends it. */
export const textEvent = (event: string, data = "x"): JsonFrame => ({ type: "event", event, dataType: "text", data });

/** A message of the event handler with text data, as a JSON client receives it. */
export const textReply = (data: string): JsonFrame => ({ type: "message", from: "server", dataType: "text", data });

/** A 200 with a text body. */
export const textAnswer = (body: string, headers: readonly Header[] = []): Answer => ({
  headers: [["Content-Type", "text/plain"], ...headers],
  body,
});

/** A 200 to `connect` with a JSON body. */
export const connectAnswer = (body: unknown, headers: readonly Header[] = []): Answer => ({
  headers: [["Content-Type", "application/json"], ...headers],
  body: JSON.stringify(body),
});

/** `ce-signature` as the documents define it, for the keys in this order. */
export function eventSignature(connectionId: string, keys: readonly string[]): string {
  return keys.map((key) => `sha256=${createHmac("sha256", key).update(connectionId).digest("hex")}`).join(",");
}

/** Tries to connect and tells only how the handshake was answered. */
export async function tryToConnect(target: Target, options: ClientOptions): Promise<HttpResponse> {
  const { subprotocols, headers, host } = options;
  return handshake(target.endpoint, {
    path: clientPath(target, options),
    subprotocols,
    headers,
    host,
    ca: target.ca,
    withinMs: 30_000,
  });
}

/** Sends a handshake and returns at once; what it returns gives up waiting for the answer. */
export async function beginToConnect(target: Target, options: ClientOptions): Promise<() => void> {
  const socket = await dial(target.endpoint);
  const lines = [
    `GET ${clientPath(target, options)} HTTP/1.1`,
    `Host: ${new URL(target.endpoint).host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version: 13",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return () => socket.destroy();
}
