import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import type { Command } from "../../core/commands.ts";
import type { Decoded } from "../codec.ts";
import { decodeJsonV1 } from "./decode.ts";

/** Compares with plain values: a command's names are strings with a brand that only types can see. */
function expectCommand(frame: string, command: { readonly kind: Command["kind"] } & Readonly<Record<string, unknown>>) {
  const decoded: unknown = decodeJsonV1(frame);
  expect(decoded).toEqual(command);
}

function isInvalid(frame: string): boolean {
  const decoded: Decoded = decodeJsonV1(frame);
  return decoded.kind === "fault" && decoded.cause === "invalidJsonMessage" && decoded.text !== null;
}

function expectInvalid(frame: string) {
  expect([frame, isInvalid(frame)]).toEqual([frame, true]);
}

const json = (source: string) => ({ kind: "json", source });
const text = (value: string) => ({ kind: "text", text: value });
const toGroup = { kind: "sendToGroup", group: "g", metadata: null, noEcho: false, ttlSeconds: 0, ackId: null } as const;
const event = { kind: "event", event: "e", metadata: null, ackId: null } as const;

/** A valid sendToGroup or event with these members instead of `data`. */
const send = (members: string) => `{"type":"sendToGroup","group":"g",${members}}`;
const raise = (members: string) => `{"type":"event","event":"e",${members}}`;

test("C-27 C-29 joinGroup and leaveGroup", () => {
  expectCommand('{"type":"joinGroup","group":"red","ackId":1}', { kind: "joinGroup", group: "red", ackId: "1" });
  expectCommand('{"type":"leaveGroup","group":"red"}', { kind: "leaveGroup", group: "red", ackId: null });
});

test("C-36 C-50 sendToGroup with all members", () => {
  expectCommand(
    '{"type":"sendToGroup","group":"red","ackId":2,"noEcho":true,"dataType":"text","data":"hi","ttlSeconds":300,"metadata":{"k":"v"}}',
    {
      kind: "sendToGroup",
      group: "red",
      payload: text("hi"),
      metadata: [["k", "v"]],
      noEcho: true,
      ttlSeconds: 300,
      ackId: "2",
    },
  );
});

test("C-52 event with all members", () => {
  expectCommand('{"type":"event","event":"order","ackId":3,"data":{"n":5},"metadata":{"k":"v"}}', {
    kind: "event",
    event: "order",
    payload: json('{"n":5}'),
    metadata: [["k", "v"]],
    ackId: "3",
  });
});

test("C-60 type values in any case, property names exactly, unknown properties ignored", () => {
  expectCommand('{"type":"ping"}', { kind: "ping" });
  expectCommand('{"type":"PING","x":{"type":1},"ackId":"ignored here","Type":"nope"}', { kind: "ping" });
  expectCommand('{"type":"JoinGROUP","group":"g"}', { kind: "joinGroup", group: "g", ackId: null });
  expectInvalid('{"TYPE":"ping"}');
  expectInvalid('{"type":"joinGroup","Group":"g"}');
});

test("C-57 escapes in names and strings are resolved", () => {
  expectCommand('{"\\u0074ype":"\\u0070ing"}', { kind: "ping" });
  expectCommand('{"type":"joinGroup","group":"\\"a\\\\\\u00e9"}', { kind: "joinGroup", group: '"a\\é', ackId: null });
  expectCommand('{"type":"ping","\\"":1,"a\\"b":2}', { kind: "ping" });
});

test("H-23 the last of equal properties counts, `__proto__` is one of the ignored", () => {
  expectCommand('{"type":"nope","type":"ping"}', { kind: "ping" });
  expectCommand(send('"data":null,"ackId":-1,"data":"last","ackId":7'), {
    ...toGroup,
    payload: json('"last"'),
    ackId: "7",
  });
  expectInvalid(send('"data":1,"data":null'));
  expectCommand('{"__proto__":{"type":"nope"},"constructor":1,"type":"ping"}', { kind: "ping" });
});

