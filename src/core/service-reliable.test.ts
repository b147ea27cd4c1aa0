import { expect, test } from "bun:test";
import { FakeSink } from "../../tests/support/fakes/sink.ts";
import { named } from "../../tests/support/named.ts";
import { ack, ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";
import { defaultLimits } from "./limits.ts";

const h = named.hub("h");
const g = named.group("g");
const recoveryMs = defaultLimits.reliable.recoveryMs;

function message(sequenceId: number, data: string): object {
  return { sequenceId, type: "message", from: "server", dataType: "text", data };
}

function publish(harness: ServiceHarness, text: string, ttl: number | null = null): void {
  const expiresAt = ttl === null ? null : harness.clock.now() + ttl;
  harness.service.deliver(harness.publication({ payload: { kind: "text", text }, expiresAt }));
}

function recovered(harness: ServiceHarness, client: TestClient): TestClient {
  const again = harness.recover(client);
  if (again === null) throw new Error("the recovery was refused");
  return again;
}

const disconnected = (harness: ServiceHarness): readonly string[] =>
  harness.upstream.notified.filter((each) => each.startsWith("disconnected"));

test("C-72 C-76 a recovery brings connected, what was not confirmed, what came meanwhile, then live messages", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable({ user: "u" });
  for (const text of ["a", "b", "c"]) publish(harness, text);
  expect(client.received()).toEqual([message(1, "a"), message(2, "b"), message(3, "c")]);
  client.send({ type: "sequenceAck", sequenceId: 1 });
  client.sink.abort();
  expect(harness.service.reliableState).toMatchObject({ detached: 1, messages: 2 });
  publish(harness, "d");
  const again = recovered(harness, client);
  publish(harness, "e");
  const [connected, ...rest] = again.frames().map((frame): unknown => JSON.parse(String(frame)));
  expect(connected).toEqual({
    type: "system",
    event: "connected",
    userId: "u",
    connectionId: client.connection.id,
    reconnectionToken: harness.tokens.issue(client.connection.id),
  });
  expect(rest).toEqual([message(2, "b"), message(3, "c"), message(4, "d"), message(5, "e")]);
  expect(harness.service.reliableState).toMatchObject({ detached: 0, messages: 4 });
  again.send({ type: "sequenceAck", sequenceId: 5 });
  expect(harness.service.reliableState).toEqual({ detached: 0, messages: 0, bytes: 0 });
});

test("E-51 C-82 a client that does not come back is gone after the recovery time, and told about once", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable({ groups: ["g"] });
  publish(harness, "kept");
  client.sink.abort();
  harness.scheduler.advance(recoveryMs - 1);
  expect([harness.service.connectionCount, disconnected(harness)]).toEqual([1, []]);
  harness.scheduler.advance(1);
  expect(disconnected(harness)).toEqual([
    `disconnected ${client.connection.id}: The connection recovery timeout expired.`,
  ]);
  expect(harness.service.connectionCount).toBe(0);
  expect(harness.service.reliableState).toEqual({ detached: 0, messages: 0, bytes: 0 });
  expect(harness.recover(client)).toBeNull();
  expect(harness.service.recoverable(h, client.connection.id)).toBeNull();
});

test("C-82 each drop starts the recovery time anew, and a recovery calls off its end", () => {
  const harness = new ServiceHarness();
  let client = harness.connectReliable();
  const timers = harness.scheduler.timerCount;
  for (let round = 0; round < 5; round++) {
    client.sink.abort();
    harness.scheduler.advance(recoveryMs - 1);
    client = recovered(harness, client);
    expect(harness.scheduler.timerCount).toBe(timers);
  }
  expect(harness.upstream.notified).toEqual([`connected ${client.connection.id}`]);
  expect(harness.telemetry.opened).toHaveLength(1);
  client.sink.close(1000, "bye");
  expect(disconnected(harness)).toEqual([`disconnected ${client.connection.id}: bye`]);
  expect(harness.scheduler.timerCount).toBe(timers);
});

test("C-78 a recovery takes over from a socket that is still open; the old one is cut and no longer heard", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  publish(harness, "a");
  client.frames();
  publish(harness, "b");
  const again = recovered(harness, client);
  expect(client.sink.ended).toBe("aborted");
  expect(again.received()).toEqual([message(1, "a"), message(2, "b")]);
  expect(client.frames()).toEqual([]);
  client.send({ type: "joinGroup", group: "g", ackId: 1 });
  client.sink.close(1000, "");
  expect(client.connection.groups.has(g)).toBe(false);
  publish(harness, "c");
  expect(again.received()).toEqual([message(3, "c")]);
  expect([disconnected(harness), harness.service.reliableState.detached]).toEqual([[], 0]);
});

test("C-79 C-80 only a close with 1000, without code or after a broken protocol is final", () => {
  for (const code of [1000, 1005, 1002, 1007, 1009]) {
    const harness = new ServiceHarness();
    const client = harness.connectReliable();
    client.sink.close(code, "r");
    expect(disconnected(harness)).toEqual([`disconnected ${client.connection.id}: r`]);
    expect(harness.recover(client)).toBeNull();
  }
  for (const code of [1001, 1006, 1011, 3000, 4999]) {
    const harness = new ServiceHarness();
    const client = harness.connectReliable();
    client.sink.close(code, "r");
    expect([disconnected(harness), harness.service.reliableState.detached]).toEqual([[], 1]);
    recovered(harness, client);
  }
});

