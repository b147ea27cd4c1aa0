import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseAckId, parseConnectionId, parseGroupName, parseUserId } from "../../src/core/names.ts";
import type { Frame, GroupStateMessage, OutboundControl, OutboundMessage } from "../../src/core/outbound.ts";
import type { Payload } from "../../src/core/payload.ts";
import type { Codec } from "../../src/protocols/codec.ts";
import { parseSimpleMode } from "../../src/protocols/simple/mode.ts";
import { typeProblem } from "../support/within-type.ts";

/**
 * What every codec owes to the gateway and to core, whatever its wire format. `examples` are frames that decode to
 * commands; they also seed the hostile frames.
 */
export function codecContract<State>(name: string, codec: Codec<State>, examples: readonly Frame[]): void {
  const initial = (): State => {
    const mode = parseSimpleMode([]);
    if (typeof mode === "string") throw new Error(mode);
    return codec.initial(mode);
  };

  test(`H-23 ${name}: any frame decodes to a command within its type or to a known fault`, () => {
    fc.assert(
      fc.property(hostileFrame(examples), (frame) => {
        expect(typeProblem(codec.decode(initial(), frame))).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  test.each(examples.map((frame) => [frame]))(
    `H-14 ${name}: %p decodes to a command, and twice to the same`,
    (frame) => {
      const decoded = codec.decode(initial(), frame);
      expect(decoded.kind).not.toBe("fault");
      expect(codec.decode(initial(), frame)).toEqual(decoded);
    },
  );

  test(`H-14 ${name}: any message is encoded, and twice to the same frame`, () => {
    fc.assert(
      fc.property(message, (outbound) => {
        expect(codec.encoder.message(outbound)).toEqual(codec.encoder.message(outbound));
      }),
      { numRuns: 1000 },
    );
  });

  test(`H-14 ${name}: any group state is encoded twice to the same frame or has no form`, () => {
    fc.assert(
      fc.property(groupState, (outbound) => {
        expect(codec.encoder.groupState(outbound)).toEqual(codec.encoder.groupState(outbound));
      }),
      { numRuns: 300 },
    );
  });

  test(`H-14 ${name}: any control message is encoded or has no form`, () => {
    fc.assert(
      fc.property(control, (outbound) => {
        const frame = codec.encoder.control(outbound);
        expect(frame === null || frame.length > 0).toBe(true);
        if (codec.answersFaults && outbound.kind === "ack") expect(frame).not.toBeNull();
      }),
      { numRuns: 1000 },
    );
  });
}

function hostileFrame(examples: readonly Frame[]): fc.Arbitrary<Frame> {
  const edited = fc
    .tuple(fc.constantFrom(...examples), fc.nat(), fc.nat({ max: 3 }), fc.string({ maxLength: 3 }))
    .map(([frame, at, length, inserted]): Frame => {
      const index = at % (frame.length + 1);
      if (typeof frame === "string") return frame.slice(0, index) + inserted + frame.slice(index + length);
      return new Uint8Array([
        ...frame.subarray(0, index),
        ...new TextEncoder().encode(inserted),
        ...frame.subarray(index + length),
      ]);
    });
  return fc.oneof(edited, fc.string({ unit: "binary" }), fc.json(), fc.uint8Array());
}

function present<Value>(value: Value | null): value is Value {
  return value !== null;
}

const text = fc.string({ unit: "binary" });
const bytes = fc.uint8Array().map((array) => new Uint8Array(array));
const userId = fc.option(text.map(parseUserId).filter(present));
const payload: fc.Arbitrary<Payload> = fc.oneof(
  text.map((value): Payload => ({ kind: "text", text: value })),
  fc.json().map((source): Payload => ({ kind: "json", source })),
  bytes.map((value): Payload => ({ kind: "binary", bytes: value })),
  bytes.map((any): Payload => ({ kind: "protobuf", any })),
);
const message: fc.Arbitrary<OutboundMessage> = fc.record({
  from: fc.oneof(
    fc.constant({ kind: "server" } as const),
    fc.record({
      kind: fc.constant("group" as const),
      group: text.map(parseGroupName).filter(present),
      fromUserId: fc.oneof(userId, fc.constant(undefined)),
    }),
  ),
  payload,
  metadata: fc.option(fc.array(fc.tuple(text, text), { minLength: 1 })),
  stream: fc.option(
    fc.record({
      streamId: text,
      sequenceId: fc.integer({ min: 1 }),
      end: fc.option(
        fc.record({
          error: fc.option(
            fc.record({
              name: fc.constantFrom("UserError" as const, "Cancelled" as const),
              message: fc.option(text),
              userErrorCode: fc.option(text),
            }),
          ),
        }),
      ),
    }),
  ),
});
const groupState: fc.Arbitrary<GroupStateMessage> = fc.record({
  kind: fc.constantFrom("snapshot" as const, "update" as const),
  group: text.map(parseGroupName).filter(present),
  items: fc.array(
    fc.record({
      connectionId: text.map(parseConnectionId).filter(present),
      userId,
      state: fc.option(fc.array(fc.tuple(text, text))),
      updatedAt: fc.nat(),
    }),
    { maxLength: 3 },
  ),
});
const control: fc.Arbitrary<OutboundControl> = fc.oneof(
  fc.record({
    kind: fc.constant("connected" as const),
    connectionId: text.map(parseConnectionId).filter(present),
    userId,
    reconnectionToken: fc.option(text),
  }),
  fc.record({ kind: fc.constant("disconnected" as const), message: text }),
  fc.record({
    kind: fc.constant("ack" as const),
    ackId: fc
      .bigInt({ min: 0n, max: 2n ** 64n - 1n })
      .map((id) => parseAckId(String(id)))
      .filter(present),
    error: fc.option(fc.record({ name: fc.constantFrom("Forbidden" as const, "Duplicate" as const), message: text })),
  }),
  fc.constant({ kind: "pong" as const }),
  fc.record({
    kind: fc.constant("invokeResponse" as const),
    invocationId: text,
    outcome: fc.oneof(
      fc.record({ kind: fc.constant("handled" as const), reply: fc.option(payload) }),
      fc.record({ kind: fc.constant("failed" as const), name: fc.constant("NotFound" as const), message: text }),
    ),
  }),
  fc.record({ kind: fc.constant("streamAck" as const), streamId: text, expected: fc.integer({ min: 1 }) }),
  fc.record({
    kind: fc.constant("streamNack" as const),
    streamId: text,
    expected: fc.integer({ min: 1 }),
    name: fc.constant("InvalidSequenceId" as const),
    message: text,
  }),
  fc.record({
    kind: fc.constant("streamClosed" as const),
    streamId: text,
    error: fc.option(fc.record({ name: fc.constant("Forbidden" as const), message: text })),
  }),
);
