import { expect, test } from "bun:test";
import type { Command } from "../../core/commands.ts";
import { type GroupName, parseEventName, parseGroupName } from "../../core/names.ts";
import type { Frame } from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import type { Decoded } from "../codec.ts";
import { simpleCodec } from "./codec.ts";
import { parseSimpleMode } from "./mode.ts";

const bytes = new Uint8Array([0, 1, 255]);

function decode(query: string, frame: Frame): Decoded {
  const mode = parseSimpleMode(new URLSearchParams(query));
  if (typeof mode === "string") throw new Error(mode);
  return simpleCodec.decode(simpleCodec.initial(mode), frame);
}

test("C-64 frames are the event `message` with text or binary data", () => {
  const event = parseEventName("message");
  expect(event).not.toBeNull();
  if (event === null) return;
  const command = (payload: Payload): Command => ({ kind: "event", event, payload, metadata: null, ackId: null });
  expect(decode("", "hi")).toEqual(command({ kind: "text", text: "hi" }));
  expect(decode("", "")).toEqual(command({ kind: "text", text: "" }));
  expect(decode("", '{"type":"ping"}')).toEqual(command({ kind: "text", text: '{"type":"ping"}' }));
  expect(decode("", bytes)).toEqual(command({ kind: "binary", bytes }));
});

test("C-66 C-68 frames are published to the group of the query", () => {
  const group = parseGroupName("g");
  expect(group).not.toBeNull();
  if (group === null) return;
  const common = { kind: "sendToGroup", group, metadata: null, ttlSeconds: 0, ackId: null } as const;
  const query = "webpubsub_mode=sendToGroup&group=g";
  expect(decode(query, "hi")).toEqual({ ...common, payload: { kind: "text", text: "hi" }, noEcho: false });
  expect(decode(`${query}&noEcho=true`, bytes)).toEqual({
    ...common,
    payload: { kind: "binary", bytes },
    noEcho: true,
  });
});

test.each<[Payload["kind"], Payload, Frame]>([
  ["text", { kind: "text", text: "hi" }, "hi"],
  ["text", { kind: "text", text: "" }, ""],
  ["json", { kind: "json", source: '{"a": 1.0}' }, '{"a": 1.0}'],
  ["json", { kind: "json", source: '"hi"' }, '"hi"'],
  ["binary", { kind: "binary", bytes }, bytes],
  ["protobuf", { kind: "protobuf", any: bytes }, bytes],
])("C-51 C-69 a %s payload arrives bare, without metadata", (_kind, payload, frame) => {
  const message = { from: { kind: "server" }, payload, metadata: [["k", "v"]], stream: null } as const;
  expect(simpleCodec.encoder.message(message)).toEqual(frame);
});

test("C-96 a fragment of a stream is its bare payload, the end of a stream is not shown", () => {
  const message = { from: { kind: "server" }, payload: { kind: "text", text: "" }, metadata: null } as const;
  const part = { streamId: "s1", sequenceId: 1 };
  expect(simpleCodec.encoder.message({ ...message, stream: { ...part, end: null } })).toBe("");
  expect(simpleCodec.encoder.message({ ...message, stream: { ...part, end: { error: null } } })).toBeNull();
});

test("C-26 nothing but messages is shown", () => {
  expect(simpleCodec.encoder.control({ kind: "pong" })).toBeNull();
  expect(simpleCodec.encoder.control({ kind: "disconnected", message: "why" })).toBeNull();
  expect(simpleCodec.encoder.control({ kind: "streamAck", streamId: "s1", expected: 1 })).toBeNull();
  expect(simpleCodec.encoder.groupState({ kind: "snapshot", group: "g" as GroupName, items: [] })).toBeNull();
  expect(simpleCodec.answersFaults).toBe(false);
});
