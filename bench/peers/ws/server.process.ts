// A server on the npm package `ws`: groups, messages and acknowledgements in the form of the JSON subprotocol, nothing else.
// Runs on Node and on Bun (which puts its own WebSocket server behind the same interface).
import { type WebSocket, WebSocketServer } from "ws";

interface Publish {
  readonly group: string;
  readonly ackId?: number;
  readonly data: string;
}

const groups = new Map<string, Set<WebSocket>>();

// perMessageDeflate is off by default, as the package's documentation advises.
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false }, () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Endpoint=http://127.0.0.1:${port};AccessKey=unchecked;Version=1.0;`);
});

server.on("connection", (client, request) => {
  const group = new URL(request.url ?? "/", "http://localhost").searchParams.get("group");
  if (group !== null) join(group, client);
  client.send('{"type":"system","event":"connected"}');
  client.on("message", (bytes) => {
    // A text message comes as one Buffer unless `binaryType` says otherwise.
    const publish = JSON.parse((bytes as Buffer).toString()) as Publish;
    send(publish);
    if (publish.ackId !== undefined) client.send(JSON.stringify({ type: "ack", ackId: publish.ackId, success: true }));
  });
});

function join(group: string, client: WebSocket): void {
  const members = groups.get(group) ?? new Set();
  groups.set(group, members.add(client));
  client.on("close", () => members.delete(client));
}

function send({ group, data }: Publish): void {
  // Encoded once: `send` of a string would encode it for each member.
  const message = Buffer.from(JSON.stringify({ type: "message", from: "group", group, dataType: "text", data }));
  for (const member of groups.get(group) ?? []) member.send(message, { binary: false });
}
