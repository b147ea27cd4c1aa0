import type { Server, ServerWebSocket } from "bun";

/** What a bare server does beyond accepting clients and telling them that they are connected. */
export interface BareServer<Data extends object> {
  /** State of a new client. */
  data(): Data;
  opened?(client: ServerWebSocket<Data>): void;
  message?(sender: ServerWebSocket<Data>, frame: string): void;
  /** Answers what is no upgrade. */
  request?(request: Request): Promise<Response>;
}

/**
 * Runs a server that does the transport part of a scenario and nothing else: no tokens, no permissions, no groups, no
 * bounds. It is the same runtime with the same socket options as the service, and the first frame has the same length.
 */
export function runBare<Data extends object>(bare: BareServer<Data>): void {
  const server = Bun.serve<Data>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, listener) => {
      if (request.method === "GET") return upgrade(request, listener, bare.data());
      return bare.request?.(request) ?? new Response(null, { status: 404 });
    },
    websocket: {
      perMessageDeflate: false,
      idleTimeout: 0,
      sendPings: false,
      open: (client) => {
        client.send(connected);
        bare.opened?.(client);
      },
      message: (sender, frame) => bare.message?.(sender, String(frame)),
    },
  });
  // In the form in which the service tells where it is, so that both are started alike.
  console.log(`Endpoint=http://127.0.0.1:${server.port};AccessKey=unchecked;Version=1.0;`);
}

/** Turns a client's `sendToGroup` into the message its members get. */
export function asDelivery(frame: string): string {
  const { group, data } = JSON.parse(frame) as { readonly group: string; readonly data: string };
  const delivery = { type: "message", from: "group", group, fromUserId: "publisher", dataType: "text", data };
  return JSON.stringify(delivery);
}

function upgrade(request: Request, server: Server<object>, data: object): Response | undefined {
  const headers = { "Sec-WebSocket-Protocol": "json.webpubsub.azure.v1" };
  return server.upgrade(request, { data, headers }) ? undefined : new Response(null, { status: 400 });
}

const connected = JSON.stringify({
  type: "system",
  event: "connected",
  userId: "user0",
  connectionId: "0123456789abcdef0123456789abcdef",
});
