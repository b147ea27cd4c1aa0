import { expect, test } from "bun:test";
import { parseAckId, parseConnectionId, parseGroupName, parseUserId } from "../../core/names.ts";
import type {
  GroupStateMessage,
  InvokeOutcome,
  OutboundControl,
  OutboundMessage,
  StreamPart,
} from "../../core/outbound.ts";
import type { Metadata, Payload } from "../../core/payload.ts";
import { jsonReliableV1Encoder, jsonV1Encoder } from "./encode.ts";

function must<Value>(value: Value | null): Value {
  if (value === null) throw new Error("the test needs a valid name");
  return value;
}

const red = must(parseGroupName("red"));
const u2 = must(parseUserId("u2"));

function fromGroup(payload: Payload, metadata: Metadata | null = null): OutboundMessage {
  return { from: { kind: "group", group: red, fromUserId: u2 }, payload, metadata, stream: null };
}

function fromServer(payload: Payload, metadata: Metadata | null = null): OutboundMessage {
  return { from: { kind: "server" }, payload, metadata, stream: null };
}

const groupHead = '{"type":"message","from":"group","group":"red","fromUserId":"u2"';
const serverHead = '{"type":"message","from":"server"';

test.each<[string, OutboundMessage, string]>([
  ["text", fromGroup({ kind: "text", text: "hi" }), `${groupHead},"dataType":"text","data":"hi"}`],
  ["empty text", fromGroup({ kind: "text", text: "" }), `${groupHead},"dataType":"text","data":""}`],
  ["json", fromServer({ kind: "json", source: '{"a": 1.0}' }), `${serverHead},"dataType":"json","data":{"a": 1.0}}`],
  ["a json string", fromServer({ kind: "json", source: '"hi"' }), `${serverHead},"dataType":"json","data":"hi"}`],
  [
    "binary",
    fromServer({ kind: "binary", bytes: new Uint8Array([1, 2, 3]) }),
    `${serverHead},"dataType":"binary","data":"AQID"}`,
  ],
  [
    "protobuf",
    fromServer({ kind: "protobuf", any: Uint8Array.fromHex("0a016112020801") }),
    `${serverHead},"dataType":"protobuf","data":"CgFhEgIIAQ=="}`,
  ],
])("C-44 C-51 %s", (_kind, message, frame) => {
  expect(jsonV1Encoder.message(message)).toBe(frame);
});

test("C-45 the source text of a JSON payload is not touched", () => {
  const source = '{"n":12345678901234567890,"f":1.0, "s":"\\u0041"}';
  expect(jsonV1Encoder.message(fromGroup({ kind: "json", source }))).toBe(
    `${groupHead},"dataType":"json","data":${source}}`,
  );
});

test("C-37 fromUserId is null for a client without user id and absent for a REST publisher", () => {
  const payload: Payload = { kind: "text", text: "x" };
  const from = { kind: "group", group: red } as const;
  const rest = '"dataType":"text","data":"x"}';
  expect(jsonV1Encoder.message({ from: { ...from, fromUserId: null }, payload, metadata: null, stream: null })).toBe(
    `{"type":"message","from":"group","group":"red","fromUserId":null,${rest}`,
  );
  expect(
    jsonV1Encoder.message({ from: { ...from, fromUserId: undefined }, payload, metadata: null, stream: null }),
  ).toBe(`{"type":"message","from":"group","group":"red",${rest}`);
});

test("C-47 metadata keep their order and spelling", () => {
  const metadata: Metadata = [
    ["Trace", "1"],
    ["trace", 'a"b'],
    ["__proto__", "x"],
    ["1", "y"],
  ];
  expect(jsonV1Encoder.message(fromServer({ kind: "text", text: "" }, metadata))).toBe(
    `${serverHead},"dataType":"text","data":"","metadata":{"Trace":"1","trace":"a\\"b","__proto__":"x","1":"y"}}`,
  );
});

test("H-24 a lone surrogate in text leaves as an escape", () => {
  expect(jsonV1Encoder.message(fromServer({ kind: "text", text: "\ud800\u0000" }))).toBe(
    `${serverHead},"dataType":"text","data":"\\ud800\\u0000"}`,
  );
});

