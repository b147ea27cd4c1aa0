import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Command } from "../../core/commands.ts";
import { parseAckId, parseEventName, parseGroupName } from "../../core/names.ts";
import { checkMetadata, type Metadata, type Payload } from "../../core/payload.ts";
import { decodeJsonV1 } from "./decode.ts";

function present<Value>(value: Value | null): value is Value {
  return value !== null;
}

const ackId = fc.option(
  fc
    .bigInt({ min: 0n, max: 2n ** 64n - 1n })
    .map((id) => parseAckId(String(id)))
    .filter(present),
);
const group = fc.string({ unit: "binary", minLength: 1 }).map(parseGroupName).filter(present);
const eventName = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)
  .map(parseEventName)
  .filter(present);
const metadata: fc.Arbitrary<Metadata | null> = fc.option(
  fc
    .uniqueArray(
      fc.tuple(fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/), fc.string({ unit: "binary-ascii" })),
      {
        minLength: 1,
        selector: ([key]) => key,
      },
    )
    .filter((entries) => checkMetadata(entries) === null),
);
const jsonSource = fc
  .tuple(
    fc.jsonValue().filter((value) => value !== null),
    fc.constantFrom("", " ", "\t\n"),
  )
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.string({ unit: "binary" }).map((text): Payload => ({ kind: "text", text })),
  jsonSource.map((source): Payload => ({ kind: "json", source })),
  fc.uint8Array().map((bytes): Payload => ({ kind: "binary", bytes: new Uint8Array(bytes) })),
  fc
    .uint8Array({ maxLength: 100 })
    .map(
      (value): Payload => ({ kind: "protobuf", any: new Uint8Array([0x0a, 0x01, 0x61, 0x12, value.length, ...value]) }),
    ),
);
const clientId = fc.string({ unit: "binary", minLength: 1, maxLength: 50 });
const text = fc.string({ unit: "binary" });
const textEntries = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      "joinGroup" as const,
      "leaveGroup" as const,
      "subscribeGroupState" as const,
      "unsubscribeGroupState" as const,
    ),
    group,
    ackId,
  }),
  fc.record({ kind: fc.constant("setGroupState" as const), group, state: fc.option(textEntries), ackId }),
  fc.record({
    kind: fc.constant("streamStart" as const),
    streamId: clientId,
    group,
    metadata,
    noEcho: fc.boolean(),
    ttlSeconds: fc.nat({ max: 300 }),
    idleTimeoutMs: fc.integer({ min: 1 }),
    ackId,
  }),
  fc.record({
    kind: fc.constant("streamData" as const),
    streamId: text,
    sequenceId: fc.maxSafeNat().map((id) => id + 1),
    payload,
  }),
  fc.record({ kind: fc.constant("streamKeepAlive" as const), streamId: text }),
  fc.record({
    kind: fc.constant("streamEnd" as const),
    streamId: text,
    error: fc.option(fc.record({ message: fc.option(text), userErrorCode: fc.option(text) })),
  }),
  fc.record({ kind: fc.constant("invoke" as const), invocationId: clientId, event: eventName, payload, metadata }),
  fc.record({ kind: fc.constant("cancelInvocation" as const), invocationId: text }),
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

const types: Partial<Record<Command["kind"], string>> = { streamStart: "sendToGroup", streamKeepAlive: "streamData" };

/** The request a client would send for a command, members in any order. */
function request(of: Command, seed: number): string {
  const members = [`"type":"${types[of.kind] ?? of.kind}"`, ...ownMembers(of)];
  if ("group" in of) members.push(`"group":${JSON.stringify(of.group)}`);
  if ("event" in of) members.push(`"event":${JSON.stringify(of.event)}`);
  if ("noEcho" in of) members.push(`"noEcho":${of.noEcho}`, `"ttlSeconds":${of.ttlSeconds}`);
  if ("ackId" in of && of.ackId !== null) members.push(`"ackId":${of.ackId}`);
  if ("metadata" in of && of.metadata !== null) members.push(`"metadata":${textObject(of.metadata)}`);
  if ("payload" in of) members.push(`"dataType":"${of.payload.kind}"`, `"data":${dataOf(of.payload)}`);
  const turn = seed % members.length;
  return `{${[...members.slice(turn), ...members.slice(0, turn)].join(seed % 2 === 0 ? "," : " ,\n")}}`;
}

