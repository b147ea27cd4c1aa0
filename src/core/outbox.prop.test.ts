import { expect, test } from "bun:test";
import fc from "fast-check";
import { FakeClock } from "../../tests/support/fakes/clock.ts";
import { FakeScheduler } from "../../tests/support/fakes/scheduler.ts";
import { FakeSink } from "../../tests/support/fakes/sink.ts";
import { Flusher, Outbox } from "./outbox.ts";

const limits = { messages: 6, bytes: 60 };
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      size: fc.integer({ min: 3, max: 20 }),
      ttl: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("burst" as const), count: fc.integer({ min: 200, max: 600 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fill" as const), capacity: fc.nat({ max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("drain" as const), capacity: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("close" as const, "cut" as const) }) },
);

interface Accepted {
  readonly frame: string;
  readonly expiresAt: number | null;
}

test("C-94 R-55 whatever a socket does, frames keep their order and only expired, refused or late ones are missing", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new FakeClock();
      const scheduler = new FakeScheduler(clock);
      const sink = new FakeSink();
      const outbox = new Outbox(new Flusher(scheduler, clock), sink);
      sink.events = { drained: () => outbox.drained(), closed: () => outbox.discard() };
      const accepted: Accepted[] = [];
      let isClosing = false;
      let isCut = false;
      const push = (size: number, ttl: number | null): void => {
        const frame = String(accepted.length).padStart(size, ".");
        const expiresAt = ttl === null ? null : clock.now() + ttl;
        const wasBlocked = outbox.isBlocked;
        const before = outbox.length;
        const taken = outbox.push(frame, expiresAt, limits);
        if (isClosing) expect([taken, outbox.length]).toEqual([true, before]);
        else if (taken) accepted.push({ frame, expiresAt });
        if (!taken) expect(wasBlocked).toBe(true);
        if (taken && wasBlocked && !isClosing) expect(outbox.length).toBeLessThanOrEqual(limits.messages);
      };
      for (const each of steps) {
        switch (each.do) {
          case "push":
            push(each.size, each.ttl);
            break;
          case "burst":
            for (let index = 0; index < each.count; index++) push(4, null);
            break;
          case "turn":
            scheduler.endTurn();
            break;
          case "fill":
            sink.capacity = each.capacity;
            break;
          case "drain":
            sink.drain(each.capacity);
            break;
          case "wait":
            clock.advance(each.ms);
            break;
          case "close":
            isClosing = true;
            outbox.close(1000, "");
            break;
          case "cut":
            isClosing = true;
            isCut = true;
            sink.abort();
            break;
        }
      }
      sink.drain();
      scheduler.settle();

      expect(outbox.length).toBe(0);
      let next = 0;
      for (const frame of sink.frames) {
        while (accepted[next]?.frame !== frame) {
          const skipped = accepted[next];
          // A frame is missing only because its time was up; past the end, the order was broken.
          if (skipped === undefined) throw new Error(`${String(frame)} is out of order`);
          expect(skipped.expiresAt).not.toBeNull();
          expect(skipped.expiresAt).toBeLessThanOrEqual(clock.now());
          next += 1;
        }
        next += 1;
      }
      if (isCut) return;
      for (const { expiresAt } of accepted.slice(next)) {
        expect(expiresAt).not.toBeNull();
        expect(expiresAt).toBeLessThanOrEqual(clock.now());
      }
      expect(sink.ended !== null).toBe(isClosing);
    }),
    { numRuns: 400 },
  );
});
