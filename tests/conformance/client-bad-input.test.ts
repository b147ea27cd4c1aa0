import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { opcodes } from "../support/frames.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const connect = (): Promise<JsonClient> =>
  connectJson(server, { hub: freshName("hub"), userId: "ann", roles: allRoles });
const join = (members: string): string => `{"type":"joinGroup",${members}}`;

test.each([
  ["not json", "not json"],
  ["an empty message", ""],
  ["an array", "[]"],
  ["a string", '"joinGroup"'],
  ["null", "null"],
  ["an object without type", "{}"],
  ["an unknown type", '{"type":"nope"}'],
  ["a type that is no string", '{"type":1}'],
  ["no group", '{"type":"joinGroup"}'],
  ["a group that is no string", join('"group":1')],
  ["an empty group", join('"group":""')],
  ["a blank group", join('"group":" \\t"')],
  ["a group of 1025 characters", join(`"group":"${"g".repeat(1025)}"`)],
  ["leaveGroup without group", '{"type":"leaveGroup"}'],
  ["sendToGroup without group", '{"type":"sendToGroup","data":1}'],
  ["sendToGroup without data", '{"type":"sendToGroup","group":"g"}'],
  ["noEcho that is no boolean", '{"type":"sendToGroup","group":"g","data":1,"noEcho":"true"}'],
  ["event without name", '{"type":"event","data":1}'],
  ["event without data", '{"type":"event","event":"e"}'],
  ["a trailing comma", '{"type":"ping",}'],
  ["a comment", '{"type":"ping"/* */}'],
  ["two values", '{"type":"ping"}{"type":"ping"}'],
  ["nesting beyond 64", `{"type":"sendToGroup","group":"g","data":${"[".repeat(64)}${"]".repeat(64)}}`],
])("C-57 %s closes 1007", async (_what, message) => {
  await expectDeclined(await connect(), message);
});

test("C-57 a client that sends nonsense disturbs no other", async () => {
  const bystander = await connect();
  const other = await connectJson(server, { hub: bystander.hub });
  await expectDeclined(other, "nonsense");
  await bystander.nothingArrived();
});

test("C-58 a group of 1024 characters is accepted", async () => {
  const client = await connect();
  const group = "g".repeat(1024);
  expect(await client.ask({ type: "joinGroup", group })).toEqual({ success: true });
  client.send({ type: "sendToGroup", group, data: 1 });
  expect(await client.next()).toMatchObject({ group, data: 1 });
});

test.each(["-1", "1.5", '"1"', "1e2", "18446744073709551616", "true", "{}"])(
  "C-59 ackId %s closes 1007",
  async (ackId) => {
    await expectDeclined(await connect(), join(`"group":"g","ackId":${ackId}`));
  },
);

test("C-60 property names are matched exactly: TYPE is not type", async () => {
  await expectDeclined(await connect(), '{"TYPE":"ping"}');
});

test("C-60 the type is matched in any case, unknown properties are ignored, the last of repeated ones counts", async () => {
  const client = await connect();
  for (const message of [
    '{"type":"PING"}',
    '{"x":{"type":1},"type":"ping","Type":"nope"}',
    '{"type":"nope","type":"ping"}',
    ' \n{ "type" :\t"ping" } ',
  ]) {
    client.send(message);
    expect(await client.next()).toEqual({ type: "pong" });
  }
  client.send('{"type":"joinGroup","group":"a","group":"b","ackId":null}');
  client.send('{"type":"sendToGroup","group":"b","data":1}');
  expect(await client.next()).toMatchObject({ type: "message", group: "b" });
});

test("C-61 a binary frame on the JSON protocol closes 1003", async () => {
  await expectDeclined(await connect(), Buffer.from('{"type":"ping"}'), {
    code: 1003,
    reason: "The JSON subprotocol requires text messages.",
  });
});

const mebibyte = 1_048_576;
/** The text is the runtime's own, sent before any code of ours sees the message (docs/compat.md). */
const tooLarge = 1009;

/** A valid frame of exactly `length` bytes. */
function sendOf(length: number): string {
  const [head, tail] = ['{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"', '"}'];
  return `${head}${"x".repeat(length - head.length - tail.length)}${tail}`;
}

/** Sends text in frames of 400,000 bytes. */
function sendFragmented(client: JsonClient, message: string): void {
  const size = 400_000;
  for (let at = 0; at < message.length; at += size) {
    const opcode = at === 0 ? opcodes.text : opcodes.continuation;
    client.socket.sendFrame({ opcode, fin: at + size >= message.length, payload: message.slice(at, at + size) });
  }
}

test("C-62 a message of 1 MiB passes, in one frame and in fragments", async () => {
  const client = await connect();
  const member = await connectJson(server, { hub: client.hub, groups: ["g"] });
  client.send(sendOf(mebibyte));
  expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
  expect((await member.socket.nextText()).length).toBeGreaterThan(mebibyte - 100);
  sendFragmented(client, sendOf(mebibyte).replace('"ackId":1,', '"ackId":2,'));
  expect(await client.next()).toEqual({ type: "ack", ackId: 2, success: true });
  expect((await member.socket.nextText()).length).toBeGreaterThan(mebibyte - 100);
});

test("C-62 one byte more closes 1009", async () => {
  const client = await connect();
  client.send(sendOf(mebibyte + 1));
  expect((await client.socket.closed()).code).toBe(tooLarge);
});

test("C-62 one byte more in fragments closes 1009", async () => {
  const client = await connect();
  sendFragmented(client, sendOf(mebibyte + 1));
  expect((await client.socket.closed()).code).toBe(tooLarge);
});

test("C-62 one byte more closes a simple client with 1009", async () => {
  const query = { webpubsub_mode: "sendToGroup", group: "g" };
  const client = await connectSimple(server, { hub: freshName("hub"), roles: allRoles, query });
  client.socket.send(new Uint8Array(mebibyte + 1));
  expect((await client.socket.closed()).code).toBe(tooLarge);
});

test("C-63 sequenceAck on the plain protocol is ignored", async () => {
  const client = await connect();
  client.send({ type: "sequenceAck", sequenceId: 1 });
  client.send('{"type":"sequenceAck","sequenceId":18446744073709551615}');
  client.send({ type: "ping" });
  expect(await client.next()).toEqual({ type: "pong" });
});
