import { expect, test } from "bun:test";
import fc from "fast-check";
import { named } from "../../tests/support/named.ts";
import { PageCollector } from "./page-collector.ts";

const item = fc.tuple(fc.constantFrom("a", "b", "c"), fc.string({ unit: "binary", maxLength: 3 }));
const key = ([hub, name]: readonly [string, string]): string => JSON.stringify([hub, name]);

test("whatever order items come in, the pages together are all of them in order, each once", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(item, { selector: key, maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      (items, top) => {
        const sorted = items.toSorted(([hub, name], [otherHub, otherName]) =>
          (hub === otherHub ? name < otherName : hub < otherHub) ? -1 : 1,
        );
        const seen: string[] = [];
        let after: { readonly hub: string; readonly name: string } | null = null;
        for (;;) {
          const page: PageCollector<string> = new PageCollector<string>(top, after);
          for (const [hub, name] of items) page.offer(named.hub(hub), name, key([hub, name]));
          const { items: found, total, hasMore } = page.result();
          expect(total).toBe(items.length);
          expect(found.length).toBeLessThanOrEqual(top);
          seen.push(...found.map((each) => each.item));
          const last = found.at(-1);
          expect(hasMore).toBe(seen.length < sorted.length);
          if (!hasMore || last === undefined) break;
          after = last;
        }
        expect(seen).toEqual(sorted.map(key));
      },
    ),
  );
});

test("what is offered twice is there once, as it was offered last", () => {
  const page = new PageCollector<number>(2, null);
  for (const [name, value] of [
    ["b", 1],
    ["a", 2],
    ["b", 3],
  ] as const)
    page.offer(named.hub("h"), name, value);
  const { items, total, hasMore } = page.result();
  expect(items.map(({ name, item: value }) => [name, value])).toEqual([
    ["a", 2],
    ["b", 3],
  ]);
  expect([total, hasMore]).toEqual([2, false]);
});
