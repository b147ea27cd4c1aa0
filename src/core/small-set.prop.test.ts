import { expect, test } from "bun:test";
import fc from "fast-check";
import { SmallSet } from "./small-set.ts";

const item = fc.nat({ max: 14 });
const steps = fc.array(fc.tuple(fc.constantFrom("add" as const, "delete" as const), item), { maxLength: 60 });

test("H-60 a small set behaves as a Set", () => {
  fc.assert(
    fc.property(steps, (changes) => {
      const small = new SmallSet<number>();
      const model = new Set<number>();
      for (const [change, value] of changes) {
        const isNew = !model.has(value);
        if (change === "add") model.add(value);
        expect(small[change](value)).toBe(change === "add" ? isNew : model.delete(value));
        expect(small.size).toBe(model.size);
        expect(small.has(value)).toBe(model.has(value));
        expect([...small.values()]).toEqual([...model]);
      }
    }),
    { numRuns: 500 },
  );
});

test("an iteration that meets changes ends and sees what stays once, in order", () => {
  fc.assert(
    fc.property(fc.uniqueArray(item), steps, (initial, changes) => {
      const small = new SmallSet<number>();
      for (const value of initial) small.add(value);
      const changed = new Set(changes.map(([, value]) => value));
      const seen: number[] = [];
      let next = 0;
      for (const value of small.values()) {
        seen.push(value);
        const change = changes[next];
        next += 1;
        if (change !== undefined) small[change[0]](change[1]);
      }
      const stayed = initial.filter((value) => !changed.has(value));
      expect(seen.filter((value) => !changed.has(value))).toEqual(stayed);
    }),
    { numRuns: 500 },
  );
});
