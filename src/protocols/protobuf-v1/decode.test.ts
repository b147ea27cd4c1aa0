import { expect, test } from "bun:test";
import { encodeRequest, type Request } from "../../../tests/support/protobuf/client.ts";
import { field, varint } from "../../../tests/support/protobuf/wire.ts";
import type { Command } from "../../core/commands.ts";
import { decodeProtobufV1 } from "./decode.ts";

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text);

type Expected = { readonly kind: Command["kind"] } & Readonly<Record<string, unknown>>;

/** Compares with plain values: a command's names are strings with a brand that only types can see. */
function expectCommand(
  frame: Uint8Array,
  command: { readonly kind: Command["kind"] } & Readonly<Record<string, unknown>>,
) {
  const decoded: unknown = decodeProtobufV1(frame);
  expect(decoded).toEqual(command);
}

function expectInvalid(frame: Uint8Array, text: RegExp) {
  const decoded = decodeProtobufV1(frame);
  if (decoded.kind !== "fault") throw new Error(`decoded to ${decoded.kind}`);
  expect(decoded.cause).toBe("invalidProtobufMessage");
  expect(decoded.text).toMatch(text);
}

const toRoom = {
  kind: "sendToGroup",
  group: "room",
  metadata: null,
  noEcho: false,
  ttlSeconds: 0,
  ackId: null,
} as const;
const hi = { kind: "text", text: "hi" };
const data = { data: { case: "textData", value: "hi" } } as const;
const bytes123 = { data: { case: "binaryData" as const, value: new Uint8Array([1, 2, 3]) } };

test.each<[what: string, vector: string, meaning: { readonly request: Request; readonly command: Expected }]>([
  [
    "join with ack 2",
    "32080a04726f6f6d1002",
    {
      request: { case: "joinGroupMessage", value: { group: "room", ackId: 2n } },
      command: { kind: "joinGroup", group: "room", ackId: "2" },
    },
  ],
  [
    "join with explicit ack 0",
    "32080a04726f6f6d1000",
    {
      request: { case: "joinGroupMessage", value: { group: "room", ackId: 0n } },
      command: { kind: "joinGroup", group: "room", ackId: "0" },
    },
  ],
  [
    "leave with ack 3",
    "3a080a04726f6f6d1003",
    {
      request: { case: "leaveGroupMessage", value: { group: "room", ackId: 3n } },
      command: { kind: "leaveGroup", group: "room", ackId: "3" },
    },
  ],
  [
    "send with ack and no echo",
    "0a100a04726f6f6d10011a040a0268692001",
    {
      request: { case: "sendToGroupMessage", value: { group: "room", ackId: 1n, data, noEcho: true } },
      command: { ...toRoom, payload: hi, ackId: "1", noEcho: true },
    },
  ],
  [
    "send with ttl and metadata",
    "0a160a04726f6f6d1a040a026869283c32060a016b120176",
    {
      request: { case: "sendToGroupMessage", value: { group: "room", data, ttlSeconds: 60, metadata: { k: "v" } } },
      command: { ...toRoom, payload: hi, ttlSeconds: 60, metadata: [["k", "v"]] },
    },
  ],
  [
    "event",
    "2a0d0a026576120512030102031804",
    {
      request: { case: "eventMessage", value: { event: "ev", ackId: 4n, data: bytes123 } },
      command: {
        kind: "event",
        event: "ev",
        payload: { kind: "binary", bytes: hex("010203") },
        metadata: null,
        ackId: "4",
      },
    },
  ],
  [
    "sequence ack",
    "42020807",
    {
      request: { case: "sequenceAckMessage", value: { sequenceId: 7n } },
      command: { kind: "sequenceAck", sequenceId: "7" },
    },
  ],
  ["ping", "4a00", { request: { case: "pingMessage", value: {} }, command: { kind: "ping" } }],
  [
    "the start of a stream",
    "0a0f0a04726f6f6d3a070a017310e0d403",
    {
      request: {
        case: "sendToGroupMessage",
        value: { group: "room", stream: { streamId: "s", idleTimeoutMs: 60_000 } },
      },
      command: { ...toRoom, kind: "streamStart", streamId: "s", idleTimeoutMs: 60_000 },
    },
  ],
  [
    "a fragment",
    "6a0a0a017310011a030a0178",
    {
      request: {
        case: "streamDataMessage",
        value: { streamId: "s", streamSequenceId: 1n, data: { data: { case: "textData", value: "x" } } },
      },
      command: { kind: "streamData", streamId: "s", sequenceId: 1, payload: { kind: "text", text: "x" } },
    },
  ],
  [
    "a stream's keep-alive",
    "6a030a0173",
    {
      request: { case: "streamDataMessage", value: { streamId: "s" } },
      command: { kind: "streamKeepAlive", streamId: "s" },
    },
  ],
  [
    "the end of a stream",
    "72030a0173",
    {
      request: { case: "streamEndMessage", value: { streamId: "s" } },
      command: { kind: "streamEnd", streamId: "s", error: null },
    },
  ],
])("C-86 the vector of %s, read and written", (_what, vector, { request, command }) => {
  expectCommand(hex(vector), command);
  expect(encodeRequest(request).toHex()).toBe(vector);
});

