import { expect, test } from "bun:test";
import { FakeClock } from "../../tests/support/fakes/clock.ts";
import { named } from "../../tests/support/named.ts";
import { RecentErrors } from "./recent-errors.ts";

const id = (index: number) => named.connection(`connection${index}`);

test("the last ten refusals of a connection are kept, the latest first", () => {
  const clock = new FakeClock();
  const start = clock.now();
  const errors = new RecentErrors(clock);
  for (let count = 1; count <= 13; count++) {
    clock.advance(1);
    errors.note(id(1), "Forbidden", String(count));
  }
  expect(errors.of(id(1))).toEqual(
    Array.from({ length: 10 }, (_unused, index) => ({
      timeMs: start + 13 - index,
      name: "Forbidden",
      message: String(13 - index),
    })),
  );
  expect(errors.of(id(2))).toEqual([]);
});

test("P10 what is kept is bounded: of many connections, those that were refused last", () => {
  const errors = new RecentErrors(new FakeClock());
  for (let index = 0; index < 256; index++) errors.note(id(index), "Forbidden", "x");
  errors.note(id(0), "Forbidden", "y");
  errors.note(id(256), "Forbidden", "x");
  const kept = Array.from({ length: 257 }, (_unused, index) => errors.of(id(index)).length);
  expect([kept[0], kept[1], kept[2], kept[256]]).toEqual([2, 0, 1, 1]);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBe(257);
});
