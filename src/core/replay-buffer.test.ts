import { expect, test } from "bun:test";
import { ReplayBuffer } from "./replay-buffer.ts";

const bounds = { replay: { messages: 3, bytes: 10 }, now: () => 0 };

function kept(buffer: ReplayBuffer, now = 0): readonly (readonly [number, unknown])[] {
  const seen: [number, unknown][] = [];
  buffer.replay(now, (frame, id) => seen.push([id, frame]));
  return seen;
}

test("C-71 C-72 numbers start at 1, and a replay repeats the same frames with their numbers", () => {
  const buffer = new ReplayBuffer({ messages: 0, bytes: 0 });
  const frame = new Uint8Array([1, 2]);
  expect([buffer.add("a", null, bounds), buffer.add(frame, null, bounds)]).toEqual([1, 2]);
  const again = kept(buffer);
  expect(again).toEqual([
    [1, "a"],
    [2, frame],
  ]);
  expect(again[1]?.[1]).toBe(frame);
  expect(kept(buffer)).toEqual(again);
});

test("C-73 a smaller number than before releases nothing, a larger one than given everything; counting goes on", () => {
  const totals = { messages: 0, bytes: 0 };
  const buffer = new ReplayBuffer(totals);
  for (const frame of ["a", "b", "c"]) buffer.add(frame, null, bounds);
  buffer.release(2);
  buffer.release(1);
  expect(kept(buffer)).toEqual([[3, "c"]]);
  buffer.release(Number.POSITIVE_INFINITY);
  expect([buffer.length, totals]).toEqual([0, { messages: 0, bytes: 0 }]);
  expect(buffer.add("d", null, bounds)).toBe(4);
});

test("C-81 the message that would exceed a bound is not kept and takes no number", () => {
  const totals = { messages: 0, bytes: 0 };
  const buffer = new ReplayBuffer(totals);
  expect(buffer.add("12345678", null, bounds)).toBe(1);
  expect(buffer.add("123", null, bounds)).toBeNull();
  expect(buffer.add("12", null, bounds)).toBe(2);
  expect(totals).toEqual({ messages: 2, bytes: 10 });
  expect(buffer.add("", null, bounds)).toBe(3);
  expect(buffer.add("", null, bounds)).toBeNull();
});

test("R-55 an expired message is not sent again and makes room", () => {
  const buffer = new ReplayBuffer({ messages: 0, bytes: 0 });
  buffer.add("stays", null, bounds);
  buffer.add("goes", 10, bounds);
  buffer.add("", 11, bounds);
  expect(buffer.add("more", null, { ...bounds, now: () => 9 })).toBeNull();
  expect(buffer.add("more", null, { ...bounds, now: () => 10 })).toBe(4);
  expect(kept(buffer, 10)).toEqual([
    [1, "stays"],
    [3, ""],
    [4, "more"],
  ]);
});
