import { expect, test } from "bun:test";
import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { decodeFrame, encodeFrame } from "./frames.ts";
import type { TunnelMessage } from "./messages.ts";

const limits = { maxJsonBytes: 1_048_576 };
const text = fc.string({ unit: "binary", maxLength: 40 }).filter((value) => value.isWellFormed());
const nullableText = fc.option(text);
const routing = fc.record({ local: fc.boolean(), channel: text });
const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 250, maxLength: 70_000 }));
// Values of one name stand together, and a name is no number: the order of such properties is JavaScript's own.
const headers = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z_][\w-]{0,8}$/), fc.array(text, { minLength: 1, maxLength: 3 })), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .map((pairs) => pairs.flatMap(([name, values]) => values.flatMap((value) => [name, value])));
const ackId = fc.integer({ min: 0, max: 0x7fff_ffff });

const message: fc.Arbitrary<TunnelMessage> = fc.oneof(
  fc.record({ type: fc.constant("request" as const), ackId, method: text, url: text, headers, routing, body }),
  fc.record({
    type: fc.constant("response" as const),
    ackId,
    status: fc.integer({ min: 100, max: 599 }),
    headers,
    routing,
    isPartial: fc.boolean(),
    body,
  }),
  fc.record({ type: fc.constantFrom("status" as const, "close" as const), text }),
  fc.record({
    type: fc.constantFrom("reconnect" as const, "rebalance" as const),
    targetId: nullableText,
    endpoint: nullableText,
    text,
  }),
  fc.record({ type: fc.constant("connected" as const), connectionId: text, userId: nullableText }),
);

test("T-8 every message survives its frame", () => {
  fc.assert(
    fc.property(message, (sent) => {
      expect(decodeFrame(encodeFrame(sent), limits)).toEqual(sent);
    }),
    { examples: [[{ type: "close", text: "__proto__" }]] },
  );
});

test("T-8 the library that clients use reads and writes the same frames", () => {
  fc.assert(
    fc.property(message, (sent) => {
      const frame = encodeFrame(sent);
      const elements = decode(frame.subarray(4)) as [number, string, Uint8Array | null];
      expect(elements).toHaveLength(3);
      expect(JSON.parse(elements[1])).toMatchObject({ Type: elements[0] });
      const again = encode(elements);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, again.length, true);
      expect(Buffer.concat([length, again]).equals(frame)).toBe(true);
    }),
  );
});

test("T-10 any bytes are read without an exception", () => {
  const mutated = fc
    .tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([sent, changes]) => {
      const frame = encodeFrame(sent);
      for (const [at, value] of changes) frame[at % frame.length] = value;
      return frame;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
      const read = decodeFrame(bytes, limits);
      if (read.type !== "fault") expect(typeof read.type).toBe("string");
    }),
    { numRuns: 500 },
  );
});