test("C-61 a text frame asks for a binary one", () => {
  expect(decodeProtobufV1("")).toEqual({ kind: "fault", cause: "binaryRequired", text: null });
});

const send = (...parts: readonly (string | Uint8Array)[]): Buffer => field(1, field(1, "g"), ...parts);
const withData = (...parts: readonly (string | Uint8Array)[]): Buffer => send(field(3, field(1, "x")), ...parts);
const toG = { ...toRoom, group: "g", payload: { kind: "text", text: "x" } };
const entry = (key: string, value: string): Buffer => field(6, field(1, key), field(2, value));
const longTtl = Buffer.concat([varint(5 * 8), varint(301)]);

test.each([
  ["no bytes", hex(""), /member/],
  ["half a varint", hex("ff"), /member/],
  ["an unknown member alone", hex("7a00"), /member/],
  ["a reserved member alone", hex("1200"), /member/],
  ["a member that is no message", hex("3001"), /member/],
  ["field number 0", hex("0000"), /member/],
  ["an unfinished group", hex("4a007b"), /member/],
  ["bytes behind the message", hex("4a0000"), /member/],
  ["a length beyond the frame", hex("32060a0161"), /member/],
  ["a field that reaches beyond its message", hex("32030a0261624a00"), /member/],
  ["an ack id of eleven bytes", field(6, field(1, "g"), hex("10ffffffffffffffffffff01")), /member/],
  ["an unknown varint of eleven bytes", Buffer.concat([hex("f806ffffffffffffffffffff01"), field(9)]), /member/],
  ["an unknown field beyond the frame", Buffer.concat([field(9), hex("fa0602ff")]), /member/],
  ["an unknown field of 4 GiB", Buffer.concat([field(9), hex("fa06ffffffff0f")]), /member/],
  ["an unknown field that reaches beyond its message", hex("4a037a05614a00"), /member/],
  ["a group that is not UTF-8", field(6, field(1, hex("ff"))), /member/],
  ["a group to send to that is not UTF-8", field(1, field(1, hex("ff")), field(3, field(1, "x"))), /member/],
  ["a group of surrogates", field(6, field(1, hex("eda080"))), /member/],
  ["a text that is not UTF-8", send(field(3, field(1, hex("c3")))), /member/],
  ["JSON that is not UTF-8", send(field(3, field(4, hex("22ff22")))), /member/],
  ["a metadata value that is not UTF-8", withData(field(6, field(1, "k"), field(2, hex("ff")))), /member/],
  ["no group to join", hex("3200"), /group/],
  ["no group to leave", hex("3a00"), /group/],
  ["no group to send to", field(1, field(3, field(1, "x"))), /group/],
  ["a blank group", field(6, field(1, " ")), /group/],
  ["a group of 1025 characters", field(6, field(1, "g".repeat(1025))), /group/],
  ["no event", field(5, field(2, field(1, "x"))), /event/],
  ["an event with a blank", field(5, field(1, "a b"), field(2, field(1, "x"))), /event/],
  ["no data", send(), /data are missing/],
  ["data without a member", send(field(3)), /data are missing/],
  ["an event without data", field(5, field(1, "e")), /data are missing/],
  ["no JSON", send(field(3, field(4, "{"))), /JSON/],
  ["no JSON at all", send(field(3, field(4, ""))), /JSON/],
  ["JSON behind a byte order mark", send(field(3, field(4, "\ufeff1"))), /JSON/],
  ["JSON deeper than 64", send(field(3, field(4, "[".repeat(65) + "]".repeat(65)))), /JSON/],
  ["no Any", send(field(3, field(3, "hello"))), /Any/],
  ["an event's data that are no Any", field(5, field(1, "e"), field(2, field(3, "hello"))), /Any/],
  ["a ttl of 301", withData(longTtl), /ttl/],
  ["an empty metadata key", withData(entry("", "v")), /metadata/],
  ["metadata without key", withData(field(6)), /metadata/],
  ["a metadata value beyond ASCII", withData(entry("k", "é")), /metadata/],
  ["a long metadata value", withData(entry("k", "v".repeat(1025))), /metadata/],
  ["an event's metadata key with a blank", field(5, field(1, "e"), field(4, field(1, " "))), /metadata/],
  ["an event with a stream", field(5, field(1, "e"), field(2, field(1, "x")), field(5)), /event cannot be a stream/],
  ["the start of a stream to no group", field(1, field(7, field(1, "s"))), /group/],
  ["the start of a stream with a ttl of 301", send(field(7, field(1, "s")), longTtl), /ttl/],
  ["the start of a stream with metadata beyond ASCII", send(field(7, field(1, "s")), entry("k", "é")), /metadata/],
  ["a stream id to open that is not UTF-8", send(field(7, field(1, hex("ff")))), /member/],
  ["a stream id that is not UTF-8", field(13, field(1, hex("ff"))), /member/],
  ["a stream id to end that is not UTF-8", field(14, field(1, hex("ff"))), /member/],
  ["a stream's error that is not UTF-8", field(14, field(1, "s"), field(2, field(1, hex("ff")))), /member/],
  ["a stream's error code that is not UTF-8", field(14, field(1, "s"), field(2, field(2, hex("ff")))), /member/],
  [
    "a stream's data that are not UTF-8",
    field(13, field(1, "s"), hex("1001"), field(3, field(1, hex("ff")))),
    /member/,
  ],
  ["a stream's sequence id of eleven bytes", field(13, field(1, "s"), hex("10ffffffffffffffffffff01")), /member/],
  ["a stream's error that reaches beyond its message", hex("72060a0173120a0a"), /member/],
])("C-87 %s is refused", (_what, frame, text) => {
  expectInvalid(frame, text);
});

