import { expect, test } from "bun:test";
import { createLane, type Lane, type Notification, NotificationQueue } from "./notifications.ts";

function setUp(limits: { readonly maxWaiting?: number; readonly maxStarted?: number } = {}) {
  const queue = new NotificationQueue({ maxWaiting: 100, maxStarted: 100, ...limits });
  const started: string[] = [];
  const dropped: string[] = [];
  const running = new Map<string, { sent(): void; done(): void }>();
  const add = (lane: Lane, name: string, waitsForEvents = false): void => {
    const notification: Notification = {
      waitsForEvents,
      start: (sent, done) => {
        started.push(name);
        running.set(name, { sent, done });
      },
      dropped: () => void dropped.push(name),
    };
    queue.add(lane, notification);
  };
  const of = (name: string) => running.get(name) ?? expect.unreachable();
  return { queue, started, dropped, add, of };
}

test("E-47 notifications of one connection start in order, each when the one before was sent", () => {
  const { add, started, of } = setUp();
  const lane = createLane();
  add(lane, "connected");
  add(lane, "joined");
  add(createLane(), "other connection");
  expect(started).toEqual(["connected", "other connection"]);
  of("connected").sent();
  expect(started).toEqual(["connected", "other connection", "joined"]);
});

test("E-49 disconnected waits for the last user event, and only what comes before it passes", () => {
  const { queue, add, started, of } = setUp();
  const lane = createLane();
  lane.runningEvents = 1;
  add(lane, "connected");
  add(lane, "disconnected", true);
  of("connected").sent();
  expect(started).toEqual(["connected"]);
  lane.runningEvents = 0;
  queue.eventsFinished(lane);
  expect(started).toEqual(["connected", "disconnected"]);
});

test("E-48 over the bound the oldest that has not started is dropped and the next of its connection moves up", () => {
  const { queue, add, started, dropped, of } = setUp({ maxWaiting: 2, maxStarted: 1 });
  const lane = createLane();
  add(createLane(), "running");
  add(lane, "a");
  add(lane, "b");
  add(createLane(), "c");
  expect(dropped).toEqual(["a"]);
  of("running").sent();
  of("running").done();
  expect(started).toEqual(["running", "c"]);
  of("c").sent();
  of("c").done();
  expect(started).toEqual(["running", "c", "b"]);
  add(lane, "d");
  queue.clear();
  expect(dropped).toEqual(["a", "d"]);
  of("b").sent();
  of("b").done();
  expect(queue.size).toBe(0);
});

test("E-48 a storm against a hanging handler holds no more than the bound", () => {
  const { queue, add, dropped } = setUp({ maxWaiting: 10, maxStarted: 1 });
  const lane = createLane();
  for (let index = 0; index < 1000; index++) add(index % 2 === 0 ? lane : createLane(), String(index), index % 5 === 0);
  expect(queue.size).toBe(11);
  expect(dropped.length).toBe(989);
  expect(lane.parked?.size ?? 0).toBeLessThanOrEqual(10);
});
