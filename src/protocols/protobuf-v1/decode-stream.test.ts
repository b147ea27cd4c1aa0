import { expect, test } from "bun:test";
import { field, varint } from "../../../tests/support/protobuf/wire.ts";
import type { Command } from "../../core/commands.ts";
import { decodeProtobufV1 } from "./decode.ts";

type Expected = { readonly kind: Command["kind"] } & Readonly<Record<string, unknown>>;

/** Compares with plain values: a command's names are strings with a brand that only types can see. */
function expectCommand(frame: Uint8Array, command: Expected) {
  const decoded: unknown = decodeProtobufV1(frame);
  expect(decoded).toEqual(command);
}

function expectProblem(frame: Uint8Array, problem: Expected, message: RegExp) {
  const decoded = decodeProtobufV1(frame);
  if (decoded.kind !== "streamProblem") throw new Error(`decoded to ${decoded.kind}`);
  expect(decoded.message).toMatch(message);
  const plain: unknown = decoded;
  expect(plain).toEqual({ ...problem, message: decoded.message });
}

/** A field whose value is a varint. */
const tagged = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)]);
/** Longer than any stream's. */
const longId = "s".repeat(1025);
const text = (value: string): Buffer => field(3, field(1, value));

const start = (info: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  field(1, field(1, "g"), ...parts, field(7, info));
const started = {
  kind: "streamStart",
  streamId: "s",
  group: "g",
  metadata: null,
  noEcho: false,
  ttlSeconds: 0,
  idleTimeoutMs: 300_000,
  ackId: null,
} as const;

test("C-96 a start takes everything from its message; without idle timeout it is 300 s", () => {
  expectCommand(start(field(1, "s")), started);
  const entry = field(6, field(1, "k"), field(2, "v"));
  expectCommand(start(field(1, "s"), tagged(2, 0), tagged(4, 1), tagged(5, 300), entry), {
    ...started,
    metadata: [["k", "v"]],
    noEcho: true,
    ttlSeconds: 300,
    ackId: "0",
  });
  expectCommand(start(Buffer.concat([field(1, "s"), tagged(2, 2 ** 32 - 1)])), {
    ...started,
    idleTimeoutMs: 2 ** 32 - 1,
  });
  expectCommand(start(field(1, "s".repeat(1024))), { ...started, streamId: "s".repeat(1024) });
});

test("C-96 data without a member are no data", () => {
  expectCommand(start(field(1, "s"), field(3)), started);
  expectCommand(field(13, field(1, "s"), field(3)), { kind: "streamKeepAlive", streamId: "s" });
});

test.each([
  ["without stream id", start(Buffer.alloc(0)), { streamId: "", message: /id is missing/ }],
  ["with a long stream id", start(field(1, longId)), { streamId: longId, message: /id is too long/ }],
  ["with data", start(field(1, "s"), text("x")), { streamId: "s", message: /cannot have data/ }],
  ["with empty data", start(field(1, "s"), text("")), { streamId: "s", message: /cannot have data/ }],
  ["without time", start(Buffer.concat([field(1, "s"), tagged(2, 0)])), { streamId: "s", message: /timeout/ }],
])("C-97 a start %s is a problem of the stream", (_what, frame, { streamId, message }) => {
  const problem = { kind: "streamProblem", streamId, opens: true, ackId: null } as const;
  expectProblem(frame, problem, message);
  // The parts of one message are merged: the same start with an ack id.
  const withAckId = Buffer.concat([frame, field(1, tagged(2, 7))]);
  expectProblem(withAckId, { ...problem, ackId: "7" }, message);
});

test.each([
  ["data alone", field(13, field(1, "s"), text("x")), /sequence id is missing/],
  ["a sequence id alone", field(13, field(1, "s"), tagged(2, 1)), /data are missing/],
  ["a sequence id with data of no member", field(13, field(1, "s"), tagged(2, 1), field(3)), /data are missing/],
  ["sequence id 0", field(13, field(1, "s"), tagged(2, 0), text("x")), /above 0/],
  ["sequence id 0 alone", field(13, field(1, "s"), tagged(2, 0)), /above 0/],
  ["data that are no JSON", field(13, field(1, "s"), tagged(2, 1), field(3, field(4, "{"))), /JSON/],
  ["data that are no Any", field(13, field(1, "s"), tagged(2, 1), field(3, field(3, "hello"))), /Any/],
])("C-97 %s is a problem of the stream", (_what, frame, message) => {
  expectProblem(frame, { kind: "streamProblem", streamId: "s", opens: false, ackId: null }, message);
});

test("C-96 fragments of every kind of data, explicitly empty ones too", () => {
  const payloads: readonly [Buffer, unknown][] = [
    [field(1), { kind: "text", text: "" }],
    [field(2), { kind: "binary", bytes: Buffer.alloc(0) }],
    [field(3), { kind: "protobuf", any: Buffer.alloc(0) }],
    [field(4, '{ "a": 1.0}'), { kind: "json", source: '{ "a": 1.0}' }],
  ];
  for (const [data, payload] of payloads)
    expectCommand(field(13, field(1, "s"), tagged(2, 3), field(3, data)), {
      kind: "streamData",
      streamId: "s",
      sequenceId: 3,
      payload,
    });
});

test("C-97 sequence ids are exact up to 2^53 and near the truth above", () => {
  for (const sequenceId of [1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    const bytes: number[] = [];
    let rest = sequenceId;
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
    const id = Buffer.from([16, ...bytes, Number(rest)]);
    expectCommand(field(13, field(1, "s"), id, text("x")), {
      kind: "streamData",
      streamId: "s",
      sequenceId: Number(sequenceId),
      payload: { kind: "text", text: "x" },
    });
  }
});

test("C-97 a stream id that no stream can have is left to whoever looks for the stream", () => {
  expectCommand(field(13), { kind: "streamKeepAlive", streamId: "" });
  expectCommand(field(13, field(1, longId)), { kind: "streamKeepAlive", streamId: longId });
  expectCommand(field(14), { kind: "streamEnd", streamId: "", error: null });
});

test("C-96 the end of a stream tells an absent part of its error from an empty one", () => {
  const end = (...error: readonly Uint8Array[]): Buffer => field(14, field(1, "s"), field(2, ...error));
  const ended = (message: string | null, userErrorCode: string | null): Expected => {
    return { kind: "streamEnd", streamId: "s", error: { message, userErrorCode } };
  };
  expectCommand(end(), ended(null, null));
  expectCommand(end(field(1, "m")), ended("m", null));
  expectCommand(end(field(2, "c")), ended(null, "c"));
  expectCommand(end(field(1), field(2)), ended("", ""));
});

test("C-86 parts of one stream message are merged, the last member of its data wins", () => {
  expectCommand(Buffer.concat([start(field(1, "a")), start(tagged(2, 9)), start(field(1, "s"))]), {
    ...started,
    idleTimeoutMs: 9,
  });
  const fragment = [field(13, field(1, "s")), field(13, tagged(2, 4), field(3, field(2, "b"))), field(13, text("x"))];
  expectCommand(Buffer.concat(fragment), {
    kind: "streamData",
    streamId: "s",
    sequenceId: 4,
    payload: { kind: "text", text: "x" },
  });
  const end = [field(14, field(2, field(1, "m"))), field(14, field(1, "s"), field(2, field(2, "c")))];
  expectCommand(Buffer.concat(end), {
    kind: "streamEnd",
    streamId: "s",
    error: { message: "m", userErrorCode: "c" },
  });
});

test("C-86 a stream message that another one follows is forgotten", () => {
  const fragment = field(13, field(1, "s"), tagged(2, 4), text("x"));
  expectCommand(Buffer.concat([fragment, field(9), field(13, field(1, "t"))]), {
    kind: "streamKeepAlive",
    streamId: "t",
  });
  expectCommand(Buffer.concat([fragment, field(14, field(1, "t"))]), { kind: "streamEnd", streamId: "t", error: null });
  expectCommand(Buffer.concat([field(14, field(1, "s"), field(2)), fragment, field(14)]), {
    kind: "streamEnd",
    streamId: "",
    error: null,
  });
});

test("C-86 unknown fields of stream messages are skipped", () => {
  const unknown = Buffer.concat([tagged(100, 5), field(101, "x"), Buffer.from("fb06fc06", "hex")]);
  expectCommand(field(13, unknown, field(1, "s"), unknown), { kind: "streamKeepAlive", streamId: "s" });
  expectCommand(field(14, unknown, field(1, "s"), field(2, unknown)), {
    kind: "streamEnd",
    streamId: "s",
    error: { message: null, userErrorCode: null },
  });
  expectCommand(start(Buffer.concat([unknown, field(1, "s")])), started);
  // A known number with another type of value is another field.
  expectCommand(field(13, field(1, "s"), field(2, "7")), { kind: "streamKeepAlive", streamId: "s" });
});

test("H-33 a small fragment of a big frame does not keep the frame alive", () => {
  const padding = field(100, new Uint8Array(100_000));
  const frame = field(13, field(1, "s"), tagged(2, 1), field(3, field(2, "x")), padding);
  const decoded = decodeProtobufV1(new Uint8Array(frame));
  if (decoded.kind !== "streamData" || decoded.payload.kind !== "binary") throw new Error(`a ${decoded.kind}`);
  expect(decoded.payload.bytes.buffer.byteLength).toBeLessThan(frame.length / 2);
});
