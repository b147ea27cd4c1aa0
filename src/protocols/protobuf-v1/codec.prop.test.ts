import { expect, test } from "bun:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type DataMessage, type MessageData, UpstreamMessageSchema } from "../../../portal/protobuf/webpubsub_pb.ts";
import { type Data, decodeMessage, encodeRequest, type Request } from "../../../tests/support/protobuf/client.ts";
import type { Command } from "../../core/commands.ts";
import { maxClientIdLength, parseAckId, parseEventName, parseGroupName } from "../../core/names.ts";
import type { Frame, OutboundControl, OutboundMessage, StreamPart } from "../../core/outbound.ts";
import { checkMetadata, type Metadata, type Payload } from "../../core/payload.ts";
import { decodeProtobufV1 } from "./decode.ts";
import { protobufReliableV1Encoder, protobufV1Encoder } from "./encode.ts";

function present<Value>(value: Value | null): value is Value {
  return value !== null;
}

/** The commands that a protobuf client can give; problems have no one form. */
type ProtobufCommand = Extract<
  Command,
  {
    readonly kind:
      | "joinGroup"
      | "leaveGroup"
      | "sendToGroup"
      | "event"
      | "sequenceAck"
      | "ping"
      | "streamStart"
      | "streamData"
      | "streamKeepAlive"
      | "streamEnd";
  }
>;

/** Strings that UTF-8 can express. */
const text = fc.string({ unit: "binary" }).map((value) => value.toWellFormed());
const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => new Uint8Array(value));
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n }));
const ackId = fc.option(uint64.map((id) => parseAckId(String(id))).filter(present));
const group = text.map(parseGroupName).filter(present);
const eventName = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)
  .map(parseEventName)
  .filter(present);
