import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseConnectionId, parseGroupName, parseUserId } from "../../core/names.ts";
import type { GroupStateMessage, OutboundMessage, StreamPart } from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import { scanObject } from "../shared/json-scanner.ts";
import { jsonV1Encoder } from "./encode.ts";

function present<Value>(value: Value | null): value is Value {
  return value !== null;
}

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.string({ unit: "binary" }).map((text): Payload => ({ kind: "text", text })),
  fc.json().map((source): Payload => ({ kind: "json", source })),
  fc.uint8Array().map((bytes): Payload => ({ kind: "binary", bytes: new Uint8Array(bytes) })),
  fc.uint8Array().map((any): Payload => ({ kind: "protobuf", any: new Uint8Array(any) })),
);
const group = fc.string({ unit: "binary", minLength: 1 }).map(parseGroupName).filter(present);
const fromUserId = fc.oneof(
  fc.constantFrom(null, undefined),
  fc.string({ unit: "binary", minLength: 1 }).map(parseUserId).filter(present),
);
const text = fc.string({ unit: "binary" });
const stream: fc.Arbitrary<StreamPart> = fc.record({
  streamId: text,
  sequenceId: fc.maxSafeNat(),
  end: fc.option(
    fc.record({
      error: fc.option(
        fc.record({
          name: fc.constantFrom("UserError" as const, "IdleTimeout" as const),
          message: fc.option(text),
          userErrorCode: fc.option(text),
        }),
      ),
    }),
  ),
});
const message: fc.Arbitrary<OutboundMessage> = fc.record({
  from: fc.oneof(
    fc.constant({ kind: "server" } as const),
    fc.record({ kind: fc.constant("group" as const), group, fromUserId }),
  ),
  payload,
  metadata: fc.option(fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { minLength: 1, selector: ([key]) => key })),
  stream: fc.option(stream),
});

/** Members of an object with their source text, in order. */
function members(source: string): Map<unknown, string> {
  const found = new Map<unknown, string>();
  const scanner = scanObject(source);
  while (scanner?.next() === "member") {
    const name: unknown = JSON.parse(source.slice(scanner.nameStart, scanner.nameEnd));
    found.set(name, source.slice(scanner.valueStart, scanner.valueEnd));
  }
  return found;
}

function dataOf(source: string, kind: Payload["kind"]): Payload {
  if (kind === "json") return { kind, source };
  const text = String(JSON.parse(source));
  if (kind === "text") return { kind, text };
  const bytes = Uint8Array.fromBase64(text);
  return kind === "binary" ? { kind, bytes } : { kind, any: bytes };
}

function streamObject({ streamId, sequenceId, end }: StreamPart): object {
  const named = { streamId, streamSequenceId: sequenceId };
  if (end === null) return named;
  return end.error === null
    ? { ...named, endOfStream: true }
    : { ...named, endOfStream: true, error: shown(end.error) };
}

/** The members of an object that are not null. */
function shown(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

test("H-14 a message is read from its frame as it was, and the frame is valid Unicode", () => {
  fc.assert(
    fc.property(message, (sent) => {
      const frame = jsonV1Encoder.message(sent);
      if (typeof frame !== "string") throw new Error("JSON frames are text");
      const read = members(frame);
      const value = (name: string): unknown => JSON.parse(read.get(name) ?? '"absent"');
      expect(frame.isWellFormed()).toBe(true);
      expect(value("from")).toBe(sent.from.kind);
      if (sent.from.kind === "group") {
        expect(value("group")).toBe(sent.from.group);
        expect(value("fromUserId")).toBe(sent.from.fromUserId === undefined ? "absent" : sent.from.fromUserId);
      }
      expect(value("dataType")).toBe(sent.payload.kind);
      expect(dataOf(read.get("data") ?? "", sent.payload.kind)).toEqual(sent.payload);
      expect(value("stream")).toEqual(sent.stream === null ? "absent" : streamObject(sent.stream));
      const metadata = Array.from(members(read.get("metadata") ?? ""));
      expect(metadata).toEqual((sent.metadata ?? []).map(([key, text]) => [key, JSON.stringify(text)]));
    }),
    { numRuns: 10_000 },
  );
});

const groupStates: fc.Arbitrary<GroupStateMessage> = fc.record({
  kind: fc.constantFrom("snapshot" as const, "update" as const),
  group,
  items: fc.array(
    fc.record({
      connectionId: text.map(parseConnectionId).filter(present),
      userId: fc.option(text.map(parseUserId).filter(present)),
      state: fc.option(fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key })),
      updatedAt: fc.maxSafeNat(),
    }),
  ),
});

test("H-14 group states are read from their frame as they were", () => {
  fc.assert(
    fc.property(groupStates, (sent) => {
      const frame = String(jsonV1Encoder.groupState(sent));
      expect(frame.isWellFormed()).toBe(true);
      expect(JSON.parse(frame)).toEqual({
        type: sent.kind === "snapshot" ? "groupStateSnapshot" : "groupStateUpdate",
        group: sent.group,
        items: sent.items.map(({ connectionId, userId, state, updatedAt }) =>
          shown({ connectionId, userId, state: state === null ? null : Object.fromEntries(state), updatedAt }),
        ),
      });
    }),
    { numRuns: 2000 },
  );
});