test("C-63 sequenceAck is decoded, quoted as well", () => {
  expectCommand('{"type":"sequenceAck","sequenceId":7}', { kind: "sequenceAck", sequenceId: "7" });
  expectCommand('{"type":"sequenceAck","sequenceId":"18446744073709551615"}', {
    kind: "sequenceAck",
    sequenceId: "18446744073709551615",
  });
  for (const bad of ["null", "-1", "1.0", '""', '"x"', "18446744073709551616", "{}"])
    expectInvalid(`{"type":"sequenceAck","sequenceId":${bad}}`);
  expectInvalid('{"type":"sequenceAck"}');
});

test("C-34 C-59 ack ids are exact unsigned 64-bit integers", () => {
  for (const ackId of ["0", "1", "9007199254740993", "18446744073709551615"])
    expectCommand(`{"type":"joinGroup","group":"g","ackId":${ackId}}`, { kind: "joinGroup", group: "g", ackId });
  for (const bad of ["-1", "-0", "1.5", "1.0", "1e2", '"1"', "18446744073709551616", "true", "{}", "[1]", '""'])
    for (const request of ['"type":"joinGroup","group":"g"', '"type":"event","event":"e","data":1'])
      expectInvalid(`{${request},"ackId":${bad}}`);
});

test("null counts as absent for ackId, metadata, ttlSeconds, noEcho and dataType", () => {
  expectCommand(send('"data":1,"ackId":null,"metadata":null,"ttlSeconds":null,"noEcho":null,"dataType":null'), {
    ...toGroup,
    payload: json("1"),
  });
  for (const request of [
    '{"type":null}',
    '{"type":"joinGroup","group":null}',
    '{"type":"event","event":null,"data":1}',
  ])
    expectInvalid(request);
});

test.each<[string, string, object]>([
  ["json by default", '"data":{"a": 1.0}', json('{"a": 1.0}')],
  ["json", '"data":"\\u0041" ,"dataType":"JSON"', json('"\\u0041"')],
  ["json false", '"data":false', json("false")],
  ["text", '"dataType":"Text","data":"\\u0041\\n"', text("A\n")],
  ["empty text", '"dataType":"text","data":""', text("")],
  ["binary", '"dataType":"binary","data":"AQID"', { kind: "binary", bytes: new Uint8Array([1, 2, 3]) }],
  ["binary with escapes", '"dataType":"binary","data":"\\/+8="', { kind: "binary", bytes: Uint8Array.fromHex("ffef") }],
  ["no bytes", '"dataType":"binary","data":""', { kind: "binary", bytes: new Uint8Array() }],
  [
    "protobuf",
    '"dataType":"protobuf","data":"CgFhEgIIAQ=="',
    { kind: "protobuf", any: Uint8Array.fromHex("0a016112020801") },
  ],
])("C-44 data of type %s", (_type, members, payload) => {
  expectCommand(send(members), { ...toGroup, payload });
  expectCommand(raise(members), { ...event, payload });
});

test("C-45 JSON data are the exact source text", () => {
  const source = '{"n":12345678901234567890,"f":1.0, "b":[ ] ,"a":"\\u00e9","a":"é"}';
  expectCommand(send(`"data" :  ${source}  `), { ...toGroup, payload: json(source) });
  const big = `"${"x".repeat(5000)}"`;
  expectCommand(send(`"data":${big}`), { ...toGroup, payload: json(big) });
  expectCommand(send(`"data":${source},"ignored":${big}`), { ...toGroup, payload: json(source) });
});

