import { type ClientOptions, clientPath, connectJson, type JsonClient, type JsonFrame } from "./clients.ts";
import type { Target } from "./server.ts";
import { openWebSocket, type WebSocketClient } from "./web-socket.ts";

export const reliableJson = "json.reliable.webpubsub.azure.v1";

/** A connected client of the reliable JSON protocol. */
export interface ReliableClient extends JsonClient {
  readonly reconnectionToken: string;
}

/** Connects a reliable client and reads its `connected` frame, which must have a token. */
export async function connectReliable(target: Target, options: ClientOptions): Promise<ReliableClient> {
  const client = await connectJson(target, { subprotocols: [reliableJson], ...options });
  const { reconnectionToken } = client.connected;
  if (typeof reconnectionToken !== "string") throw new Error("connected has no reconnectionToken");
  return { ...client, reconnectionToken };
}

type RecoveryOptions = Partial<ClientOptions> & { readonly id?: string; readonly reconnectionToken?: string | null };

/** The handshake by which a client comes back: without access token unless one is given. */
function recoveryOf(client: ReliableClient, options: RecoveryOptions): ClientOptions {
  const { id = client.connectionId, reconnectionToken = client.reconnectionToken, ...rest } = options;
  const query: Record<string, string> = { awps_connection_id: id };
  if (reconnectionToken !== null) query["awps_reconnection_token"] = reconnectionToken;
  return { hub: client.hub, token: null, subprotocols: [reliableJson], ...rest, query: { ...options.query, ...query } };
}

/** Recovers the connection of a client, whose socket may still be open, and reads the `connected` frame. */
export async function recover(
  target: Target,
  client: ReliableClient,
  options: RecoveryOptions = {},
): Promise<ReliableClient> {
  return connectReliable(target, recoveryOf(client, options));
}

/** Tries a recovery and returns the socket as it is after the 101. */
export async function tryToRecover(
  target: Target,
  client: ReliableClient,
  options: RecoveryOptions = {},
): Promise<WebSocketClient> {
  const handshake = recoveryOf(client, options);
  const { subprotocols } = handshake;
  return openWebSocket(target.endpoint, { path: clientPath(target, handshake), subprotocols, ca: target.ca });
}

/** How a refused recovery is closed (client-protocols 8.4). */
export const refusedRecovery = { code: 1008, reason: "The connection could not be recovered." };

/** Loses the socket of a client in a way that keeps its connection; resolves when the server knows. */
export async function leave(client: ReliableClient): Promise<void> {
  client.socket.close(1001);
  await client.socket.closed();
  await client.socket.ended;
}

/** A text message of REST as a reliable client receives it. */
export function numbered(sequenceId: number, data: string): JsonFrame {
  return { sequenceId, type: "message", from: "server", dataType: "text", data };
}
