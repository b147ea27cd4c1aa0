import { expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import { named } from "../../../tests/support/named.ts";
import { DownstreamMessageSchema } from "../../../tests/support/protobuf/webpubsub_pb.ts";
import { field, groupMessage } from "../../../tests/support/protobuf/wire.ts";
import type { OutboundControl, OutboundMessage } from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import { protobufReliableV1Encoder, protobufV1Encoder } from "./encode.ts";

const hex = (frame: Uint8Array | string | null): string =>
  frame instanceof Uint8Array ? frame.toHex() : `not bytes: ${frame}`;
const fromRoom = (payload: Payload): OutboundMessage => ({
  from: { kind: "group", group: named.group("room"), fromUserId: named.user("u1") },
  payload,
  metadata: null,
});

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
      }),
    ),
  ).toBe("12130a067365727665721a0922077b2261223a317d");
});

test("C-86 C-71 a number is put into the shared message of a reliable recipient", () => {
  const { stamp } = protobufReliableV1Encoder;
  const shared = protobufReliableV1Encoder.message(fromRoom({ kind: "text", text: "hi" }));
  if (stamp === null) throw new Error("a reliable format has numbers");
  expect(hex(stamp(shared, 1))).toBe("12150a0567726f75701204726f6f6d1a040a0268692001");
  // Numbers and lengths of more than one byte, up to the largest exact one.
  for (const id of [127, 128, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
    const long = protobufReliableV1Encoder.message(fromRoom({ kind: "text", text: "x".repeat(300) }));
    const downstream = fromBinary(DownstreamMessageSchema, stamp(long, id) as Uint8Array);
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
  const frame = protobufV1Encoder.message({ from: { kind: "server" }, payload: { kind: "text", text: "" }, metadata });
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
