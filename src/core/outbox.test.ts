import { expect, test } from "bun:test";
import { FakeClock } from "../../tests/support/fakes/clock.ts";
import { FakeScheduler } from "../../tests/support/fakes/scheduler.ts";
import { FakeSink } from "../../tests/support/fakes/sink.ts";
import { Flusher, Outbox } from "./outbox.ts";

const limits = { messages: 1000, bytes: 16_777_216 };

function setUp(capacity = Number.POSITIVE_INFINITY) {
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  const sink = new FakeSink();
  sink.capacity = capacity;
  const outbox = new Outbox(new Flusher(scheduler, clock), sink);
  sink.events = { drained: () => outbox.drained(), closed: () => outbox.discard() };
  const push = (...frames: string[]): boolean[] => frames.map((frame) => outbox.push(frame, null, limits));
  return { clock, scheduler, sink, outbox, push };
}

test("the frames of one turn leave in one write, in order, and none before its end", () => {
  const { scheduler, sink, push } = setUp();
  push("a", "b", "c");
  expect(sink.frames).toEqual([]);
  scheduler.endTurn();
  expect([sink.frames, sink.writes]).toEqual([["a", "b", "c"], [3]]);
  expect(scheduler.hasTurn).toBe(false);
});

test("256 frames or 256 Ki characters leave at once", () => {
  const many = setUp();
  many.push(...Array.from({ length: 256 }, String));
  expect(many.sink.writes).toEqual([256]);
  const big = setUp();
  big.push("a", "b".repeat(262_143), "c");
  expect(big.sink.writes).toEqual([2]);
  big.scheduler.settle();
  expect(big.sink.frames.at(-1)).toBe("c");
});

test("C-94 H-35 a full socket is left alone until it drains, and then gets the rest in order", () => {
  const { scheduler, sink, outbox, push } = setUp(2);
  push("a", "b", "c", "d");
  scheduler.endTurn();
  push("e");
  scheduler.settle();
  expect([sink.frames, sink.writes, outbox.length, outbox.isBlocked]).toEqual([["a", "b"], [2], 3, true]);
  sink.drain();
  expect([sink.frames, outbox.length, outbox.isBlocked]).toEqual([["a", "b", "c", "d", "e"], 0, false]);
});

test("C-94 H-35 the 1001st frame behind a full socket is refused, and nothing is lost of the first 1000", () => {
  const { scheduler, sink, outbox, push } = setUp(1);
  push("first", "0");
  scheduler.endTurn();
  for (let index = 1; index < 1000; index++) expect(push(String(index))).toEqual([true]);
  expect([outbox.length, ...push("refused")]).toEqual([1000, false]);
  sink.drain();
  expect(sink.frames).toEqual(["first", ...Array.from({ length: 1000 }, (_, index) => String(index))]);
  expect(push("again")).toEqual([true]);
});

test("H-35 the byte bound counts what waits here and what the socket holds", () => {
  const { scheduler, sink, push } = setUp(0);
  sink.bufferedBytes = limits.bytes - 20;
  push("0123456789");
  scheduler.endTurn();
  expect(push("abcdefghij")).toEqual([true]);
  expect(push("x")).toEqual([false]);
  sink.bufferedBytes = 0;
  expect(push("x")).toEqual([true]);
});

test("H-35 what the socket has taken no longer counts", () => {
  const { scheduler, sink, outbox } = setUp(1);
  const twenty = { messages: 1000, bytes: 20 };
  for (const frame of ["x".repeat(1000), "0123456789"]) outbox.push(frame, null, twenty);
  scheduler.endTurn();
  expect([outbox.push("abcdefghij", null, twenty), outbox.push("y", null, twenty)]).toEqual([true, false]);
  sink.drain(1);
  expect([outbox.push("abcdefghij", null, twenty), outbox.push("y", null, twenty)]).toEqual([true, false]);
});

test("R-55 H-35 a frame that waits longer than its time to live is dropped, the others keep their order", () => {
  const { clock, scheduler, sink, outbox } = setUp(1);
  outbox.push("out", null, limits);
  outbox.push("short", clock.now() + 1000, limits);
  outbox.push("never", null, limits);
  outbox.push("long", clock.now() + 2000, limits);
  scheduler.endTurn();
  clock.advance(1000);
  sink.drain();
  expect(sink.frames).toEqual(["out", "never", "long"]);
});

test("R-55 expired frames make room before anything is refused", () => {
  const { clock, scheduler, outbox } = setUp(0);
  const two = { messages: 2, bytes: 100 };
  outbox.push("a", clock.now() + 1000, two);
  outbox.push("b", null, two);
  scheduler.endTurn();
  expect(outbox.push("c", null, two)).toBe(false);
  clock.advance(1000);
  expect([outbox.push("c", null, two), outbox.push("d", null, two), outbox.length]).toEqual([true, false, 2]);
});