/** Members that one kind of command has alone. */
function ownMembers(of: Command): readonly string[] {
  switch (of.kind) {
    case "sequenceAck":
      return [`"sequenceId":${of.sequenceId}`];
    case "streamStart":
      return [`"stream":${JSON.stringify({ streamId: of.streamId, idleTimeoutMs: of.idleTimeoutMs })}`];
    case "streamData":
      return [`"streamId":${JSON.stringify(of.streamId)}`, `"streamSequenceId":${of.sequenceId}`];
    case "streamKeepAlive":
    case "streamEnd":
      return [
        `"streamId":${JSON.stringify(of.streamId)}`,
        ...("error" in of ? [`"error":${JSON.stringify(of.error)}`] : []),
      ];
    case "invoke":
      return [`"invocationId":${JSON.stringify(of.invocationId)}`, '"target":"event"'];
    case "cancelInvocation":
      return [`"invocationId":${JSON.stringify(of.invocationId)}`];
    case "setGroupState":
      return [`"state":${of.state === null ? "null" : textObject(of.state)}`];
    default:
      return [];
  }
}

function textObject(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`;
}

function dataOf(of: Payload): string {
  switch (of.kind) {
    case "text":
      return JSON.stringify(of.text);
    case "json":
      return of.source;
    case "binary":
      return `"${of.bytes.toBase64()}"`;
    case "protobuf":
      return `"${of.any.toBase64()}"`;
  }
}

test("H-14 a request decodes to the command it was written from", () => {
  fc.assert(
    fc.property(command, fc.nat(), (wanted, seed) => {
      expect(decodeJsonV1(request(wanted, seed))).toEqual(wanted);
    }),
    { numRuns: 10_000 },
  );
});

test("H-23 an edited request is a command or a fault, and never throws", () => {
  const fragment = fc.constantFrom("", "{", "}", '"', "\\", ",", ":", "null", "1e999", "-1", "[]", '"type"', "\ud800");
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.oneof(fragment, fc.string({ maxLength: 3 })));
  fc.assert(
    fc.property(command, fc.array(edit, { minLength: 1, maxLength: 3 }), (base, edits) => {
      const text = edits.reduce(
        (current, [at, length, inserted]) => {
          const index = at % (current.length + 1);
          return current.slice(0, index) + inserted + current.slice(index + length);
        },
        request(base, 0),
      );
      const decoded = decodeJsonV1(text);
      expect(decoded.kind === "fault" ? decoded.cause : "invalidJsonMessage").toBe("invalidJsonMessage");
    }),
    { numRuns: 5000 },
  );
});

test("H-23 each member absent, null or of another type is a command or a fault", () => {
  const value = fc.oneof(
    fc.jsonValue().map((any) => JSON.stringify(any)),
    fc.constantFrom("1e400", "-0", "null", "1", '"text"', '"event"', '{"streamId":"s"}', '{"streamId":""}'),
  );
  const name = fc.constantFrom(
    "group",
    "event",
    "data",
    "dataType",
    "ackId",
    "noEcho",
    "ttlSeconds",
    "metadata",
    "stream",
    "streamId",
    "streamSequenceId",
    "error",
    "invocationId",
    "target",
    "state",
  );
  const others: Readonly<Record<string, readonly string[]>> = {
    sendToGroup: ["streamStart", "streamProblem"],
    streamData: ["streamKeepAlive", "streamProblem"],
    streamEnd: ["streamProblem"],
    invoke: ["invokeProblem"],
  };
  const type = fc.constantFrom(
    ...["joinGroup", "leaveGroup", "sendToGroup", "event", "ping", "sequenceAck", "streamData", "streamEnd", "invoke"],
    ...["cancelInvocation", "setGroupState", "subscribeGroupState", "unsubscribeGroupState"],
  );
  fc.assert(
    fc.property(type, fc.array(fc.tuple(name, value)), (kind, members) => {
      const text = `{"type":"${kind}"${members.map(([key, source]) => `,"${key}":${source}`).join("")}}`;
      expect([kind, "fault", ...(others[kind] ?? [])]).toContain(decodeJsonV1(text).kind);
    }),
    { numRuns: 3000 },
  );
});
