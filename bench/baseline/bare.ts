import type { Server, ServerWebSocket } from "bun";

/** What a bare server does beyond accepting clients and telling them that they are connected. */
export interface BareServer<Data extends object> {
  /** State of a new client. */
  data(request: Request): Data;
  /** The first frame, where it is not that of a JSON client; null: none. */
  greeting?(client: ServerWebSocket<Data>): string | Uint8Array | null;
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
      if (request.method === "GET") {
        return upgrade(request, listener, bare.data(request));
      }
      return bare.request?.(request) ?? new Response(null, { status: 404 });
    },
    websocket: {
      perMessageDeflate: false,
      idleTimeout: 0,
      sendPings: false,
      open: (client) => {
        const first = bare.greeting === undefined ? connected : bare.greeting(client);
        if (first !== null) client.send(first);
        bare.opened?.(client);
      },
      message: (sender, frame) => bare.message?.(sender, String(frame)),
    },
  });
  // In the form in which the service tells where it is, so that both are started alike.
  console.log(`Endpoint=http://127.0.0.1:${server.port};AccessKey=unchecked;Version=1.0;`);
}

/** A client's `sendToGroup` with text. */
export interface Publication {
  readonly group: string;
  readonly data: string;
  readonly ackId?: number;
}

export function readPublication(frame: string): Publication {
  return JSON.parse(frame) as Publication;
}

/** The message that JSON members get. */
export function asMessage({ group, data }: Publication): string {
  return JSON.stringify({ type: "message", from: "group", group, fromUserId: "publisher", dataType: "text", data });
}

/** The answer to a message with an ack id. */
export function asAck(ackId: number | undefined): string {
  return JSON.stringify({ type: "ack", ackId, success: true });
}

/** The subprotocol a client asks for; null: a simple client. */
export function subprotocolOf(request: Request): string | null {
  return request.headers.get("Sec-WebSocket-Protocol");
}

function upgrade(request: Request, server: Server<object>, data: object): Response | undefined {
  const subprotocol = subprotocolOf(request);
  const headers: Record<string, string> = subprotocol === null ? {} : { "Sec-WebSocket-Protocol": subprotocol };
  return server.upgrade(request, { data, headers }) ? undefined : new Response(null, { status: 400 });
}

const connected = JSON.stringify({
  type: "system",
  event: "connected",
  userId: "user0",
  connectionId: "0123456789abcdef0123456789abcdef",
});