test.each(
  [
    ['"data":null', '"dataType":"json","data":null', '"dataType":"text","data":5', '"dataType":"text","data":null'],
    ['"dataType":"binary","data":"A"', '"dataType":"binary","data":"-_8="', '"dataType":"binary","data":[1]'],
    ['"dataType":"protobuf","data":"Cg=="', '"dataType":"protobuf","data":"CgFh!"', '"dataType":"protobuf","data":{}'],
    ['"dataType":"xml","data":"x"', '"dataType":5,"data":"x"', '"dataType":"","data":"x"', '"dataType":"text"'],
    ['"ackId":1', '"data":', '"data":01', '"data":1,"metadata":null,"dataType":"none"'],
  ].flat(),
)("C-46 invalid data: %s", (members) => {
  expectInvalid(send(members));
  expectInvalid(raise(members));
});

test("C-47 metadata keep order and case", () => {
  expectCommand(send('"data":1,"metadata":{"Trace":"1","trace":"","\\u0061":"\\u0062"}'), {
    ...toGroup,
    payload: json("1"),
    metadata: [
      ["Trace", "1"],
      ["trace", ""],
      ["a", "b"],
    ],
  });
  expectCommand(send('"data":1,"metadata":{}'), { ...toGroup, payload: json("1") });
});

test("C-48 metadata beyond their rules", () => {
  const bad = [
    '"k"',
    "[]",
    "1",
    "true",
    '{"k":1}',
    '{"k":null}',
    '{"k":{}}',
    '{"":"v"}',
    '{"a b":"v"}',
    '{"é":"v"}',
    '{"k":"é"}',
    '{"k":"\\u00e9"}',
    '{"k":"1","k":"2"}',
    '{"k":"1","\\u006b":"2"}',
    '{"a:b":"v"}',
    `{"${"k".repeat(257)}":"v"}`,
    `{"k":"${"v".repeat(1025)}"}`,
    `{${Array.from({ length: 9 }, (_, index) => `"k${index}":"${"v".repeat(1000)}"`).join(",")}}`,
  ];
  for (const metadata of bad) {
    expectInvalid(send(`"data":1,"metadata":${metadata}`));
    expectInvalid(raise(`"data":1,"metadata":${metadata}`));
  }
  const key = "k".repeat(256);
  const value = "v".repeat(1024);
  expectCommand(send(`"data":1,"metadata":{"${key}":"${value}"}`), {
    ...toGroup,
    payload: json("1"),
    metadata: [[key, value]],
  });
});

test("C-49 metadata without data is an empty text", () => {
  const metadata = [["k", "v"]];
  expectCommand(send('"metadata":{"k":"v"}'), { ...toGroup, payload: text(""), metadata });
  expectCommand(raise('"metadata":{"k":"v"},"dataType":"binary"'), { ...event, payload: text(""), metadata });
  expectInvalid(send('"metadata":{"k":"v"},"data":null'));
});

test("C-50 ttlSeconds is an integer of 0 to 300", () => {
  expectCommand(send('"data":1,"ttlSeconds":0'), { ...toGroup, payload: json("1") });
  expectCommand(send('"data":1,"ttlSeconds":300'), { ...toGroup, payload: json("1"), ttlSeconds: 300 });
  for (const bad of ["301", "-1", "1.0", "1e1", '"1"', "true", "1000000000000"])
    expectInvalid(send(`"data":1,"ttlSeconds":${bad}`));
});

test("C-36 noEcho is a boolean", () => {
  expectCommand(send('"data":1,"noEcho":false'), { ...toGroup, payload: json("1") });
  for (const bad of ["0", '"true"', "{}"]) expectInvalid(send(`"data":1,"noEcho":${bad}`));
});

test("C-55 event names", () => {
  const name = `e${"-".repeat(127)}`;
  expectCommand(`{"type":"event","event":"${name}","data":1}`, { ...event, event: name, payload: json("1") });
  for (const bad of [`${name}x`, "1x", "a b", "a/b", "", "é"])
    expectInvalid(`{"type":"event","event":"${bad}","data":1}`);
  expectInvalid('{"type":"event","data":1}');
});

