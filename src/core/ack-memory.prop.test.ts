import { expect, test } from "bun:test";
import fc from "fast-check";
import { named } from "../../tests/support/named.ts";
import { AckMemory } from "./ack-memory.ts";
import type { AckId } from "./names.ts";

/** Near one another, so that they repeat and follow one another, on both sides of what numbers hold exactly. */
const bases = [0n, 10n ** 15n - 3n, 2n ** 53n - 3n, 2n * 10n ** 15n - 3n, 2n ** 64n - 6n] as const;

const ids = fc
  .tuple(fc.constantFrom(...bases), fc.bigInt({ min: 0n, max: 5n }))
  .map(([base, offset]) => named.ackId(String(base + offset)));

test("C-33 C-34 C-35 knows exactly the latest ids, whatever their order", () => {
  fc.assert(
    fc.property(fc.array(ids), fc.integer({ min: 1, max: 8 }), (requests, capacity) => {
      const memory = new AckMemory();
      let latest: readonly AckId[] = [];
      for (const id of requests) {
        expect(memory.has(id)).toBe(latest.includes(id));
        if (latest.includes(id)) continue;
        memory.remember(id, capacity);
        latest = [...latest, id].slice(-capacity);
      }
      for (const id of requests) expect(memory.has(id)).toBe(latest.includes(id));
    }),
    { numRuns: 500 },
  );
});
