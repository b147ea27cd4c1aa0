import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, openClient } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { connectProtobuf, decodeMessage, encodeRequest, type ProtobufClient } from "../support/protobuf/client.ts";
import { field, groupMessage } from "../support/protobuf/wire.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const connect = (): Promise<ProtobufClient> =>
  connectProtobuf(server, { hub: freshName("hub"), userId: "ann", roles: allRoles, groups: ["g"] });

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const invalidMessage = "The client message is not a valid protobuf.webpubsub.azure.v1 protocol message.";

/** Sends bad input; the client must be told the reason by DisconnectedMessage and then be closed as given. */
async function expectDeclined(
  client: ProtobufClient,
  message: string | Uint8Array,
  close: { readonly code: number; readonly reason: string },
): Promise<void> {
  client.socket.send(message);
  const farewell = await client.next();
  const system = farewell.case === "systemMessage" ? farewell.value.message : null;
  expect(system?.case).toBe("disconnectedMessage");
  if (system?.case === "disconnectedMessage") expect(system.value.reason).not.toBe("");
  expect(await client.socket.closed()).toEqual(close);
}

test.each([
  ["with a user", "u1", [field(2, "u1")]],
  ["without a user", null, []],
])("C-86 connected %s has exactly the published fields", async (_what, userId, user) => {
  const subprotocols = ["protobuf.webpubsub.azure.v1"];
  const socket = await openClient(server, { hub: freshName("hub"), userId, subprotocols });
  const frame = await socket.nextBinary();
  const message = decodeMessage(frame);
  const system = message.case === "systemMessage" ? message.value.message : null;
  const id = system?.case === "connectedMessage" ? system.value.connectionId : "";
  expect(frame).toEqual(field(3, field(1, field(1, id), ...user)));
});

test("C-86 the vectors of requests are answered by the vectors of answers", async () => {
  const client = await connectProtobuf(server, { hub: freshName("hub"), roles: allRoles });
  const exchange = async (request: string, answer: string): Promise<void> => {
    client.send(hex(request));
    expect((await client.socket.nextBinary()).toString("hex")).toBe(answer);
  };
  await exchange("4a00", "2200");
  await exchange("32080a04726f6f6d1002", "0a0408021001");
  await exchange("0a100a04726f6f6d10011a040a0268692001", "0a0408011001");
  await exchange(
    "0a160a04726f6f6d1a040a026869283c32060a016b120176",
    "121b0a0567726f75701204726f6f6d1a040a0268692a060a016b120176",
  );
  await exchange("3a080a04726f6f6d1003", "0a0408031001");
  client.send(hex("42020807"));
  await client.nothingArrived();
});

test.each([
  ["a message of zero bytes", ""],
  ["ff", "ff"],
  ["3200, joinGroup without group", "3200"],
  ["sendToGroup without data", "0a030a0167"],
  ["sendToGroup with data of no member", "0a050a01671a00"],
  ["an event without data", "2a040a026576"],
  ["an event without name", "2a061204120201ff"],
  ["an unknown member alone", "7a00"],
  ["a length beyond the end", "32100a04726f6f6d"],
  ["text that is not UTF-8", "0a080a01671a030a01ff"],
  ["a group that is not UTF-8", "32030a01ff"],
  ["a ttl of 301", "0a0b0a01671a030a017828ad02"],
  ["metadata with a blank in the key", "0a100a01671a030a017832060a0120120176"],
  ["data that are no JSON", "0a080a01671a0322017b"],
  ["data that are no Any", "0a080a01671a031a01ff"],
  ["an event with a stream", "2a0b0a02657612030a01782a00"],
  ["a stream to no group", "0a053a030a0173"],
])("C-87 %s closes 1007", async (_what, message) => {
  await expectDeclined(await connect(), hex(message), { code: 1007, reason: invalidMessage });
});

test("C-61 a text frame on the protobuf protocol closes 1003", async () => {
  await expectDeclined(await connect(), '{"type":"ping"}', {
    code: 1003,
    reason: "The protobuf.webpubsub.azure.v1 subprotocol requires binary messages.",
  });
});

test("C-88 an explicit ack id 0 is answered, no ack id is not", async () => {
  const client = await connect();
  client.send(hex("32080a04726f6f6d1000"));
  expect((await client.socket.nextBinary()).toString("hex")).toBe("0a021001");
  client.send(hex("32080a04726f6f6d1000"));
  expect(await client.next()).toMatchObject({ case: "ackMessage", value: { ackId: 0n, error: { name: "Duplicate" } } });
  client.send(hex("32060a04726f6f6d"));
  await client.nothingArrived();
});

