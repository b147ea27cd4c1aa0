import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonFrame } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { connectProtobuf, type Data, type ProtobufClient } from "../support/protobuf/client.ts";
import { connectReliable } from "../support/reliable.ts";
import { anyServer, type Target } from "../support/server.ts";
import {
  answerTo,
  fragment,
  openStream,
  receivedEnd,
  receivedFragment,
  streamAck,
  streamClosed,
  streamEnd,
  streamStart,
} from "../support/streams.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const mayPublish = ["webpubsub.sendToGroup"];
const reliableProtobuf = "protobuf.reliable.webpubsub.azure.v1";

/** A member of group `g` for each protocol, in a hub of their own. */
async function connectMembers() {
  const hub = freshName("hub");
  const member = { hub, groups: ["g"] };
  return {
    hub,
    json: await connectJson(server, member),
    reliable: await connectReliable(server, member),
    protobuf: await connectProtobuf(server, member),
    reliableProtobuf: await connectProtobuf(server, { ...member, subprotocols: [reliableProtobuf] }),
    simple: await connectSimple(server, member),
  };
}

type Members = Awaited<ReturnType<typeof connectMembers>>;

/** What a protobuf client must find in the next message: these members and no others of a stream. */
async function nextPart(client: ProtobufClient): Promise<JsonFrame> {
  const message = await client.next();
  if (message.case !== "dataMessage") throw new Error(`this arrived: ${message.case}`);
  const { from, group, data, metadata, sequenceId, stream } = message.value;
  const { streamId, streamSequenceId, endOfStream, error } = stream ?? {};
  const shown = error === undefined ? undefined : { name: error.name, userErrorCode: error.userErrorCode };
  return { from, group, data: data?.data, metadata, sequenceId, streamId, streamSequenceId, endOfStream, error: shown };
}

/** A message of stream `s` as `nextPart` shows it. */
const part = (streamSequenceId: bigint, value: string, more: JsonFrame = {}): JsonFrame => ({
  from: "group",
  group: "g",
  data: { case: "textData", value },
  metadata: {},
  sequenceId: undefined,
  streamId: "s",
  streamSequenceId,
  endOfStream: undefined,
  error: undefined,
  ...more,
});

/** All members must now have two fragments and the end of stream `s`, each in the way of its protocol. */
async function expectStream(
  { json, reliable, protobuf, reliableProtobuf, simple }: Members,
  fromUserId: string | null,
) {
  const origin = { streamId: "s", fromUserId };
  const frames = [receivedFragment(origin, 1, "a"), receivedFragment(origin, 2, "b"), receivedEnd(origin, 3)];
  for (const [at, frame] of frames.entries()) {
    expect(await json.next()).toEqual(frame);
    expect(await reliable.next()).toEqual({ sequenceId: at + 1, ...frame });
  }
  const parts = [part(1n, "a"), part(2n, "b"), part(3n, "", { endOfStream: true })];
  for (const [at, each] of parts.entries()) {
    expect(await nextPart(protobuf)).toEqual(each);
    expect(await nextPart(reliableProtobuf)).toEqual({ ...each, sequenceId: BigInt(at + 1) });
  }
  for (const text of ["a", "b"]) expect(await simple.socket.nextText()).toBe(text);
  // The end is no frame for a simple client.
  await simple.nothingArrived();
}