const connectionId = must(parseConnectionId("Q3v"));
const ackId = must(parseAckId("18446744073709551615"));
const response = (outcome: InvokeOutcome): OutboundControl => ({ kind: "invokeResponse", invocationId: '"1', outcome });
const forbidden = { name: "Forbidden", message: 'no "red"' } as const;

test.each<[string, OutboundControl, string]>([
  [
    "C-24 connected",
    { kind: "connected", connectionId, userId: must(parseUserId("u1")), reconnectionToken: null },
    '{"type":"system","event":"connected","userId":"u1","connectionId":"Q3v"}',
  ],
  [
    "C-24 connected without user",
    { kind: "connected", connectionId, userId: null, reconnectionToken: null },
    '{"type":"system","event":"connected","userId":null,"connectionId":"Q3v"}',
  ],
  [
    "C-92 disconnected",
    { kind: "disconnected", message: 'why "this"' },
    '{"type":"system","event":"disconnected","message":"why \\"this\\""}',
  ],
  [
    "C-34 positive ack",
    { kind: "ack", ackId, error: null },
    '{"type":"ack","ackId":18446744073709551615,"success":true}',
  ],
  [
    "C-31 negative ack",
    { kind: "ack", ackId, error: forbidden },
    '{"type":"ack","ackId":18446744073709551615,"success":false,"error":{"name":"Forbidden","message":"no \\"red\\""}}',
  ],
  ["C-60 pong", { kind: "pong" }, '{"type":"pong"}'],
  [
    "C-95 a reply",
    response({ kind: "handled", reply: { kind: "json", source: "4" } }),
    '{"type":"invokeResponse","invocationId":"\\"1","success":true,"dataType":"json","data":4}',
  ],
  [
    "C-95 a binary reply",
    response({ kind: "handled", reply: { kind: "binary", bytes: new Uint8Array([1, 2, 3]) } }),
    '{"type":"invokeResponse","invocationId":"\\"1","success":true,"dataType":"binary","data":"AQID"}',
  ],
  [
    "C-95 a reply without content",
    response({ kind: "handled", reply: null }),
    '{"type":"invokeResponse","invocationId":"\\"1","success":true}',
  ],
  [
    "C-95 a failed invocation",
    response({ kind: "failed", name: "InternalServerError", message: 'no "luck"' }),
    '{"type":"invokeResponse","invocationId":"\\"1","success":false,"error":{"name":"InternalServerError","message":"no \\"luck\\""}}',
  ],
  [
    "C-96 an accepted stream",
    { kind: "streamAck", streamId: 's"1', expected: 1 },
    '{"type":"streamAck","streamId":"s\\"1","expectedSequenceId":1}',
  ],
  [
    "C-97 a refused fragment",
    { kind: "streamNack", streamId: 's"1', expected: 3, name: "InvalidSequenceId", message: "gap" },
    '{"type":"streamNack","streamId":"s\\"1","expectedSequenceId":3,"name":"InvalidSequenceId","message":"gap"}',
  ],
  [
    "C-96 a closed stream",
    { kind: "streamClosed", streamId: 's"1', error: null },
    '{"type":"streamClosed","streamId":"s\\"1"}',
  ],
  [
    "C-97 a stream that is gone",
    { kind: "streamClosed", streamId: "s1", error: { name: "StreamNotFound", message: 'no "s1"' } },
    '{"type":"streamClosed","streamId":"s1","error":{"name":"StreamNotFound","message":"no \\"s1\\""}}',
  ],
])("%s", (_what, control, frame) => {
  expect(jsonV1Encoder.control(control)).toBe(frame);
});

test("C-71 the number comes first, in front of the same members as without it", () => {
  const message = fromGroup({ kind: "text", text: "hi" }, [["k", "v"]]);
  const shared = must(jsonReliableV1Encoder.message(message));
  const plain = String(jsonV1Encoder.message(message));
  for (const sequenceId of [1, 2, Number.MAX_SAFE_INTEGER])
    expect(jsonReliableV1Encoder.stamp?.(shared, sequenceId)).toBe(`{"sequenceId":${sequenceId},${plain.slice(1)}`);
  const other = must(jsonReliableV1Encoder.message(fromServer({ kind: "text", text: "" })));
  expect(jsonReliableV1Encoder.stamp?.(other, 1)).toBe(
    '{"sequenceId":1,"type":"message","from":"server","dataType":"text","data":""}',
  );
});

