import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ClientOptions, openClient, sendMarker } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { connectProtobuf, decodeMessage, encodeRequest, type Request } from "../support/protobuf/client.ts";
import { field, varint } from "../support/protobuf/wire.ts";
import { refusedRecovery, reliableJson } from "../support/reliable.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import type { WebSocketClient } from "../support/web-socket.ts";

const reliableProtobuf = "protobuf.reliable.webpubsub.azure.v1";
const plainProtobuf = ["protobuf.webpubsub.azure.v1"];

/** A connection whose `connected` was read; what comes next on its socket came after it. */
interface Client {
  readonly socket: WebSocketClient;
  readonly hub: string;
  readonly connectionId: string;
  readonly reconnectionToken: string;
}

type RecoveryOptions = Partial<ClientOptions> & { readonly id?: string; readonly reconnectionToken?: string | null };

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

async function started(socket: WebSocketClient, hub: string): Promise<Client> {
  const first = decodeMessage(await socket.nextBinary());
  if (first.case !== "systemMessage" || first.value.message.case !== "connectedMessage")
    throw new Error(`the first frame is not connected but ${first.case}`);
  const { connectionId, reconnectionToken } = first.value.message.value;
  return { socket, hub, connectionId, reconnectionToken: reconnectionToken ?? "" };
}

async function connect(options: Partial<ClientOptions> = {}): Promise<Client> {
  const all = { hub: freshName("hub"), roles: allRoles, subprotocols: [reliableProtobuf], ...options };
  return started(await openClient(server, all), all.hub);
}

/** The socket of a recovery, as it is after the 101; without access token unless one is given. */
async function tryToRecover(client: Client, options: RecoveryOptions = {}): Promise<WebSocketClient> {
  const { id = client.connectionId, reconnectionToken = client.reconnectionToken, ...rest } = options;
  const query: Record<string, string> = { awps_connection_id: id };
  if (reconnectionToken !== null) query["awps_reconnection_token"] = reconnectionToken;
  return openClient(server, { hub: client.hub, token: null, subprotocols: [reliableProtobuf], ...rest, query });
}

async function recover(client: Client, options: RecoveryOptions = {}): Promise<Client> {
  return started(await tryToRecover(client, options), client.hub);
}

const request = (client: Client, message: Request): void => client.socket.send(encodeRequest(message));
const next = async (client: Client) => decodeMessage(await client.socket.nextBinary());

/** Sends a request that is acknowledged: its ack is what must come next, so nothing else did. */
async function join(client: Client, group: string, ackId: bigint): Promise<void> {
  request(client, { case: "joinGroupMessage", value: { group, ackId } });
  expect(await client.socket.nextBinary()).toEqual(field(1, tagged(1, Number(ackId)), tagged(2, 1)));
}

/** Releases everything up to a number, and waits until the server has taken it. */
async function release(client: Client, sequenceId: bigint, ackId: bigint): Promise<void> {
  request(client, { case: "sequenceAckMessage", value: { sequenceId } });
  await join(client, "released", ackId);
}

/** A field whose value is a varint. */
const tagged = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)]);

async function send(hub: string, body: string): Promise<void> {
  expect((await hubApi(server, hub)("POST", "/:send", { body })).status).toBe(202);
}

/** A text message of REST as a reliable client receives it. */
const numbered = (sequenceId: bigint, text: string) => ({
  case: "dataMessage" as const,
  value: { from: "server", sequenceId, data: { data: { case: "textData", value: text } } },
});

/** Recovers and returns the numbers and texts that come, up to one that is sent afterwards. */
async function replayed(client: Client): Promise<{ readonly again: Client; readonly seen: readonly unknown[] }> {
  const again = await recover(client);
  const marker = await sendMarker(server, `/api/hubs/${client.hub}/:send`);
  const seen: unknown[] = [];
  for (;;) {
    const message = await next(again);
    const text = message.case === "dataMessage" ? message.value.data?.data.value : undefined;
    if (text === marker) return { again, seen };
    seen.push([message.case === "dataMessage" ? message.value.sequenceId : null, text]);
  }
}

