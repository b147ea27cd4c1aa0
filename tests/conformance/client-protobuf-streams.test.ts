import { afterAll, beforeAll, expect, test } from "bun:test";
import { freshName } from "../support/names.ts";
import { connectProtobuf, decodeMessage, type ProtobufClient } from "../support/protobuf/client.ts";
import { field, groupMessage, varint } from "../support/protobuf/wire.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** Requests of section 9.4. */
const startOnRoom = "0a0f0a04726f6f6d3a070a017310e0d403";
const fragment1 = "6a0a0a017310011a030a0178";
const keepAlive = "6a030a0173";
const end = "72030a0173";
/** Answers of section 9.4; the ack of a start differs from the vector in its number alone. */
const startAck = "32050a01731001";
const ack2 = "32050a01731002";
const closed = "42030a0173";

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const nextHex = async (client: ProtobufClient): Promise<string> => (await client.socket.nextBinary()).toString("hex");
/** A field whose value is a varint. */
const tagged = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)]);
/** A message of stream `s` to group `room`, whose data are this text. */
const streamMessage = (text: string, ...info: readonly Uint8Array[]): string => {
  const message = groupMessage("room", field(1, text)).subarray(2);
  return field(2, message, field(6, field(1, "s"), ...info)).toString("hex");
};

interface Pair {
  readonly publisher: ProtobufClient;
  /** In group `room`, which the publisher is not. */
  readonly member: ProtobufClient;
}

async function connect(): Promise<Pair> {
  const hub = freshName("hub");
  const publisher = await connectProtobuf(server, { hub, roles: allRoles });
  return { publisher, member: await connectProtobuf(server, { hub, groups: ["room"] }) };
}

/** Opens the stream `s` to `room`. */
async function openStream(client: ProtobufClient): Promise<void> {
  client.send(hex(startOnRoom));
  expect(await nextHex(client)).toBe(startAck);
}

test("C-86 C-96 the vectors of a stream are answered by the vectors of its answers", async () => {
  const { publisher, member } = await connect();
  await openStream(publisher);
  publisher.send(hex(fragment1));
  expect(await nextHex(publisher)).toBe(ack2);
  expect(await nextHex(member)).toBe(streamMessage("x", tagged(2, 1)));
  publisher.send(hex(keepAlive));
  await publisher.nothingArrived();
  await member.nothingArrived();
  publisher.send(hex(end));
  expect(await nextHex(publisher)).toBe(closed);
  // The data member is set though it is empty: a client may throw on a message without one.
  expect(await nextHex(member)).toBe(streamMessage("", tagged(2, 2), tagged(3, 1)));
});

test("C-96 a stream that ends with an error shows it to members, not to its publisher", async () => {
  const { publisher, member } = await connect();
  await openStream(publisher);
  const error = { message: "no more", userErrorCode: "E1" };
  publisher.send({ case: "streamEndMessage", value: { streamId: "s", error } });
  expect(await nextHex(publisher)).toBe(closed);
  const shown = field(4, field(1, "UserError"), field(2, "no more"), field(3, "E1"));
  expect(await nextHex(member)).toBe(streamMessage("", tagged(2, 1), tagged(3, 1), shown));
});

test("C-96 C-71 a member on the reliable protocol gets the number of the message beside that of the stream", async () => {
  const { publisher } = await connect();
  const reliable = ["protobuf.reliable.webpubsub.azure.v1"];
  const member = await connectProtobuf(server, { hub: publisher.hub, groups: ["room"], subprotocols: reliable });
  const data = { data: { case: "textData" as const, value: "first" } };
  publisher.send({ case: "sendToGroupMessage", value: { group: "room", data } });
  await openStream(publisher);
  publisher.send(hex(fragment1));
  publisher.send(hex(end));
  expect(await member.next()).toMatchObject({ case: "dataMessage", value: { sequenceId: 1n } });
  expect(await member.next()).toMatchObject({
    case: "dataMessage",
    value: { sequenceId: 2n, stream: { streamId: "s", streamSequenceId: 1n } },
  });
  expect(await member.next()).toMatchObject({
    case: "dataMessage",
    value: { sequenceId: 3n, stream: { streamId: "s", streamSequenceId: 2n, endOfStream: true } },
  });
});

test("C-97 a gap is a nack, a duplicate an ack; neither is delivered", async () => {
  const { publisher, member } = await connect();
  await openStream(publisher);
  const send = (sequenceId: bigint, value: string): void => {
    const data = { data: { case: "textData" as const, value } };
    publisher.send({ case: "streamDataMessage", value: { streamId: "s", streamSequenceId: sequenceId, data } });
  };
  send(2n, "early");
  expect(await publisher.next()).toMatchObject({
    case: "streamNackMessage",
    value: { streamId: "s", name: "InvalidSequenceId", expectedSequenceId: 1n },
  });
  send(1n, "x");
  expect(await nextHex(publisher)).toBe(ack2);
  send(1n, "again");
  expect(await nextHex(publisher)).toBe(ack2);
  expect(await nextHex(member)).toBe(streamMessage("x", tagged(2, 1)));
  await member.nothingArrived();
});

test.each([
  ["data of an unknown stream", fragment1, "StreamNotFound"],
  ["a keep-alive of an unknown stream", keepAlive, "StreamNotFound"],
  ["the end of an unknown stream", end, "StreamNotFound"],
  ["a start without idle time", "0a0d0a04726f6f6d3a050a01731000", "BadRequest"],
  ["a start with data", "0a100a04726f6f6d1a030a01783a030a0173", "BadRequest"],
])("C-97 %s closes the stream, not the connection", async (_what, request, name) => {
  const { publisher, member } = await connect();
  publisher.send(hex(request));
  expect(await publisher.next()).toMatchObject({
    case: "streamClosedMessage",
    value: { streamId: "s", error: { name } },
  });
  await publisher.nothingArrived();
  await member.nothingArrived();
});

test("C-97 a start without role is refused, and answered by an ack too when it has an ack id", async () => {
  const client = await connectProtobuf(server, { hub: freshName("hub") });
  client.send(hex(startOnRoom));
  const refused = { case: "streamClosedMessage", value: { streamId: "s", error: { name: "Forbidden" } } } as const;
  expect(await client.next()).toMatchObject(refused);
  const value = { group: "room", ackId: 5n, stream: { streamId: "s" } };
  client.send({ case: "sendToGroupMessage", value });
  const answers = [await client.next(), await client.next()];
  expect(answers.find((answer) => answer.case === "streamClosedMessage")).toMatchObject(refused);
  expect(answers.find((answer) => answer.case === "ackMessage")?.value).toMatchObject({
    ackId: 5n,
    success: false,
    error: { name: "Forbidden" },
  });
});

test("C-98 a stream without a sign of life is closed for its publisher and its members", async () => {
  const { publisher, member } = await connect();
  const value = { group: "room", stream: { streamId: "s", idleTimeoutMs: 50 } };
  publisher.send({ case: "sendToGroupMessage", value });
  expect(await nextHex(publisher)).toBe(startAck);
  expect(await publisher.next()).toMatchObject({
    case: "streamClosedMessage",
    value: { streamId: "s", error: { name: "IdleTimeout" } },
  });
  const last = decodeMessage(await member.socket.nextBinary());
  expect(last).toMatchObject({
    case: "dataMessage",
    value: {
      data: { data: { case: "textData", value: "" } },
      stream: { streamSequenceId: 1n, endOfStream: true, error: { name: "IdleTimeout" } },
    },
  });
});