test("C-57 C-58 group names", () => {
  const longest = "g".repeat(1024);
  expectCommand(`{"type":"joinGroup","group":"${longest}"}`, { kind: "joinGroup", group: longest, ackId: null });
  for (const group of ["\\u0000", "\\ud800", "%2F"])
    expectCommand(`{"type":"joinGroup","group":"${group}"}`, {
      kind: "joinGroup",
      group: JSON.parse(`"${group}"`),
      ackId: null,
    });
  for (const bad of ['""', '" "', `"${longest}g"`, "1", "{}", '["g"]'])
    for (const type of ["joinGroup", "leaveGroup", "sendToGroup"])
      expectInvalid(`{"type":"${type}","group":${bad},"data":1}`);
});

test.each(
  [
    ["", "not json", "[]", "{}", '"x"', "1", "null", '{"type":"nope"}', '{"type":5}', '{"type":"joinGroup"}'],
    [
      '{"type":"ping"',
      '{"type":"ping"}x',
      '{"type":"ping",}',
      '{"type":""}',
      '{"type":" ping"}',
      '{"a":1,"type":"ping',
    ],
  ].flat(),
)("C-57 %j is invalid", (frame) => {
  expectInvalid(frame);
});

test("C-61 a binary frame is not JSON, whatever it holds", () => {
  for (const frame of [new Uint8Array(), new TextEncoder().encode('{"type":"ping"}')])
    expect(decodeJsonV1(frame)).toEqual({ kind: "fault", cause: "textRequired", text: null });
});

test("H-23 deep nesting is refused where it is too deep and harmless elsewhere", () => {
  expectInvalid(send(`"data":${"[".repeat(10_000)}${"]".repeat(10_000)}`));
  expectInvalid(`{"type":"ping","x":${"[".repeat(10_000)}`);
  expect(isInvalid(send(`"data":${"[".repeat(63)}${"]".repeat(63)}`))).toBe(false);
});

test("a command does not keep a big frame alive", () => {
  const padding = "x".repeat(1_000_000);
  const requests = [
    (id: string) => `{"type":"joinGroup","group":"group-${id}","ackId":${id},"x":"${padding}"}`,
    (id: string) =>
      send(`"data":{"some":"data ${id}"},"ackId":${id},"metadata":{"key-${id}":"value"},"x":"${padding}"`),
    (id: string) => raise(`"dataType":"text","data":"some text ${id}","x":"${padding}"`),
    (id: string) =>
      `{"type":"streamData","streamId":"stream-${id}","streamSequenceId":${id},"dataType":"json","data":[${id}],"x":"${padding}"}`,
    (id: string) => `{"type":"streamEnd","streamId":"stream-${id}","error":{"message":"why ${id}","x":"${padding}"}}`,
    (id: string) => `{"type":"streamData","streamId":"stream-${id}","data":"${padding}"}`,
    (id: string) =>
      `{"type":"sendToGroup","group":"group-${id}","stream":{"streamId":"stream-${id}","x":"${padding}"}}`,
    (id: string) =>
      `{"type":"invoke","invocationId":"call-${id}","target":"event","event":"e","data":[${id}],"x":"${padding}"}`,
    (id: string) => `{"type":"setGroupState","group":"group-${id}","state":{"key-${id}":"value"},"x":"${padding}"}`,
    (id: string) => `{"type":"setGroupState","group":"group-${id}","state":{"key":"${padding}","key":"value-${id}"}}`,
  ];
  const kept: Decoded[] = [];
  const heap = () => {
    Bun.gc(true);
    const { heapSize, extraMemorySize } = heapStats();
    return heapSize + extraMemorySize;
  };
  const before = heap();
  for (let index = 0; index < 20; index++)
    for (const request of requests) {
      // As a socket delivers it: one flat string of its own.
      const bytes = new TextEncoder().encode(request(String(1_000_000_000 + index)));
      kept.push(decodeJsonV1(new TextDecoder().decode(bytes)));
    }
  const bytesKept = heap() - before;
  expect(kept.filter(({ kind }) => kind === "fault")).toEqual([]);
  expect(bytesKept).toBeLessThan(10_000_000);
});
