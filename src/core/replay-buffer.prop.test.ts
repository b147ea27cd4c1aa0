import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReplayBuffer } from "./replay-buffer.ts";

const limits = { messages: 5, bytes: 40 };

/** One message of the model: a plain list that is filtered at every step. */
interface Entry {
  readonly id: number;
  readonly frame: string;
  readonly expiresAt: number | null;
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      size: fc.integer({ min: 0, max: 20 }),
      ttl: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("burst" as const), count: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), behind: fc.integer({ min: -3, max: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("replay" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const) }) },
);

test("C-72 C-73 C-81 numbers, replay and bounds are those of a plain list, whatever the order of calls", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const totals = { messages: 0, bytes: 0 };
      const buffer = new ReplayBuffer(totals);
      // Another buffer of the same service: totals are of both.
      new ReplayBuffer(totals).add("1234567", null, { replay: limits, now: () => 0 });
      let now = 0;
      let next = 1;
      let model: Entry[] = [];
      const dropExpired = (): void => {
        model = model.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
      };
      const size = (): number => model.reduce((sum, { frame }) => sum + frame.length, 0);
      const fits = (frame: string): boolean => model.length < limits.messages && size() + frame.length <= limits.bytes;
      const add = (frame: string, expiresAt: number | null): void => {
        if (!fits(frame)) dropExpired();
        const expected = fits(frame) ? next : null;
        expect(buffer.add(frame, expiresAt, { replay: limits, now: () => now })).toBe(expected);
        if (expected === null) return;
        model.push({ id: next, frame, expiresAt });
        next += 1;
      };
      const release = (upTo: number): void => {
        buffer.release(upTo);
        model = model.filter(({ id }) => id > upTo);
      };
      for (const each of steps) {
        switch (each.do) {
          case "add":
            add("x".repeat(each.size), each.ttl === null ? null : now + each.ttl);
            break;
          case "burst":
            // Confirmed one behind, which is what makes the list move down.
            for (let count = 0; count < each.count; count++) {
              add("y", null);
              release(next - 2);
            }
            break;
          case "release":
            release(next - each.behind);
            break;
          case "wait":
            now += each.ms;
            break;
          case "replay": {
            const replayed: Entry[] = [];
            buffer.replay(now, (frame, id, expiresAt) => replayed.push({ id, frame: String(frame), expiresAt }));
            dropExpired();
            expect(replayed).toEqual(model);
            break;
          }
          case "clear":
            buffer.clear();
            model = [];
            break;
        }
        expect(buffer.length).toBe(model.length);
        expect(totals).toEqual({ messages: model.length + 1, bytes: size() + 7 });
      }
    }),
    { numRuns: 200 },
  );
});