test("C-87 explicitly empty data are valid, and so is null in JSON", () => {
  expectCommand(send(field(3, field(1))), { ...toG, payload: { kind: "text", text: "" } });
  expectCommand(send(field(3, field(2))), { ...toG, payload: { kind: "binary", bytes: Buffer.alloc(0) } });
  expectCommand(send(field(3, field(3))), { ...toG, payload: { kind: "protobuf", any: Buffer.alloc(0) } });
  expectCommand(send(field(3, field(4, "null"))), { ...toG, payload: { kind: "json", source: "null" } });
});

test("C-49 metadata without data is an empty text", () => {
  const command = { ...toG, payload: { kind: "text", text: "" }, metadata: [["k", ""]] };
  expectCommand(send(entry("k", "")), command);
  expectCommand(send(field(3), entry("k", "")), command);
  expectCommand(send(field(6, field(1, "k"))), command);
});

test("C-86 unknown fields are skipped, whatever their type", () => {
  const unknown = hex("f8068001" + "f9060102030405060708" + "fa060161" + "fb06fa060161fc06" + "fd0601020304");
  expectCommand(Buffer.concat([unknown, field(6, unknown, field(1, "g"), unknown), unknown]), {
    kind: "joinGroup",
    group: "g",
    ackId: null,
  });
  expectCommand(field(9, unknown), { kind: "ping" });
  // A known number with another type of value is another field.
  expectCommand(field(6, field(1, "g"), field(2, "7")), { kind: "joinGroup", group: "g", ackId: null });
});

test("C-86 the last member wins, parts of one message are merged", () => {
  const ack5 = hex("1005");
  expectCommand(Buffer.concat([field(7, field(1, "a"), ack5), field(6, field(1, "g"))]), {
    kind: "joinGroup",
    group: "g",
    ackId: null,
  });
  expectCommand(Buffer.concat([field(6, field(1, "a"), ack5), field(6, field(1, "g"))]), {
    kind: "joinGroup",
    group: "g",
    ackId: "5",
  });
  expectCommand(send(field(3, field(4, "1"), field(1, "x")), field(3)), toG);
  expectCommand(withData(entry("k", "1"), entry("j", "2"), entry("k", "3")), {
    ...toG,
    metadata: [
      ["k", "3"],
      ["j", "2"],
    ],
  });
  expectCommand(Buffer.concat([field(6, field(1, "g")), field(14, field(1, "s"))]), {
    kind: "streamEnd",
    streamId: "s",
    error: null,
  });
});

test("C-34 ack ids are exact up to 2^64-1", () => {
  for (const ackId of [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n])
    expectCommand(encodeRequest({ case: "joinGroupMessage", value: { group: "g", ackId } }), {
      kind: "joinGroup",
      group: "g",
      ackId: String(ackId),
    });
});

test("C-86 a byte order mark in a string is a part of it", () => {
  expectCommand(field(6, field(1, `\ufeff${"g".repeat(40)}`)), {
    kind: "joinGroup",
    group: `\ufeff${"g".repeat(40)}`,
    ackId: null,
  });
});

test("C-89 an Any is the bytes it came in", () => {
  const any = hex("1801" + "12020801" + "0a0161" + "0a0162");
  expectCommand(send(field(3, field(3, any))), { ...toG, payload: { kind: "protobuf", any: Buffer.from(any) } });
});

test("H-33 a small part of a big frame does not keep the frame alive", () => {
  const padding = field(100, new Uint8Array(100_000));
  const bytesOf = (frame: Uint8Array): Uint8Array => {
    const decoded = decodeProtobufV1(new Uint8Array(frame));
    if (decoded.kind !== "sendToGroup") throw new Error(`a ${decoded.kind}`);
    const { payload } = decoded;
    if (payload.kind === "binary") return payload.bytes;
    if (payload.kind === "protobuf") return payload.any;
    throw new Error(`data of kind ${payload.kind}`);
  };
  for (const member of [2, 3]) {
    const small = send(field(3, field(member, hex("0a0161"))), padding);
    expect(bytesOf(small)).toEqual(hex("0a0161"));
    expect(bytesOf(small).buffer.byteLength).toBeLessThan(small.length / 2);
  }
});
