import { expect, test } from "bun:test";
import { ServiceHarness } from "../../tests/support/service-harness.ts";
import { KeepAlive } from "./keep-alive.ts";

test("C-93 M-15 a client is pinged at its hub's interval", () => {
  const harness = new ServiceHarness();
  harness.keepAliveSeconds = 7;
  const { sink, session } = harness.connect();
  const pings: number[] = [];
  for (let second = 1; second <= 30; second++) {
    harness.scheduler.advance(1000);
    session.alive();
    pings.push(sink.pings);
  }
  expect(pings.map((count, index) => (count > (pings[index - 1] ?? 0) ? index + 1 : 0)).filter(Boolean)).toEqual([
    7, 14, 21, 28,
  ]);
});

test("C-93 a silent client is cut after three intervals, without a close frame", () => {
  const harness = new ServiceHarness();
  const { connection, sink } = harness.connect();
  harness.scheduler.advance(59_000);
  expect([sink.pings, sink.ended, connection.isOpen]).toEqual([2, null, true]);
  harness.scheduler.advance(1000);
  expect([sink.pings, sink.ended, connection.isOpen]).toEqual([2, "aborted", false]);
  expect(harness.upstream.notified.at(-1)).toBe(`disconnected ${connection.id}: The connection timed out.`);
  expect(harness.telemetry.ended.map(({ ending }) => ending)).toEqual([
    { by: "service", cause: "pingTimeout", text: null },
  ]);
});

test("C-93 a frame, ping or pong of the client starts the three intervals again", () => {
  const harness = new ServiceHarness();
  const [talking, answering, silent] = [harness.connect(), harness.connect(), harness.connect()];
  for (let minute = 0; minute < 3; minute++) {
    harness.scheduler.advance(39_000);
    talking.send({ type: "ping" });
    answering.session.alive();
  }
  expect([talking, answering, silent].map(({ connection }) => connection.isOpen)).toEqual([true, true, false]);
});

test("M-15 a shorter interval takes effect and punishes nobody for the longer one", () => {
  const harness = new ServiceHarness();
  harness.keepAliveSeconds = 120;
  const { connection, sink, session } = harness.connect();
  harness.scheduler.advance(119_000);
  harness.keepAliveSeconds = 1;
  harness.scheduler.advance(1000);
  expect([sink.pings, connection.isOpen]).toEqual([1, true]);
  session.alive();
  harness.scheduler.advance(2000);
  expect(sink.pings).toBe(3);
  harness.scheduler.advance(1000);
  expect(connection.isOpen).toBe(false);
});

test("C-93 every interval of 1 to 120 seconds finds its second", () => {
  for (const seconds of [1, 60, 119, 120]) {
    const harness = new ServiceHarness();
    harness.keepAliveSeconds = seconds;
    harness.scheduler.advance(100_000);
    const { sink } = harness.connect();
    harness.scheduler.advance(seconds * 1000 - 1);
    expect(sink.pings).toBe(0);
    harness.scheduler.advance(1);
    expect(sink.pings).toBe(1);
  }
});

test("a socket that closes inside a ping is never looked at again", () => {
  const harness = new ServiceHarness();
  const timedOut: string[] = [];
  const keepAlive = new KeepAlive({
    scheduler: harness.scheduler,
    intervalSeconds: () => 5,
    timedOut: ({ id }) => timedOut.push(id),
  });
  const { connection, sink } = harness.connect();
  let pings = 0;
  sink.ping = () => {
    pings += 1;
    keepAlive.remove(connection);
  };
  keepAlive.add(connection);
  harness.service.close();
  harness.scheduler.advance(60_000);
  expect([pings, timedOut]).toEqual([1, []]);
});

test("a closed service leaves no timer", () => {
  const harness = new ServiceHarness();
  const { sink } = harness.connect();
  harness.service.close();
  expect(harness.scheduler.timerCount).toBe(0);
  harness.scheduler.advance(120_000);
  expect(sink.pings).toBe(0);
});