test("C-90 C-70 connected has a URL-safe reconnection token; a plain protobuf client gets none", async () => {
  const hub = freshName("hub");
  const options = { hub, userId: "u", subprotocols: [reliableProtobuf] };
  const socket = await openClient(server, options);
  expect(socket.subprotocol).toBe(reliableProtobuf);
  const frame = await socket.nextBinary();
  const message = decodeMessage(frame);
  const system = message.case === "systemMessage" ? message.value.message : null;
  const connected = system?.case === "connectedMessage" ? system.value : null;
  const { connectionId = "", reconnectionToken = "" } = connected ?? {};
  expect(reconnectionToken).toMatch(/^[A-Za-z0-9._~-]+$/);
  expect(frame).toEqual(field(3, field(1, field(1, connectionId), field(2, "u"), field(3, reconnectionToken))));
  const plain = await started(await openClient(server, { ...options, subprotocols: plainProtobuf }), hub);
  expect(plain.reconnectionToken).toBe("");
});

test("C-90 C-71 data messages of every source are numbered 1, 2, 3; acks, pong and system are not", async () => {
  const client = await connect();
  await join(client, "g", 1n);
  await send(client.hub, "a");
  expect(await next(client)).toMatchObject(numbered(1n, "a"));
  request(client, { case: "pingMessage", value: {} });
  expect(await client.socket.nextBinary()).toEqual(field(4));
  const data = { data: { case: "jsonData" as const, value: '{"b":1.0}' } };
  request(client, { case: "sendToGroupMessage", value: { group: "g", data, ackId: 2n, metadata: { key: "value" } } });
  const frames = [await next(client), await next(client)];
  expect(frames.find((frame) => frame.case === "dataMessage")?.value).toMatchObject({
    from: "group",
    group: "g",
    sequenceId: 2n,
    data,
    metadata: { key: "value" },
  });
  expect(frames.find((frame) => frame.case === "ackMessage")?.value).toMatchObject({ ackId: 2n, success: true });
  await send(client.hub, "c");
  expect(await next(client)).toMatchObject(numbered(3n, "c"));
});

test("C-90 C-71 numbers and messages of more than one byte of length are written right", async () => {
  const client = await connect({ groups: ["g"] });
  for (let count = 1; count <= 300; count++) {
    const value = new Uint8Array(count).fill(count);
    request(client, {
      case: "sendToGroupMessage",
      value: { group: "g", data: { data: { case: "binaryData", value } } },
    });
  }
  for (let count = 1; count <= 300; count++) {
    const message = await next(client);
    if (message.case !== "dataMessage") throw new Error(`this arrived: ${message.case}`);
    expect(message.value.sequenceId).toBe(BigInt(count));
    expect(message.value.data?.data.value).toEqual(new Uint8Array(count).fill(count));
  }
});

test("C-90 C-71 each connection has numbers of its own, a plain protobuf client none", async () => {
  const hub = freshName("hub");
  const first = await connect({ hub });
  await send(hub, "a");
  const second = await connect({ hub });
  const plain = await connectProtobuf(server, { hub });
  await send(hub, "b");
  expect([await next(first), await next(first)]).toMatchObject([numbered(1n, "a"), numbered(2n, "b")]);
  expect(await next(second)).toMatchObject(numbered(1n, "b"));
  const message = await plain.next();
  expect(message.case).toBe("dataMessage");
  if (message.case === "dataMessage") expect(message.value.sequenceId).toBeUndefined();
});

test("C-90 C-72 after a cut connection everything unconfirmed, sent meanwhile and live arrives in order", async () => {
  const client = await connect();
  for (const text of ["a", "b"]) await send(client.hub, text);
  const before = [await client.socket.nextBinary(), await client.socket.nextBinary()];
  client.socket.abort();
  for (const text of ["c", "d"]) await send(client.hub, text);
  const again = await recover(client);
  await send(client.hub, "e");
  expect([await again.socket.nextBinary(), await again.socket.nextBinary()]).toEqual(before);
  expect(before.map(decodeMessage)).toMatchObject([numbered(1n, "a"), numbered(2n, "b")]);
  for (const [id, text] of [
    [3n, "c"],
    [4n, "d"],
    [5n, "e"],
  ] as const)
    expect(await next(again)).toMatchObject(numbered(id, text));
  await join(again, "g", 1n);
});

