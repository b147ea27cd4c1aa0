import { expect, test } from "bun:test";
import { ack, answersArrive, ServiceHarness } from "../../tests/support/service-harness.ts";

const event = (ackId: number): object => ({ type: "event", event: "e", ackId, dataType: "text", data: String(ackId) });

test("C-56 ping is answered while an event waits for its handler, everything else waits behind it", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectFree();
  client.send(event(1));
  client.send({ type: "joinGroup", group: "g", ackId: 2 });
  client.send({ type: "ping" });
  client.send({ type: "sequenceAck", sequenceId: 1 });
  expect(client.received()).toEqual([{ type: "pong" }]);
  harness.upstream.pending.shift()?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(client.received()).toEqual([ack(1), ack(2)]);
});

test("events of one client reach the handler one at a time and in order, those of two clients at once", async () => {
  const harness = new ServiceHarness();
  const [one, two] = [harness.connect(), harness.connect()];
  for (const ackId of [1, 2, 3]) one.send(event(ackId));
  two.send(event(9));
  const pendingTexts = (): readonly unknown[] => harness.upstream.pending.map(({ event: { payload } }) => payload);
  expect(pendingTexts()).toEqual([
    { kind: "text", text: "1" },
    { kind: "text", text: "9" },
  ]);
  for (const ackId of [1, 2, 3]) {
    const at = harness.upstream.pending.findIndex(({ source }) => source === one.connection);
    harness.upstream.pending.splice(at, 1)[0]?.answer({ kind: "handled", reply: null });
    await answersArrive();
    expect(one.received()).toEqual([ack(ackId)]);
  }
  expect(pendingTexts()).toEqual([{ kind: "text", text: "9" }]);
});

test("C-57 a frame that is not understood closes behind what came before it", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  client.send(event(1));
  client.send("not json");
  client.send({ type: "ping" });
  expect(client.received()).toEqual([{ type: "pong" }]);
  harness.upstream.pending.shift()?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(client.received()).toMatchObject([ack(1), { type: "system", event: "disconnected" }]);
  expect(client.sink.ended).toEqual({ code: 1007, reason: "The client message is not a valid JSON protocol message." });
});

test("frames behind a close of the service are not carried out", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectFree();
  client.send(event(1));
  client.send({ type: "joinGroup", group: "g", ackId: 2 });
  harness.service.end(client.connection, "shutdown");
  client.send({ type: "joinGroup", group: "g", ackId: 3 });
  harness.upstream.pending.shift()?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(client.received()).toMatchObject([{ type: "system", event: "disconnected" }]);
  expect(client.connection.groups.size).toBe(0);
});

test.each([
  ["messages", { messages: 3, bytes: 1_000_000 }],
  ["bytes", { messages: 1000, bytes: 250 }],
])("a client that sends too many %s behind an event is closed", (_name, inboundQueue) => {
  const harness = new ServiceHarness({ limits: { inboundQueue } });
  const client = harness.connect();
  for (let ackId = 1; ackId <= 4; ackId++) client.send(event(ackId));
  expect(client.connection.isOpen).toBe(true);
  client.send(event(5));
  expect(client.connection.isOpen).toBe(false);
  client.received();
  expect(client.sink.ended).toEqual({ code: 1008, reason: "The inbound message queue is full." });
});

test("a queue that was worked off counts from zero", async () => {
  const harness = new ServiceHarness({ limits: { inboundQueue: { messages: 1000, bytes: 150 } } });
  const client = harness.connectFree();
  for (let round = 0; round < 5; round++) {
    client.send(event(round * 10));
    client.send({ type: "joinGroup", group: "g", ackId: round * 10 + 1 });
    client.send({ type: "leaveGroup", group: "g", ackId: round * 10 + 2 });
    harness.upstream.pending.shift()?.answer({ kind: "handled", reply: null });
    await answersArrive();
    expect(client.received()).toHaveLength(3);
  }
});

test("C-78 an event that waits for its handler outlives its socket, and its answer goes to the new one", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  client.send(event(1));
  client.send({ type: "joinGroup", group: "g", ackId: 2 });
  const again = harness.recover(client);
  again?.send({ type: "leaveGroup", group: "g", ackId: 3 });
  expect(harness.upstream.pending[0]?.signal.aborted).toBe(false);
  harness.upstream.pending
    .shift()
    ?.answer({ kind: "handled", reply: { payload: { kind: "text", text: "hi" }, metadata: null } });
  await answersArrive();
  const reply = { sequenceId: 1, type: "message", from: "server", dataType: "text", data: "hi" };
  expect(again?.received()).toEqual([reply, ack(1), ack(2), ack(3)]);
  expect(client.received()).toEqual([]);
});

test("C-72 C-74 what a client sent before its socket dropped is carried out; the replies are kept, the acks lost", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  client.send(event(1));
  client.send({ type: "joinGroup", group: "g", ackId: 2 });
  client.sink.abort();
  harness.upstream.pending
    .shift()
    ?.answer({ kind: "handled", reply: { payload: { kind: "text", text: "hi" }, metadata: null } });
  await answersArrive();
  const again = harness.recover(client);
  expect(again?.received()).toEqual([{ sequenceId: 1, type: "message", from: "server", dataType: "text", data: "hi" }]);
  expect(again?.request({ type: "joinGroup", group: "g", ackId: 2 })).toMatchObject([
    { ackId: 2, success: false, error: { name: "Duplicate" } },
  ]);
});

test("E-51 the end of a connection whose client stayed away calls off its event and what waited behind it", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectReliable();
  client.send(event(1));
  client.send({ type: "joinGroup", group: "g", ackId: 2 });
  client.sink.abort();
  harness.scheduler.advance(harness.limits.reliable.recoveryMs);
  const pending = harness.upstream.pending.shift();
  expect(pending?.signal.aborted).toBe(true);
  pending?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(client.connection.groups.size).toBe(0);
});