describe("a stream reaches members of every protocol", () => {
  test("C-96 from a JSON client", async () => {
    const members = await connectMembers();
    const publisher = await connectJson(server, { hub: members.hub, userId: "ann", roles: mayPublish });
    await openStream(publisher, "s");
    expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
    expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamAck("s", 3));
    expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
    await expectStream(members, "ann");
  });

  test("C-96 from a reliable JSON client, whose answers have no sequence id", async () => {
    const members = await connectMembers();
    const publisher = await connectReliable(server, { hub: members.hub, roles: mayPublish });
    await openStream(publisher, "s");
    expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
    expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamAck("s", 3));
    expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
    await expectStream(members, null);
  });

  test.each(["protobuf.webpubsub.azure.v1", reliableProtobuf])("C-96 from a client of %s", async (subprotocol) => {
    const members = await connectMembers();
    const subprotocols = [subprotocol];
    const publisher = await connectProtobuf(server, {
      hub: members.hub,
      userId: "ann",
      roles: mayPublish,
      subprotocols,
    });
    publisher.send({ case: "sendToGroupMessage", value: { group: "g", stream: { streamId: "s" } } });
    expect(await publisher.next()).toMatchObject(protobufAck(1n));
    for (const [id, value] of [
      [1n, "a"],
      [2n, "b"],
    ] as const) {
      publisher.send(protobufFragment(id, { case: "textData", value }));
      expect(await publisher.next()).toMatchObject(protobufAck(id + 1n));
    }
    publisher.send({ case: "streamEndMessage", value: { streamId: "s" } });
    const closed = await publisher.next();
    expect(closed).toMatchObject({ case: "streamClosedMessage", value: { streamId: "s" } });
    expect(closed.case === "streamClosedMessage" ? closed.value.error : null).toBeUndefined();
    await expectStream(members, "ann");
  });
});

const protobufAck = (expectedSequenceId: bigint) => ({
  case: "streamAckMessage" as const,
  value: { streamId: "s", expectedSequenceId },
});

const protobufFragment = (streamSequenceId: bigint, data: Data) => ({
  case: "streamDataMessage" as const,
  value: { streamId: "s", streamSequenceId, data: { data } },
});

test("C-96 C-51 every kind of data of a fragment arrives as in an ordinary message", async () => {
  const members = await connectMembers();
  const publisher = await connectProtobuf(server, { hub: members.hub, roles: mayPublish });
  publisher.send({ case: "sendToGroupMessage", value: { group: "g", stream: { streamId: "s" } } });
  await publisher.next();
  const kinds: readonly (readonly [data: Data, shown: JsonFrame])[] = [
    [
      { case: "jsonData", value: '{ "n":1.0}' },
      { dataType: "json", data: { n: 1 } },
    ],
    [
      { case: "binaryData", value: new Uint8Array([1, 2, 255]) },
      { dataType: "binary", data: "AQL/" },
    ],
    [
      { case: "textData", value: "" },
      { dataType: "text", data: "" },
    ],
  ];
  for (const [at, [data, shown]] of kinds.entries()) {
    publisher.send(protobufFragment(BigInt(at + 1), data));
    const streamSequenceId = at + 1;
    expect(await members.json.next()).toMatchObject({ ...shown, stream: { streamId: "s", streamSequenceId } });
    expect((await nextPart(members.protobuf))["data"]).toMatchObject(data);
  }
  expect(await members.simple.socket.nextText()).toBe('{ "n":1.0}');
  expect(await members.simple.socket.nextBinary()).toEqual(Buffer.from([1, 2, 255]));
  // An empty fragment is a frame, unlike an empty end.
  expect(await members.simple.socket.nextText()).toBe("");
  await members.simple.nothingArrived();
});

test("C-96 an end with an error is told to members of every protocol but simple ones", async () => {
  const members = await connectMembers();
  const publisher = await connectProtobuf(server, { hub: members.hub, roles: mayPublish });
  const metadata = { Key: "value" };
  publisher.send({ case: "sendToGroupMessage", value: { group: "g", metadata, stream: { streamId: "s" } } });
  await publisher.next();
  const error = { message: "no more", userErrorCode: "E1" };
  publisher.send({ case: "streamEndMessage", value: { streamId: "s", error } });
  const shown = { name: "UserError", ...error };
  expect(await members.json.next()).toEqual({ ...receivedEnd({ streamId: "s" }, 1, shown), metadata });
  const end = { endOfStream: true, metadata, error: { name: "UserError", userErrorCode: "E1" } };
  expect(await nextPart(members.protobuf)).toEqual(part(1n, "", end));
  await members.simple.nothingArrived();
});

