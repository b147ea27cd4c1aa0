import { expect, test } from "bun:test";
import { FakeTime } from "../../../tests/support/fake-time.ts";
import { Inbox } from "../../../tests/support/inbox.ts";
import { Delivery, type DeliveryLimits, deliveryLimits } from "./delivery.ts";
import { type ListenerEvent, sizedEvent } from "./event.ts";
import type { EventSink, SendFailure } from "./sink.ts";

const eventOf = (id: number, body = "x"): ListenerEvent =>
  sizedEvent({
    hub: "chat",
    connectionId: "c",
    userId: null,
    subprotocol: null,
    connectionState: null,
    kind: "user",
    event: "e",
    id,
    timeMs: 0,
    contentType: "text/plain",
    body,
    metadata: null,
  });

interface Attempt {
  readonly ids: readonly number[];
  readonly events: readonly ListenerEvent[];
  readonly signal: AbortSignal;
  readonly answer: (failures?: readonly SendFailure[]) => void;
}

/** A sink whose answers the test gives. */
class ManualSink implements EventSink {
  readonly name = "manual";
  readonly attempts = new Inbox<Attempt>();
  isClosed = false;

  send(events: readonly ListenerEvent[], signal: AbortSignal): Promise<readonly SendFailure[]> {
    const { promise, resolve } = Promise.withResolvers<readonly SendFailure[]>();
    const ids = events.map(({ id }) => id);
    this.attempts.push({ ids, events, signal, answer: (failures = []) => resolve(failures) });
    return promise;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  async next(): Promise<Attempt> {
    return this.attempts.take({ what: "batch" });
  }
}

function createDelivery(limits: Partial<DeliveryLimits> = {}) {
  const time = new FakeTime();
  const sink = new ManualSink();
  const news = new Inbox<string>();
  const delivery = new Delivery({
    sink,
    limits: { ...deliveryLimits, ...limits },
    clock: time,
    scheduler: time,
    reports: {
      sent: (events) => news.push(`sent ${events.map(({ id }) => id).join(",")}`),
      lost: (kind, count, reason) => news.push(`${kind} ${count}: ${reason}`),
      unavailable: (reason, retryMs) => news.push(`unavailable: ${reason}, ${retryMs}`),
      recovered: () => news.push("recovered"),
    },
  });
  const told = async (): Promise<string> => news.take({ what: "report" });
  return { delivery, sink, time, told, news };
}

test("E-87 events of one turn and those that gather meanwhile go together, in order, one batch at a time", async () => {
  const { delivery, sink, told } = createDelivery();
  delivery.add(eventOf(1));
  delivery.add(eventOf(2));
  const first = await sink.next();
  expect(first.ids).toEqual([1, 2]);
  for (const id of [3, 4, 5]) delivery.add(eventOf(id));
  expect(sink.attempts.untaken).toEqual([]);
  first.answer();
  expect(await told()).toBe("sent 1,2");
  expect((await sink.next()).ids).toEqual([3, 4, 5]);
});

test("E-87 over the bound in events or bytes the newest is dropped and counted", async () => {
  const { delivery, sink, told, news } = createDelivery({ maxEvents: 3 });
  for (const id of [1, 2, 3, 4]) delivery.add(eventOf(id));
  expect(await told()).toMatch(/^dropped 1: the queue is full \(3 events/);
  (await sink.next()).answer();
  expect(await told()).toBe("sent 1,2,3");
  delivery.add(eventOf(5));
  expect((await sink.next()).ids).toEqual([5]);
  expect(news.untaken).toEqual([]);

  const small = createDelivery({ maxBytes: 3000 });
  for (const id of [1, 2]) small.delivery.add(eventOf(id, "x".repeat(2000)));
  expect(await small.told()).toMatch(/^dropped 1: the queue is full/);
  expect(small.delivery.bytes).toBeLessThanOrEqual(3000);
});

test("an unavailable sink gets the same events again after 1, 2, 4 … 60 s, and 1 s after it was back", async () => {
  const { delivery, sink, time, told } = createDelivery();
  delivery.add(eventOf(1));
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    const { ids, events, answer } = await sink.next();
    expect(ids).toEqual([1]);
    answer([{ kind: "unavailable", events, reason: "down" }]);
    expect(await told()).toBe(`unavailable: down, ${seconds * 1000}`);
    await time.elapse(seconds * 1000);
  }
  (await sink.next()).answer();
  expect([await told(), await told()]).toEqual(["sent 1", "recovered"]);
  delivery.add(eventOf(2));
  const { events, answer } = await sink.next();
  answer([{ kind: "unavailable", events, reason: "down" }]);
  expect(await told()).toBe("unavailable: down, 1000");
});

test("what the sink may have taken is not sent again", async () => {
  const { delivery, sink, time, told } = createDelivery();
  for (const id of [1, 2]) delivery.add(eventOf(id));
  const { events, answer } = await sink.next();
  answer([{ kind: "unknown", events: events.slice(0, 1), reason: "reset" }]);
  expect([await told(), await told()]).toEqual(["failed 1: reset", "sent 2"]);
  delivery.add(eventOf(3));
  await time.elapse(1000);
  expect((await sink.next()).ids).toEqual([3]);
});

test("a batch refused as a whole is tried one by one, so that one big event takes no other with it", async () => {
  const { delivery, sink, told } = createDelivery();
  for (const id of [1, 2, 3]) delivery.add(eventOf(id));
  const { events, answer } = await sink.next();
  delivery.add(eventOf(4));
  delivery.add(eventOf(5));
  answer([{ kind: "refusedTogether", events, reason: "too big" }]);
  for (const id of [1, 2, 3]) {
    const alone = await sink.next();
    expect(alone.ids).toEqual([id]);
    alone.answer(id === 2 ? [{ kind: "refusedTogether", events: alone.events, reason: "too big" }] : []);
    expect(await told()).toBe(id === 2 ? "failed 1: too big" : `sent ${id}`);
  }
  expect((await sink.next()).ids).toEqual([4, 5]);
});

test("E-87 an attempt without an answer ends after 30 s, its events are lost and the next ones get their turn", async () => {
  const { delivery, sink, time, told } = createDelivery();
  delivery.add(eventOf(1));
  const { signal } = await sink.next();
  delivery.add(eventOf(2));
  await time.elapse(30_000);
  expect(signal.aborted).toBe(true);
  expect(await told()).toBe("failed 1: no answer in time");
  expect(await told()).toMatch(/^unavailable: no answer in time/);
  await time.elapse(1000);
  expect((await sink.next()).ids).toEqual([2]);
});

test("a sink that throws loses its batch and nothing else", async () => {
  const { delivery, sink, told } = createDelivery();
  sink.send = () => Promise.reject(new Error("a bug"));
  delivery.add(eventOf(1));
  expect(await told()).toBe("failed 1: a bug");
});

test("closing waits for the queue, at most until the deadline, then drops the rest and closes the sink", async () => {
  const { delivery, sink, told } = createDelivery();
  delivery.add(eventOf(1));
  const first = await sink.next();
  delivery.add(eventOf(2));
  const closed = delivery.close(5000);
  delivery.add(eventOf(3));
  expect(await told()).toBe("dropped 1: the listener is closed");
  first.answer();
  expect(await told()).toBe("sent 1");
  (await sink.next()).answer();
  await closed;
  expect(sink.isClosed).toBe(true);

  const stuck = createDelivery();
  stuck.delivery.add(eventOf(1));
  const { signal } = await stuck.sink.next();
  stuck.delivery.add(eventOf(2));
  const late = stuck.delivery.close(5000);
  await stuck.time.elapse(5000);
  await late;
  expect([signal.aborted, stuck.sink.isClosed, stuck.delivery.events]).toEqual([true, true, 0]);
  expect(await stuck.told()).toBe("dropped 2: the drain time is over");
});

test("closing tries an unavailable sink once more at once", async () => {
  const { delivery, sink, told } = createDelivery();
  delivery.add(eventOf(1));
  const { events, answer } = await sink.next();
  answer([{ kind: "unavailable", events, reason: "down" }]);
  await told();
  const closed = delivery.close(5000);
  (await sink.next()).answer();
  expect(await told()).toBe("sent 1");
  await closed;
});

test("another sink gets what was queued, at once; the batch under way stays with the first, which is closed after it", async () => {
  const { delivery, sink } = createDelivery();
  delivery.add(eventOf(1));
  const first = await sink.next();
  delivery.add(eventOf(2));
  const other = new ManualSink();
  delivery.replaceSink(other);
  expect(sink.isClosed).toBe(false);
  first.answer([{ kind: "unavailable", events: first.events, reason: "down" }]);
  expect((await other.next()).ids).toEqual([1, 2]);
  expect(sink.isClosed).toBe(true);

  const waiting = createDelivery();
  waiting.delivery.add(eventOf(1));
  const { events, answer } = await waiting.sink.next();
  answer([{ kind: "unavailable", events, reason: "down" }]);
  await waiting.told();
  const next = new ManualSink();
  waiting.delivery.replaceSink(next);
  expect((await next.next()).ids).toEqual([1]);
  expect(waiting.sink.isClosed).toBe(true);
});