test("C-70 the token is the last member of connected, and left out where there is none", () => {
  const connected = { kind: "connected", connectionId: must(parseConnectionId("c1")), userId: null } as const;
  const members = '{"type":"system","event":"connected","userId":null,"connectionId":"c1"';
  expect(jsonReliableV1Encoder.control({ ...connected, reconnectionToken: "t" })).toBe(
    `${members},"reconnectionToken":"t"}`,
  );
  expect(jsonV1Encoder.control({ ...connected, reconnectionToken: null })).toBe(`${members}}`);
});

const ended = (error: NonNullable<StreamPart["end"]>["error"]): StreamPart => ({
  streamId: "s1",
  sequenceId: 4,
  end: { error },
});

test.each<[string, StreamPart, string]>([
  ["fragment", { streamId: 's"1', sequenceId: 1, end: null }, '{"streamId":"s\\"1","streamSequenceId":1}'],
  ["end", ended(null), '{"streamId":"s1","streamSequenceId":4,"endOfStream":true}'],
  [
    "user error",
    ended({ name: "UserError", message: 'm"', userErrorCode: "c" }),
    '{"streamId":"s1","streamSequenceId":4,"endOfStream":true,"error":{"name":"UserError","message":"m\\"","userErrorCode":"c"}}',
  ],
  [
    "error without text",
    ended({ name: "IdleTimeout", message: null, userErrorCode: null }),
    '{"streamId":"s1","streamSequenceId":4,"endOfStream":true,"error":{"name":"IdleTimeout"}}',
  ],
])("C-96 a stream's %s is a group message with data and its place in the stream", (_what, stream, source) => {
  const message = { ...fromGroup({ kind: "text", text: "" }), stream };
  const members = '"type":"message","from":"group","group":"red","fromUserId":"u2","dataType":"text","data":""';
  expect(jsonV1Encoder.message(message)).toBe(`{${members},"stream":${source}}`);
  expect(jsonV1Encoder.message({ ...message, metadata: [["k", "v"]] })).toBe(
    `{${members},"metadata":{"k":"v"},"stream":${source}}`,
  );
  expect(jsonReliableV1Encoder.stamp?.(must(jsonReliableV1Encoder.message(message)), 9)).toBe(
    `{"sequenceId":9,${members},"stream":${source}}`,
  );
});

test.each<[GroupStateMessage["kind"], string]>([
  ["snapshot", "groupStateSnapshot"],
  ["update", "groupStateUpdate"],
])("C-100 the %s of group states leaves out what is null", (kind, type) => {
  const state: Metadata = [
    ["__proto__", 'v"'],
    ["1", ""],
  ];
  const items = [
    { connectionId, userId: u2, state, updatedAt: 1_700_000_000_000 },
    { connectionId, userId: null, state: null, updatedAt: 7 },
    { connectionId, userId: null, state: [], updatedAt: 8 },
  ];
  const members =
    `"type":"${type}","group":"red","items":[` +
    '{"connectionId":"Q3v","userId":"u2","state":{"__proto__":"v\\"","1":""},"updatedAt":1700000000000},' +
    '{"connectionId":"Q3v","updatedAt":7},{"connectionId":"Q3v","state":{},"updatedAt":8}]}';
  const message: GroupStateMessage = { kind, group: red, items };
  expect(jsonV1Encoder.groupState(message)).toBe(`{${members}`);
  expect(jsonReliableV1Encoder.stamp?.(must(jsonReliableV1Encoder.groupState(message)), 3)).toBe(
    `{"sequenceId":3,${members}`,
  );
  expect(jsonV1Encoder.groupState({ kind, group: red, items: [] })).toBe(`{"type":"${type}","group":"red","items":[]}`);
});