test("C-88 an ack id of 2^64-1 comes back exactly", async () => {
  const client = await connect();
  const ackId = 2n ** 64n - 1n;
  client.send({ case: "joinGroupMessage", value: { group: "room", ackId } });
  expect(await client.next()).toMatchObject({ case: "ackMessage", value: { ackId, success: true } });
});

test("C-88 a refused request has success left out and its error", async () => {
  const client = await connectProtobuf(server, { hub: freshName("hub") });
  client.send({ case: "joinGroupMessage", value: { group: "room", ackId: 1n } });
  expect(await client.next()).toMatchObject({
    case: "ackMessage",
    value: { ackId: 1n, success: false, error: { name: "Forbidden" } },
  });
});

test("C-89 JSON arrives in json_data, from protobuf, JSON and REST alike", async () => {
  const client = await connect();
  const json = await connectJson(server, { hub: client.hub, roles: allRoles });
  const source = '{ "a" : 1.0,\n"b":12345678901234567890 }';
  const expected = groupMessage("g", field(4, source));
  client.send(encodeRequest({ case: "sendToGroupMessage", value: { group: "g", data: dataOf(source) } }));
  expect(await client.socket.nextBinary()).toEqual(expected);
  json.send(`{"type":"sendToGroup","group":"g","data":${source}}`);
  expect(await client.socket.nextBinary()).toEqual(expected);
  const path = `/api/hubs/${client.hub}/groups/g/:send`;
  await server.rest({ method: "POST", path, body: source, headers: { "Content-Type": "application/json" } });
  expect(await client.socket.nextBinary()).toEqual(expected);
});

const dataOf = (source: string) => ({ data: { case: "jsonData" as const, value: source } });

test.each([
  ["the published example", "0a1e747970652e676f6f676c65617069732e636f6d2f64656d6f2e506f696e7412020801"],
  ["its fields in the other order", "12020801" + "0a0161"],
  ["unknown fields", "1801" + "0a0161" + "220178" + "12020801"],
  ["a field twice", "0a0161" + "0a0162"],
  ["a length in more bytes than needed", "0a810061"],
  ["nothing at all", ""],
])("C-89 an Any with %s is relayed byte for byte", async (_what, any) => {
  const client = await connect();
  const json = await connectJson(server, { hub: client.hub, groups: ["g"] });
  client.send(field(1, field(1, "g"), field(3, field(3, hex(any)))));
  expect(await client.socket.nextBinary()).toEqual(groupMessage("g", field(3, hex(any))));
  expect(await json.next()).toMatchObject({ dataType: "protobuf", data: hex(any).toString("base64") });
});

test("C-91 nothing is sent to a protobuf client that did not ask for it", async () => {
  const client = await connect();
  const chatty = await connect();
  const bystander = await connectProtobuf(server, { hub: chatty.hub, groups: ["g"] });
  chatty.send({ case: "pingMessage", value: {} });
  expect((await chatty.next()).case).toBe("pongMessage");
  chatty.send({ case: "sendToGroupMessage", value: { group: "other", ackId: 1n, data: dataOf("1") } });
  expect((await chatty.next()).case).toBe("ackMessage");
  chatty.send({ case: "sequenceAckMessage", value: { sequenceId: 9n } });
  await chatty.nothingArrived();
  await bystander.nothingArrived();
  await client.nothingArrived();
});

test("C-49 C-50 metadata without data is an empty text, a ttl of 300 is accepted", async () => {
  const client = await connect();
  client.send({ case: "sendToGroupMessage", value: { group: "g", ttlSeconds: 300, metadata: { k: "v" } } });
  expect(await client.next()).toMatchObject({
    case: "dataMessage",
    value: { from: "group", group: "g", metadata: { k: "v" }, data: { data: { case: "textData", value: "" } } },
  });
});

test("C-36 noEcho keeps a message from its sender", async () => {
  const client = await connect();
  const other = await connectProtobuf(server, { hub: client.hub, groups: ["g"] });
  client.send({ case: "sendToGroupMessage", value: { group: "g", noEcho: true, ackId: 1n, data: dataOf("1") } });
  expect((await other.next()).case).toBe("dataMessage");
  expect((await client.next()).case).toBe("ackMessage");
  await client.nothingArrived();
});
