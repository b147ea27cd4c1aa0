import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Data, decodeMessage, encodeRequest, type Request } from "../../../tests/support/protobuf/client.ts";
import type { MessageData } from "../../../tests/support/protobuf/webpubsub_pb.ts";
import type { Command } from "../../core/commands.ts";
import { parseAckId, parseEventName, parseGroupName } from "../../core/names.ts";
import type { OutboundMessage } from "../../core/outbound.ts";
import { checkMetadata, type Metadata, type Payload } from "../../core/payload.ts";
import { decodeProtobufV1 } from "./decode.ts";
import { protobufV1Encoder } from "./encode.ts";

function present<Value>(value: Value | null): value is Value {
  return value !== null;
}

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
const command: fc.Arbitrary<Command> = fc.oneof(
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
);

/** The request a client with generated code would send for a command. */
function requestOf(of: Command): Request {
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

test("H-14 what is written is read the same by generated code", () => {
  const message: fc.Arbitrary<OutboundMessage> = fc.record({
    from: fc.oneof(
      fc.constant({ kind: "server" as const }),
      fc.record({ kind: fc.constant("group" as const), group, fromUserId: fc.constantFrom(null, undefined) }),
    ),
    payload,
    metadata,
  });
  fc.assert(
    fc.property(message, (wanted) => {
      const frame = protobufV1Encoder.message(wanted);
      if (typeof frame === "string") throw new Error("a text frame");
      const read = decodeMessage(frame);
      if (read.case !== "dataMessage") throw new Error(`a ${read.case}`);
      expect(read.value.from).toBe(wanted.from.kind);
      expect(read.value.group).toBe(wanted.from.kind === "group" ? wanted.from.group : undefined);
      expect(read.value.sequenceId).toBeUndefined();
      expect(payloadOf(read.value.data?.data)).toEqual(wanted.payload);
      expect(read.value.metadata).toEqual(Object.fromEntries(wanted.metadata ?? []));
    }),
    { numRuns: 5000 },
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

/** Whether generated code can express the command unchanged, which it cannot for any Any and any order of metadata. */
function isPlain(of: Command): boolean {
  return !("payload" in of && (of.payload.kind === "protobuf" || of.metadata !== null));
}