test("C-80 a client that is not heard any more loses its socket, not its connection", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  harness.keepAliveSeconds = 1;
  const plain = harness.connect();
  const silent = recovered(harness, client);
  harness.scheduler.advance(10_000);
  expect([silent.sink.ended, plain.sink.ended]).toEqual(["aborted", "aborted"]);
  expect(disconnected(harness)).toHaveLength(1);
  const again = recovered(harness, silent);
  expect(harness.service.connectionCount).toBe(1);
  harness.scheduler.advance(1000);
  expect(again.sink.pings).toBe(1);
});

test("C-83 R-63 a detached connection exists, can be changed, and shows it when it is back", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable({ user: "u", groups: ["old"] });
  client.sink.abort();
  const { id } = client.connection;
  const { service } = harness;
  expect(await service.exists(h, { kind: "connection", id })).toBe("yes");
  expect(await service.exists(h, { kind: "user", user: named.user("u") })).toBe("yes");
  const subject = { kind: "connection", id } as const;
  expect(await service.changeMembership({ hub: h, subject, change: "add", group: g })).toBe("done");
  expect(await service.permission({ hub: h, id, change: "grant", action: "sendToGroup", group: g })).toBe("done");
  service.deliver(harness.publication({ target: { kind: "group", group: g } }));
  const again = recovered(harness, client);
  const toGroup = { sequenceId: 1, type: "message", from: "group", group: "g", dataType: "text", data: "hi" };
  expect(again.received()).toEqual([toGroup]);
  expect([...client.connection.groups.values()].map(String).sort()).toEqual(["g", "old"]);
});

test("C-83 R-86 closing a detached connection ends it at once and for good", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  const timers = harness.scheduler.timerCount;
  client.sink.abort();
  const frames = client.sink.frames.length;
  const target = { kind: "hub" } as const;
  expect(await harness.service.closeConnections({ hub: h, target, excluded: null, reason: "r" })).toBe("done");
  expect(disconnected(harness)).toEqual([
    `disconnected ${client.connection.id}: Application server closed the connection. Reason: r`,
  ]);
  expect(harness.recover(client)).toBeNull();
  expect([harness.scheduler.timerCount, harness.service.closingCount]).toEqual([timers, 0]);
  expect(client.sink.frames).toHaveLength(frames);
  harness.scheduler.advance(recoveryMs);
  expect(disconnected(harness)).toHaveLength(1);
});

test("C-81 the message beyond the bounds ends the connection, with a socket or without", () => {
  const limits = { reliable: { recoveryMs, messages: 2, bytes: 1000 } };
  const attached = new ServiceHarness({ limits });
  const client = attached.connectReliable();
  for (const text of ["a", "b", "c"]) publish(attached, text);
  const text = "The reliable message buffer is full.";
  expect(client.received()).toEqual([
    message(1, "a"),
    message(2, "b"),
    { type: "system", event: "disconnected", message: text },
  ]);
  expect(client.sink.ended).toEqual({ code: 1008, reason: text });
  expect(attached.recover(client)).toBeNull();

  const harness = new ServiceHarness({ limits });
  const detached = harness.connectReliable();
  detached.sink.abort();
  for (const each of ["a", "b", "c"]) publish(harness, each);
  expect(disconnected(harness)).toEqual([`disconnected ${detached.connection.id}: ${text}`]);
  expect(harness.recover(detached)).toBeNull();
  expect(harness.service.reliableState).toEqual({ detached: 0, messages: 0, bytes: 0 });
});

test("R-55 a message that expired while its client was away is not brought back; its number is not reused", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  client.sink.abort();
  publish(harness, "short", 1000);
  publish(harness, "long");
  harness.scheduler.advance(3000);
  expect(recovered(harness, client).received()).toEqual([message(2, "long")]);
});

test("C-72 a replay larger than the outbound queue of a slow socket leaves no gap", () => {
  const harness = new ServiceHarness({ limits: { outboundQueue: { messages: 10, bytes: 1000 } } });
  const client = harness.connectReliable();
  client.sink.abort();
  for (let count = 1; count <= 600; count++) publish(harness, String(count));
  const sink = new FakeSink();
  sink.capacity = 3;
  harness.recover(client, sink);
  harness.scheduler.settle();
  sink.drain();
  const ids = sink.frames.slice(1).map((frame) => (JSON.parse(String(frame)) as { sequenceId: number }).sequenceId);
  expect(ids).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
});

test("C-71 control messages are not numbered, and are lost while there is no socket", () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  expect(client.request({ type: "joinGroup", group: "g", ackId: 1 })).toEqual([ack(1)]);
  expect(client.request({ type: "ping" })).toEqual([{ type: "pong" }]);
  client.sink.abort();
  harness.service.pushControl(client.connection, { kind: "pong" });
  const again = recovered(harness, client);
  expect(again.received()).toEqual([]);
  publish(harness, "a");
  expect(again.received()).toEqual([message(1, "a")]);
});

test("C-77 a plain client's connection is not recoverable", () => {
  const harness = new ServiceHarness();
  const plain = harness.connect();
  expect(harness.service.recoverable(h, plain.connection.id)).toBeNull();
  expect(harness.recover(plain)).toBeNull();
  const reliable = harness.connectReliable();
  expect(harness.service.recoverable(h, reliable.connection.id)).toBe(reliable.connection);
  expect(harness.service.recoverable(named.hub("other"), reliable.connection.id)).toBeNull();
});