test("a close follows everything queued before it, and nothing queued after it", () => {
  const { scheduler, sink, outbox, push } = setUp(1);
  push("a", "b");
  scheduler.endTurn();
  outbox.close(1000, "bye");
  outbox.close(1011, "again");
  expect(push("c")).toEqual([true]);
  expect(sink.ended).toBeNull();
  sink.drain();
  expect([sink.frames, sink.ended]).toEqual([["a", "b"], { code: 1000, reason: "bye" }]);
});

test("an empty outbox closes at once, a full one without frames when it drains", () => {
  const empty = setUp();
  empty.outbox.close(1000, "");
  expect(empty.sink.ended).toEqual({ code: 1000, reason: "" });
  const full = setUp(1);
  full.push("a");
  full.sink.capacity = 0;
  full.scheduler.endTurn();
  full.outbox.close(1001, "r");
  expect(full.sink.ended).toBeNull();
  full.sink.drain();
  expect([full.sink.frames, full.sink.ended]).toEqual([["a"], { code: 1001, reason: "r" }]);
});

test("a socket that closes inside a write leaves nothing behind and hands nothing to another", () => {
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  const flusher = new Flusher(scheduler, clock);
  const [closing, left, right] = ["closing", "left", "right"].map((name) => {
    const sink = new FakeSink();
    return { name, sink, outbox: new Outbox(flusher, sink) };
  });
  if (closing === undefined || left === undefined || right === undefined) throw new Error("three outboxes");
  closing.sink.events = { drained: () => closing.outbox.drained(), closed: () => closing.outbox.discard() };
  closing.sink.onWrite = () => closing.sink.abort();
  closing.outbox.push("a", null, limits);
  scheduler.endTurn();
  expect([closing.outbox.push("b", null, limits), closing.outbox.length]).toEqual([true, 0]);
  for (const { outbox, name } of [left, right]) outbox.push(name, null, limits);
  scheduler.settle();
  expect([closing.sink.frames, left.sink.frames, right.sink.frames]).toEqual([[], ["left"], ["right"]]);
});

test("what is queued for a socket that is gone is forgotten", () => {
  const { scheduler, sink, outbox, push } = setUp();
  push("a");
  outbox.discard();
  expect(outbox.length).toBe(0);
  push("b");
  scheduler.settle();
  sink.drain();
  expect([sink.frames, sink.writes, outbox.length]).toEqual([[], [], 0]);
});

test("H-61 a flush of 50,000 outboxes yields whenever it took 10 ms, and reaches each once", () => {
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  const flusher = new Flusher(scheduler, clock);
  const sinks = Array.from({ length: 50_000 }, () => new FakeSink());
  for (const sink of sinks) {
    sink.onWrite = () => clock.advance(0.01);
    new Outbox(flusher, sink).push("a", null, limits);
  }
  let slices = 0;
  let longest = 0;
  while (scheduler.hasTurn) {
    const started = clock.now();
    scheduler.endTurn();
    longest = Math.max(longest, clock.now() - started);
    slices += 1;
  }
  expect(slices).toBeGreaterThanOrEqual(25);
  expect(longest).toBeLessThanOrEqual(20);
  expect(sinks.every(({ writes }) => writes.length === 1)).toBe(true);
});

test("H-61 what is queued between two slices is flushed too, even without end", () => {
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  const flusher = new Flusher(scheduler, clock);
  const pairs = Array.from({ length: 640 }, () => {
    const sink = new FakeSink();
    sink.onWrite = () => clock.advance(1);
    return { sink, outbox: new Outbox(flusher, sink) };
  });
  for (let round = 0; round < 30; round++) {
    for (const { outbox } of pairs) outbox.push(String(round), null, limits);
    scheduler.endTurn();
    expect(scheduler.hasTurn).toBe(true);
  }
  scheduler.settle();
  const all = Array.from({ length: 30 }, (_, round) => String(round));
  expect(pairs.every(({ sink }) => Bun.deepEquals(sink.frames, all))).toBe(true);
});

test("one socket that throws does not silence the others", () => {
  const clock = new FakeClock();
  const scheduler = new FakeScheduler(clock);
  const flusher = new Flusher(scheduler, clock);
  const [broken, healthy] = [new FakeSink(), new FakeSink()];
  broken.onWrite = () => {
    throw new Error("a bug");
  };
  new Outbox(flusher, broken).push("a", null, limits);
  new Outbox(flusher, healthy).push("a", null, limits);
  expect(() => scheduler.endTurn()).toThrow("a bug");
  scheduler.endTurn();
  const late = new FakeSink();
  new Outbox(flusher, late).push("a", null, limits);
  scheduler.settle();
  expect([healthy.frames, late.frames]).toEqual([["a"], ["a"]]);
});
