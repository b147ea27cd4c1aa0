import { expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import { DownstreamMessageSchema } from "../../../portal/protobuf/webpubsub_pb.ts";
import { named } from "../../../tests/support/named.ts";
import { field, groupMessage } from "../../../tests/support/protobuf/wire.ts";
import type { Frame, OutboundControl, OutboundMessage, StreamPart } from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import { protobufReliableV1Encoder, protobufV1Encoder } from "./encode.ts";

const hex = (frame: Uint8Array | string | null): string =>
  frame instanceof Uint8Array ? frame.toHex() : `not bytes: ${frame}`;
const fromRoom = (payload: Payload, stream: StreamPart | null = null): OutboundMessage => ({
  from: { kind: "group", group: named.group("room"), fromUserId: named.user("u1") },
  payload,
  metadata: null,
  stream,
});

/** A message in the form that is shared by reliable recipients, with the number of one of them. */
function stamped(message: OutboundMessage, sequenceId: number): Frame {
  const { stamp } = protobufReliableV1Encoder;
  const shared = protobufReliableV1Encoder.message(message);
  if (stamp === null || shared === null) throw new Error("a reliable format has numbers, protobuf all messages");
  return stamp(shared, sequenceId);
}

test.each<[string, OutboundControl, string]>([
  ["ack 1", { kind: "ack", ackId: named.ackId("1"), error: null }, "0a0408011001"],
  ["ack 0", { kind: "ack", ackId: named.ackId("0"), error: null }, "0a021001"],
  [
    "ack 1, refused",
    { kind: "ack", ackId: named.ackId("1"), error: { name: "Forbidden", message: "no" } },
    "0a1308011a0f0a09466f7262696464656e12026e6f",
  ],
  [
    "ack 2^64-1",
    { kind: "ack", ackId: named.ackId("18446744073709551615"), error: null },
    "0a0d08ffffffffffffffffff011001",
  ],
  [
    "connected",
    {
      kind: "connected",
      connectionId: named.connection("c1"),
      userId: named.user("u1"),
      reconnectionToken: null,
    },
    "1a0a0a080a02633112027531",
  ],
  [
    "connected with a reconnection token",
    {
      kind: "connected",
      connectionId: named.connection("c1"),
      userId: named.user("u1"),
      reconnectionToken: "tok",
    },
    "1a0f0a0d0a026331120275311a03746f6b",
  ],
  [
    "connected without user",
    { kind: "connected", connectionId: named.connection("c1"), userId: null, reconnectionToken: null },
    "1a060a040a026331",
  ],
  ["disconnected", { kind: "disconnected", message: "bye" }, "1a0712051203627965"],
  ["disconnected without reason", { kind: "disconnected", message: "" }, "1a021200"],
  ["pong", { kind: "pong" }, "2200"],
  ["stream ack", { kind: "streamAck", streamId: "s", expected: 2 }, "32050a01731002"],
  [
    "stream nack",
    { kind: "streamNack", streamId: "s", expected: 2, name: "InvalidSequenceId", message: "" },
    "3a180a01731211496e76616c696453657175656e636549642002",
  ],
  ["stream closed", { kind: "streamClosed", streamId: "s", error: null }, "42030a0173"],
])("C-86 the vector of %s", (_what, control, vector) => {
  expect(hex(protobufV1Encoder.control(control))).toBe(vector);
});

test("C-86 the vectors of messages", () => {
  expect(hex(protobufV1Encoder.message(fromRoom({ kind: "text", text: "hi" })))).toBe(
    "12130a0567726f75701204726f6f6d1a040a026869",
  );
  expect(
    hex(
      protobufV1Encoder.message({
        from: { kind: "server" },
        payload: { kind: "json", source: '{"a":1}' },
        metadata: null,
        stream: null,
      }),
    ),
  ).toBe("12130a067365727665721a0922077b2261223a317d");
});

test("C-86 C-71 a number is put into the shared message of a reliable recipient", () => {
  expect(hex(stamped(fromRoom({ kind: "text", text: "hi" }), 1))).toBe(
    "12150a0567726f75701204726f6f6d1a040a0268692001",
  );
  // Numbers and lengths of more than one byte, up to the largest exact one.
  for (const id of [127, 128, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
    const long = stamped(fromRoom({ kind: "text", text: "x".repeat(300) }), id);
    const downstream = fromBinary(DownstreamMessageSchema, long as Uint8Array);
    const data = downstream.message.case === "dataMessage" ? downstream.message.value : null;
    expect(data?.sequenceId).toBe(BigInt(id));
    expect(data?.data?.data.value).toBe("x".repeat(300));
  }
});

const bytes = new Uint8Array([1, 2, 3]);
test.each<[string, Payload, Uint8Array]>([
  ["text", { kind: "text", text: "hi" }, field(1, "hi")],
  ["empty text", { kind: "text", text: "" }, field(1)],
  ["text of 3000 characters", { kind: "text", text: "é".repeat(3000) }, field(1, "é".repeat(3000))],
  ["json", { kind: "json", source: '{"a": 1.0}' }, field(4, '{"a": 1.0}')],
  ["a json string", { kind: "json", source: '"hi"' }, field(4, '"hi"')],
  ["binary", { kind: "binary", bytes }, field(2, bytes)],
  ["no bytes", { kind: "binary", bytes: new Uint8Array() }, field(2)],
  [
    "an Any",
    { kind: "protobuf", any: Uint8Array.fromHex("12020801" + "0a0161") },
    field(3, Uint8Array.fromHex("120208010a0161")),
  ],
])("C-51 C-89 %s", (_what, payload, messageData) => {
  expect(hex(protobufV1Encoder.message(fromRoom(payload)))).toBe(hex(groupMessage("room", messageData)));
});

test("C-47 metadata in the order of sending", () => {
  const metadata = [
    ["b", "2"],
    ["a", ""],
  ] as const;
  const frame = protobufV1Encoder.message({
    from: { kind: "server" },
    payload: { kind: "text", text: "" },
    metadata,
    stream: null,
  });
  expect(hex(frame)).toBe(
    hex(
      field(
        2,
        field(1, "server"),
        field(3, field(1)),
        field(5, field(1, "b"), field(2, "2")),
        field(5, field(1, "a"), field(2)),
      ),
    ),
  );
});

const empty: Payload = { kind: "text", text: "" };
test.each<[string, StreamPart, Uint8Array]>([
  ["a fragment", { streamId: "s", sequenceId: 300, end: null }, field(6, field(1, "s"), Uint8Array.fromHex("10ac02"))],
  [
    "the end",
    { streamId: "s", sequenceId: 2, end: { error: null } },
    field(6, field(1, "s"), Uint8Array.fromHex("10021801")),
  ],
  [
    "an end with an error of the user",
    {
      streamId: "s",
      sequenceId: 2,
      end: { error: { name: "UserError", message: "no more", userErrorCode: "E1" } },
    },
    field(
      6,
      field(1, "s"),
      Uint8Array.fromHex("10021801"),
      field(4, field(1, "UserError"), field(2, "no more"), field(3, "E1")),
    ),
  ],
  [
    "an end with an error that says nothing",
    { streamId: "s", sequenceId: 2, end: { error: { name: "Cancelled", message: null, userErrorCode: null } } },
    field(6, field(1, "s"), Uint8Array.fromHex("10021801"), field(4, field(1, "Cancelled"))),
  ],
])("C-96 %s of a stream, whose data member is set though it is empty", (_what, stream, streamInfo) => {
  const head = [field(1, "group"), field(2, "room"), field(3, field(1))];
  expect(hex(protobufV1Encoder.message(fromRoom(empty, stream)))).toBe(hex(field(2, ...head, streamInfo)));
  expect(hex(stamped(fromRoom(empty, stream), 7))).toBe(hex(field(2, ...head, streamInfo, Uint8Array.fromHex("2007"))));
});

test("C-97 C-98 a refused stream is closed with its error", () => {
  const closed = (message: string) =>
    protobufV1Encoder.control({ kind: "streamClosed", streamId: "s", error: { name: "IdleTimeout", message } });
  expect(hex(closed("late"))).toBe(hex(field(8, field(1, "s"), field(2, field(1, "IdleTimeout"), field(2, "late")))));
  expect(hex(closed(""))).toBe(hex(field(8, field(1, "s"), field(2, field(1, "IdleTimeout")))));
});

test("C-97 a nack says which number is expected and why", () => {
  const nack = { kind: "streamNack", streamId: "s", expected: 5, name: "InvalidSequenceId", message: "wait" } as const;
  expect(hex(protobufV1Encoder.control(nack))).toBe(
    hex(field(7, field(1, "s"), field(2, "InvalidSequenceId"), field(3, "wait"), Uint8Array.fromHex("2005"))),
  );
});

test("C-97 the problem of a stream without id is answered without id", () => {
  const error = { name: "BadRequest", message: "" } as const;
  expect(hex(protobufV1Encoder.control({ kind: "streamClosed", streamId: "", error }))).toBe(
    hex(field(8, field(2, field(1, "BadRequest")))),
  );
});

test("C-91 what the protocol has no message for is not sent", () => {
  for (const encoder of [protobufV1Encoder, protobufReliableV1Encoder]) {
    expect(encoder.groupState({ kind: "snapshot", group: named.group("room"), items: [] })).toBeNull();
    expect(
      encoder.control({ kind: "invokeResponse", invocationId: "1", outcome: { kind: "handled", reply: null } }),
    ).toBeNull();
  }
});