describe("a protobuf publisher", () => {
  test("C-97 is answered nack, a repeated ack, StreamNotFound and Forbidden", async () => {
    const hub = freshName("hub");
    const member = await connectJson(server, { hub, groups: ["g"] });
    const publisher = await connectProtobuf(server, { hub, roles: mayPublish });
    publisher.send({ case: "streamDataMessage", value: { streamId: "s" } });
    expect(await publisher.next()).toMatchObject(protobufClosed("StreamNotFound"));
    publisher.send({ case: "sendToGroupMessage", value: { group: "g", stream: { streamId: "s" } } });
    expect(await publisher.next()).toMatchObject(protobufAck(1n));
    const text = { case: "textData" as const, value: "a" };
    publisher.send(protobufFragment(2n, text));
    expect(await publisher.next()).toMatchObject({
      case: "streamNackMessage",
      value: { streamId: "s", expectedSequenceId: 1n, name: "InvalidSequenceId" },
    });
    for (let time = 0; time < 2; time++) {
      publisher.send(protobufFragment(1n, text));
      expect(await publisher.next()).toMatchObject(protobufAck(2n));
    }
    const path = `/permissions/sendToGroup/connections/${publisher.connectionId}?targetName=g`;
    expect((await hubApi(server, hub)("DELETE", path)).status).toBe(204);
    publisher.send(protobufFragment(2n, text));
    expect(await publisher.next()).toMatchObject(protobufClosed("Forbidden"));
    expect(await member.next()).toEqual(receivedFragment({ streamId: "s" }, 1, "a"));
    expect(await member.next()).toEqual(receivedEnd({ streamId: "s" }, 2, "Forbidden"));
  });

  test("C-98 learns of an idle time-out, and a keep-alive is not delivered", async () => {
    const hub = freshName("hub");
    const member = await connectJson(server, { hub, groups: ["g"] });
    const publisher = await connectProtobuf(server, { hub, roles: mayPublish });
    const stream = { streamId: "s", idleTimeoutMs: 1000 };
    publisher.send({ case: "sendToGroupMessage", value: { group: "g", stream } });
    publisher.send({ case: "streamDataMessage", value: { streamId: "s" } });
    expect(await publisher.next()).toMatchObject(protobufAck(1n));
    expect(await publisher.next()).toMatchObject(protobufClosed("IdleTimeout"));
    expect(await member.next()).toEqual(receivedEnd({ streamId: "s" }, 1, "IdleTimeout"));
  });

  test("C-97 with a broken frame loses its stream alone", async () => {
    const hub = freshName("hub");
    const member = await connectJson(server, { hub, groups: ["g"] });
    const publisher = await connectProtobuf(server, { hub, roles: mayPublish });
    publisher.send({ case: "sendToGroupMessage", value: { group: "g", stream: { streamId: "s" } } });
    expect(await publisher.next()).toMatchObject(protobufAck(1n));
    publisher.send({ case: "streamDataMessage", value: { streamId: "s", streamSequenceId: 1n } });
    expect(await publisher.next()).toMatchObject(protobufClosed("BadRequest"));
    expect(await member.next()).toEqual(receivedEnd({ streamId: "s" }, 1, "InternalServerError"));
    const start = { group: "g", stream: { streamId: "s", idleTimeoutMs: 0 }, ackId: 7n };
    publisher.send({ case: "sendToGroupMessage", value: start });
    expect(await publisher.next()).toMatchObject(protobufClosed("BadRequest"));
    expect(await publisher.next()).toMatchObject({ case: "ackMessage", value: { ackId: 7n, success: false } });
  });
});

const protobufClosed = (name: string) => ({ case: "streamClosedMessage", value: { streamId: "s", error: { name } } });

test("C-91 C-96 clients that publish no stream get its messages alone", async () => {
  const { hub, json, reliable, protobuf, simple } = await connectMembers();
  const outsider = await connectProtobuf(server, { hub, roles: mayPublish });
  const publisher = await connectJson(server, { hub, roles: mayPublish });
  for (const streamId of ["s", "s", "t"]) await answerTo(publisher, streamStart(streamId));
  expect(await answerTo(publisher, fragment("s", 2, "early"))).toMatchObject({ type: "streamNack" });
  expect(await answerTo(publisher, streamEnd("other"))).toEqual(streamClosed("other", "StreamNotFound"));
  for (const client of [json, reliable, protobuf, simple, outsider]) await client.nothingArrived();
});