test("C-90 C-73 a sequence ack releases everything up to it; smaller ones nothing, larger ones everything", async () => {
  const client = await connect();
  for (const text of ["a", "b", "c"]) await send(client.hub, text);
  for (let count = 0; count < 3; count++) await next(client);
  await release(client, 2n, 1n);
  await release(client, 1n, 2n);
  const once = await replayed(client);
  expect(once.seen).toEqual([[3n, "c"]]);
  await release(once.again, 2n ** 64n - 1n, 3n);
  expect((await replayed(once.again)).seen).toEqual([]);
});

test("C-90 C-74 groups, permissions and ack ids survive a recovery", async () => {
  const client = await connect({ roles: ["webpubsub.joinLeaveGroup.g"] });
  await join(client, "g", 1n);
  client.socket.abort();
  const again = await recover(client);
  request(again, { case: "joinGroupMessage", value: { group: "g", ackId: 1n } });
  const duplicate = { ackId: 1n, success: false, error: { name: "Duplicate" } };
  expect(await next(again)).toMatchObject({ case: "ackMessage", value: duplicate });
  request(again, { case: "joinGroupMessage", value: { group: "other", ackId: 2n } });
  const forbidden = { ackId: 2n, success: false, error: { name: "Forbidden" } };
  expect(await next(again)).toMatchObject({ case: "ackMessage", value: forbidden });
  await hubApi(server, client.hub)("POST", "/groups/g/:send", { body: "x" });
  expect(await next(again)).toMatchObject({
    case: "dataMessage",
    value: { from: "group", group: "g", sequenceId: 1n, data: { data: { case: "textData", value: "x" } } },
  });
});

test("C-90 C-75 a recovery needs no access token, and an expired or wrong one does not matter", async () => {
  const { hub, ...client } = await connect();
  const expired = clientToken(server, { hub, claims: { iat: 1_600_000_000, exp: 1_600_003_600 } });
  let ackId = 1n;
  for (const token of [null, expired, "nonsense"]) {
    const again = await recover({ hub, ...client }, { token });
    expect(again.connectionId).toBe(client.connectionId);
    await join(again, "g", ackId++);
  }
});

test("C-90 C-76 connected with the same connection id and a token comes before what is replayed", async () => {
  let client = await connect();
  const { connectionId } = client;
  await send(client.hub, "a");
  for (let round = 0; round < 3; round++) {
    client.socket.abort();
    client = await recover(client);
    expect(client.connectionId).toBe(connectionId);
    expect(client.reconnectionToken).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect(await next(client)).toMatchObject(numbered(1n, "a"));
  }
});

test("C-90 C-76 protobuf is spoken whatever is offered, and echoed only where it is offered", async () => {
  const client = await connect();
  await send(client.hub, "a");
  let ackId = 1n;
  for (const [subprotocols, echoed] of [
    [[reliableJson], null],
    [[reliableJson, reliableProtobuf], reliableProtobuf],
    [plainProtobuf, null],
    [undefined, null],
  ] as const) {
    const again = await recover(client, { subprotocols });
    expect(again.socket.subprotocol).toBe(echoed);
    expect(again.connectionId).toBe(client.connectionId);
    expect(await next(again)).toMatchObject(numbered(1n, "a"));
    await join(again, "g", ackId++);
  }
});

test("C-90 C-77 what cannot be recovered is upgraded as offered, closed 1008, and harms nobody", async () => {
  const client = await connect();
  const { hub } = client;
  const plain = await connectProtobuf(server, { hub });
  const other = await connect({ hub });
  for (const options of [
    { reconnectionToken: "wrong" },
    { reconnectionToken: null },
    { reconnectionToken: "" },
    { reconnectionToken: other.reconnectionToken },
    { id: "unknown" },
    { id: plain.connectionId },
    { hub: freshName("hub") },
    { id: "unknown", subprotocols: [reliableJson, reliableProtobuf] },
  ]) {
    const socket = await tryToRecover(client, options);
    expect(socket.subprotocol).toBe(options.subprotocols?.[0] ?? reliableProtobuf);
    expect(await socket.closed()).toEqual(refusedRecovery);
  }
  await join(client, "g", 1n);
  client.socket.abort();
  expect(await (await tryToRecover(client, { reconnectionToken: "wrong" })).closed()).toEqual(refusedRecovery);
  expect((await recover(client)).connectionId).toBe(client.connectionId);
});
