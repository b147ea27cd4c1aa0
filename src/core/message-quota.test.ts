import { expect, test } from "bun:test";
import { MessageQuota } from "./message-quota.ts";

const dayMs = 86_400_000;

function quotaOf(limit: number) {
  let now = 10 * dayMs + 1000;
  let exceeded = 0;
  const turns: (() => void)[] = [];
  const quota = new MessageQuota({
    clock: { now: () => now },
    scheduler: { afterTurn: (callback) => turns.push(callback), every: () => () => {}, after: () => () => {} },
    limit: () => limit,
    exceeded: () => {
      exceeded += 1;
    },
  });
  return {
    quota,
    advance: (ms: number) => {
      now += ms;
    },
    endTurn: () => {
      for (const turn of turns.splice(0)) turn();
      return exceeded;
    },
  };
}

test("the quota is reached by the message beyond it, told once and at the end of the turn", () => {
  const { quota, endTurn } = quotaOf(10);
  quota.count(10);
  expect(quota.secondsToWait()).toBe(0);
  expect(endTurn()).toBe(0);
  quota.count(1);
  quota.count(5);
  expect(quota.secondsToWait()).toBe(86_399);
  expect(endTurn()).toBe(1);
});

test("a new day starts from zero", () => {
  const { quota, advance, endTurn } = quotaOf(10);
  quota.count(11);
  endTurn();
  advance(dayMs);
  expect(quota.secondsToWait()).toBe(0);
  quota.count(10);
  expect(endTurn()).toBe(1);
  quota.count(1);
  expect(endTurn()).toBe(2);
});

test("messages of two days do not add up", () => {
  const { quota, advance, endTurn } = quotaOf(10);
  quota.count(6);
  advance(dayMs);
  quota.count(6);
  expect(quota.secondsToWait()).toBe(0);
  expect(endTurn()).toBe(0);
});

test("without a limit nothing is ever throttled", () => {
  const { quota, endTurn } = quotaOf(0);
  quota.count(1_000_000);
  expect(quota.secondsToWait()).toBe(0);
  expect(endTurn()).toBe(0);
});
