import { expect, test } from "bun:test";
import { parseAckId, parseConnectionId, parseGroupName, parseUserId } from "../../core/names.ts";
import type { OutboundControl, OutboundMessage } from "../../core/outbound.ts";
import type { Metadata, Payload } from "../../core/payload.ts";
import { jsonReliableV1Encoder, jsonV1Encoder } from "./encode.ts";

function must<Value>(value: Value | null): Value {
  if (value === null) throw new Error("the test needs a valid name");
  return value;
}

const red = must(parseGroupName("red"));
const u2 = must(parseUserId("u2"));

function fromGroup(payload: Payload, metadata: Metadata | null = null): OutboundMessage {
  return { from: { kind: "group", group: red, fromUserId: u2 }, payload, metadata };
}

function fromServer(payload: Payload, metadata: Metadata | null = null): OutboundMessage {
  return { from: { kind: "server" }, payload, metadata };
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
  expect(jsonV1Encoder.message({ from: { ...from, fromUserId: null }, payload, metadata: null })).toBe(
    `{"type":"message","from":"group","group":"red","fromUserId":null,${rest}`,
  );
  expect(jsonV1Encoder.message({ from: { ...from, fromUserId: undefined }, payload, metadata: null })).toBe(
    `{"type":"message","from":"group","group":"red",${rest}`,
  );
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
])("%s", (_what, control, frame) => {
  expect(jsonV1Encoder.control(control)).toBe(frame);
});

test("C-71 the number comes first, in front of the same members as without it", () => {
  const message = fromGroup({ kind: "text", text: "hi" }, [["k", "v"]]);
  const shared = jsonReliableV1Encoder.message(message);
  const plain = String(jsonV1Encoder.message(message));
  for (const sequenceId of [1, 2, Number.MAX_SAFE_INTEGER])
    expect(jsonReliableV1Encoder.stamp?.(shared, sequenceId)).toBe(`{"sequenceId":${sequenceId},${plain.slice(1)}`);
  expect(jsonReliableV1Encoder.stamp?.(jsonReliableV1Encoder.message(fromServer({ kind: "text", text: "" })), 1)).toBe(
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