// Names that look like numbers would change places in the objects of the generated code.
const metadataKey = fc.stringMatching(/^[!#$%&'*+\-.^_`|~a-zA-Z]{1,8}$/).filter((key) => key !== "__proto__");
const metadata: fc.Arbitrary<Metadata | null> = fc.option(
  fc
    .uniqueArray(fc.tuple(metadataKey, fc.string({ unit: "binary-ascii" })), {
      minLength: 1,
      selector: ([key]) => key,
    })
    .filter((entries) => checkMetadata(entries) === null),
);
const payload: fc.Arbitrary<Payload> = fc.oneof(
  text.map((value): Payload => ({ kind: "text", text: value })),
  fc.json().map((source): Payload => ({ kind: "json", source: source.toWellFormed() })),
  bytes.map((value): Payload => ({ kind: "binary", bytes: value })),
  fc
    .uint8Array({ minLength: 1, maxLength: 100 })
    .map(
      (value): Payload => ({ kind: "protobuf", any: new Uint8Array([0x0a, 0x01, 0x61, 0x12, value.length, ...value]) }),
    ),
);
const streamId = fc
  .oneof(text, fc.constant("s".repeat(maxClientIdLength)))
  .filter((id) => id !== "" && id.length <= maxClientIdLength);
const sequenceNumber = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc
    .maxSafeInteger()
    .map(Math.abs)
    .map((n) => n || 1),
);
const command: fc.Arbitrary<ProtobufCommand> = fc.oneof(
  fc.record({ kind: fc.constantFrom("joinGroup" as const, "leaveGroup" as const), group, ackId }),
  fc.record({
    kind: fc.constant("sendToGroup" as const),
    group,
    payload,
    metadata,
    noEcho: fc.boolean(),
    ttlSeconds: fc.nat({ max: 300 }),
    ackId,
  }),
  fc.record({ kind: fc.constant("event" as const), event: eventName, payload, metadata, ackId }),
  fc.constant({ kind: "ping" as const }),
  fc.record({ kind: fc.constant("sequenceAck" as const), sequenceId: ackId.filter(present) }),
  fc.record({
    kind: fc.constant("streamStart" as const),
    streamId,
    group,
    metadata,
    noEcho: fc.boolean(),
    ttlSeconds: fc.nat({ max: 300 }),
    idleTimeoutMs: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    ackId,
  }),
  fc.record({ kind: fc.constant("streamData" as const), streamId: text, sequenceId: sequenceNumber, payload }),
  fc.record({ kind: fc.constant("streamKeepAlive" as const), streamId: text }),
  fc.record({
    kind: fc.constant("streamEnd" as const),
    streamId: text,
    error: fc.option(fc.record({ message: fc.option(text), userErrorCode: fc.option(text) })),
  }),
);

/** The request a client with generated code would send for a command. */
function requestOf(of: ProtobufCommand): Request {
  const shared = {
    ...("ackId" in of && of.ackId !== null ? { ackId: BigInt(of.ackId) } : {}),
    ...("metadata" in of && of.metadata !== null ? { metadata: Object.fromEntries(of.metadata) } : {}),
    ...("payload" in of ? { data: { data: dataOf(of.payload) } } : {}),
  };
  switch (of.kind) {
    case "joinGroup":
      return { case: "joinGroupMessage", value: { ...shared, group: of.group } };
    case "leaveGroup":
      return { case: "leaveGroupMessage", value: { ...shared, group: of.group } };
    case "sendToGroup":
      return {
        case: "sendToGroupMessage",
        value: { ...shared, group: of.group, noEcho: of.noEcho, ttlSeconds: of.ttlSeconds },
      };
    case "event":
      return { case: "eventMessage", value: { ...shared, event: of.event } };
    case "sequenceAck":
      return { case: "sequenceAckMessage", value: { sequenceId: BigInt(of.sequenceId) } };
    case "ping":
      return { case: "pingMessage", value: {} };
    case "streamStart": {
      const { group, noEcho, ttlSeconds, streamId, idleTimeoutMs } = of;
      const stream = { streamId, idleTimeoutMs };
      return { case: "sendToGroupMessage", value: { ...shared, group, noEcho, ttlSeconds, stream } };
    }
    case "streamData":
      return {
        case: "streamDataMessage",
        value: { ...shared, streamId: of.streamId, streamSequenceId: BigInt(of.sequenceId) },
      };
    case "streamKeepAlive":
      return { case: "streamDataMessage", value: { streamId: of.streamId } };
    case "streamEnd": {
      const { streamId, error } = of;
      if (error === null) return { case: "streamEndMessage", value: { streamId } };
      const { message, userErrorCode } = error;
      return {
        case: "streamEndMessage",
        value: {
          streamId,
          error: { ...(message === null ? {} : { message }), ...(userErrorCode === null ? {} : { userErrorCode }) },
        },
      };
    }
  }
}

function dataOf(of: Payload): Data {
  switch (of.kind) {
    case "text":
      return { case: "textData", value: of.text };
    case "json":
      return { case: "jsonData", value: of.source };
    case "binary":
      return { case: "binaryData", value: of.bytes };
    case "protobuf":
      return { case: "protobufData", value: { typeUrl: "a", value: new Uint8Array(of.any.subarray(5)) } };
  }
}

function payloadOf(data: MessageData["data"] | undefined): Payload | null {
  switch (data?.case) {
    case "textData":
      return { kind: "text", text: data.value };
    case "jsonData":
      return { kind: "json", source: data.value };
    case "binaryData":
      return { kind: "binary", bytes: data.value };
    case "protobufData":
      return {
        kind: "protobuf",
        any: new Uint8Array([0x0a, 0x01, 0x61, 0x12, data.value.value.length, ...data.value.value]),
      };
    case undefined:
      return null;
  }
}

test("H-14 what generated code writes decodes to the command", () => {
  fc.assert(
    fc.property(command, (wanted) => {
      expect(decodeProtobufV1(encodeRequest(requestOf(wanted)))).toEqual(wanted);
    }),
    { numRuns: 5000 },
  );
});

test("H-14 parts of requests are merged as generated code merges them", () => {
  const parts = fc.array(command, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(parts, (commands) => {
      const frame = new Uint8Array(Buffer.concat(commands.map((part) => encodeRequest(requestOf(part)))));
      const merged = toBinary(UpstreamMessageSchema, fromBinary(UpstreamMessageSchema, frame));
      expect(decodeProtobufV1(frame)).toEqual(decodeProtobufV1(merged));
    }),
    { numRuns: 2000 },
  );
});

const error = fc.record({
  name: fc.constantFrom("UserError" as const, "IdleTimeout" as const, "Cancelled" as const),
  message: fc.option(text),
  userErrorCode: fc.option(text),
});
const stream: fc.Arbitrary<StreamPart | null> = fc.option(
  fc.record({ streamId, sequenceId: sequenceNumber, end: fc.option(fc.record({ error: fc.option(error) })) }),
);
const message: fc.Arbitrary<OutboundMessage> = fc.record({
  from: fc.oneof(
    fc.constant({ kind: "server" as const }),
    fc.record({ kind: fc.constant("group" as const), group, fromUserId: fc.constantFrom(null, undefined) }),
  ),
  payload,
  metadata,
  stream,
});

function readBack(frame: Frame | null) {
  if (!(frame instanceof Uint8Array)) throw new Error("no binary frame");
  return decodeMessage(frame);
}

test("H-14 what is written is read the same by generated code, with and without a number", () => {
  const { stamp } = protobufReliableV1Encoder;
  const stamped = (of: OutboundMessage, sequenceId: number): Frame | null => {
    const shared = protobufReliableV1Encoder.message(of);
    return stamp === null || shared === null ? null : stamp(shared, sequenceId);
  };
  fc.assert(
    fc.property(message, sequenceNumber, (wanted, sequenceId) => {
      expectMessage(readBack(protobufV1Encoder.message(wanted)), wanted, undefined);
      expectMessage(readBack(stamped(wanted, sequenceId)), wanted, BigInt(sequenceId));
    }),
    { numRuns: 3000 },
  );
});

/** One comparison for all fields: thousands of messages are compared. */
function expectMessage(read: ReturnType<typeof readBack>, wanted: OutboundMessage, sequenceId: bigint | undefined) {
  if (read.case !== "dataMessage") throw new Error(`a ${read.case}`);
  const { value } = read;
  expect({
    from: value.from,
    group: value.group,
    sequenceId: value.sequenceId,
    payload: payloadOf(value.data?.data),
    metadata: value.metadata,
    stream: streamOf(value),
    unknown: value.$unknown,
  }).toEqual({
    from: wanted.from.kind,
    group: wanted.from.kind === "group" ? wanted.from.group : undefined,
    sequenceId,
    payload: wanted.payload,
    metadata: Object.fromEntries(wanted.metadata ?? []),
    stream: withoutEmpty(wanted.stream),
    unknown: undefined,
  });
}

function streamOf({ stream: info }: DataMessage): StreamPart | null {
  if (info === undefined) return null;
  const { streamId, streamSequenceId, endOfStream, error: cause } = info;
  if (endOfStream !== true) return { streamId, sequenceId: Number(streamSequenceId), end: null };
  const { name = "", message = "", userErrorCode = "" } = cause ?? {};
  const known = (["UserError", "IdleTimeout", "Cancelled"] as const).find((one) => one === name);
  return {
    streamId,
    sequenceId: Number(streamSequenceId),
    end: { error: known === undefined ? null : { name: known, message, userErrorCode } },
  };
}

/** The format has no presence for the texts of an error. */
function withoutEmpty(part: StreamPart | null): StreamPart | null {
  const cause = part?.end?.error ?? null;
  if (part === null || cause === null) return part;
  const { name, message, userErrorCode } = cause;
  return { ...part, end: { error: { name, message: message ?? "", userErrorCode: userErrorCode ?? "" } } };
}

test("H-14 answers to streams are read the same by generated code", () => {
  const control: fc.Arbitrary<Extract<OutboundControl, { readonly streamId: string }>> = fc.oneof(
    fc.record({ kind: fc.constant("streamAck" as const), streamId: text, expected: sequenceNumber }),
    fc.record({
      kind: fc.constant("streamNack" as const),
      streamId: text,
      expected: sequenceNumber,
      name: fc.constant("InvalidSequenceId" as const),
      message: text,
    }),
    fc.record({
      kind: fc.constant("streamClosed" as const),
      streamId: text,
      error: fc.option(
        fc.record({ name: fc.constantFrom("StreamNotFound" as const, "BadRequest" as const), message: text }),
      ),
    }),
  );
  fc.assert(
    fc.property(control, (wanted) => {
      const read = readBack(protobufV1Encoder.control(wanted));
      const { streamId } = wanted;
      switch (wanted.kind) {
        case "streamAck":
          expect(read).toMatchObject({
            case: "streamAckMessage",
            value: { streamId, expectedSequenceId: BigInt(wanted.expected) },
          });
          break;
        case "streamNack": {
          const { name, message, expected } = wanted;
          expect(read).toMatchObject({
            case: "streamNackMessage",
            value: { streamId, name, message, expectedSequenceId: BigInt(expected) },
          });
          break;
        }
        case "streamClosed":
          if (read.case !== "streamClosedMessage") throw new Error(`a ${read.case}`);
          expect(read.value.streamId).toBe(streamId);
          if (wanted.error === null) expect(read.value.error).toBeUndefined();
          else expect(read.value.error).toMatchObject(wanted.error);
      }
    }),
    { numRuns: 2000 },
  );
});

test("H-13 any bytes and any edited request are a command or the fault, and never throw", () => {
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 4 }));
  const edited = fc.tuple(command, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([base, edits]) =>
    edits.reduce(
      (frame, [at, length, inserted]) => {
        const index = at % (frame.length + 1);
        return new Uint8Array([...frame.subarray(0, index), ...inserted, ...frame.subarray(index + length)]);
      },
      encodeRequest(requestOf(base)),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), edited), (frame) => {
      const decoded = decodeProtobufV1(frame);
      if (decoded.kind === "fault") expect(decoded.cause).toBe("invalidProtobufMessage");
      else if (isPlain(decoded)) expect(decodeProtobufV1(encodeRequest(requestOf(decoded)))).toEqual(decoded);
    }),
    { numRuns: 10_000 },
  );
});

/**
 * Whether generated code can express the command unchanged, which it cannot for any Any, any order of metadata, and
 * numbers that lost their last digits.
 */
function isPlain(of: Command): of is ProtobufCommand {
  if (of.kind === "streamProblem") return false;
  if (of.kind === "streamData" && !Number.isSafeInteger(of.sequenceId)) return false;
  return !("payload" in of && of.payload.kind === "protobuf") && !("metadata" in of && of.metadata !== null);
}
