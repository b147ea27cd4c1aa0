import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { AckMemory } from "./ack-memory.ts";

function filled(count: number, capacity: number): AckMemory {
  const memory = new AckMemory();
  for (let id = 1; id <= count; id++) memory.remember(named.ackId(String(id)), capacity);
  return memory;
}

const remembered = (memory: AckMemory, ids: readonly number[]): readonly number[] =>
  ids.filter((id) => memory.has(named.ackId(String(id))));

test("C-33 a remembered id is known, another is not", () => {
  expect(remembered(filled(3, 1000), [0, 1, 3, 4])).toEqual([1, 3]);
});

test("C-35 the 1001st id evicts the first and only the first", () => {
  expect(remembered(filled(1001, 1000), [1, 2, 1000, 1001])).toEqual([2, 1000, 1001]);
});

test("C-35 a lowered capacity holds at the next id", () => {
  const memory = filled(10, 10);
  memory.remember(named.ackId("11"), 3);
  expect(remembered(memory, [1, 7, 8, 9, 10, 11])).toEqual([9, 10, 11]);
});
