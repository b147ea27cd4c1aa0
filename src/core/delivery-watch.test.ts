import { expect, test } from "bun:test";
import { FakeMessages } from "../../tests/support/fakes/messages.ts";
import { answersArrive, ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";

const everywhere = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

function watched(options: ConstructorParameters<typeof ServiceHarness>[0] = {}) {
  const harness = new ServiceHarness(options);
  const messages = new FakeMessages(harness.clock);
  harness.telemetry.messages = messages;
  return { harness, messages };
}

const send = (client: TestClient, fields: object = {}) =>
  client.send({ type: "sendToGroup", group: "g", dataType: "text", data: "x", ...fields });

test("a message is followed from its sender to the sockets of its recipients, which get it at the end of the turn", () => {
  const { harness, messages } = watched();
  const [sender] = [harness.connect({ roles: everywhere, groups: ["g"] }), harness.connect({ groups: ["g"] })];
  harness.scheduler.settle();
  send(sender);
  expect(messages.taken()).toEqual(["received t1 sendToGroup g 1 from 1", "published t1 to 2"]);
  harness.scheduler.settle();
  expect(messages.taken()).toEqual(["t1 written 1 of 0", "t1 written 2 of 0"]);
  send(sender);
  harness.scheduler.settle();
  expect(messages.taken().slice(2)).toEqual(["t2 written 1 of 0", "t2 written 2 of 0"]);
});

test("a message waits for a full socket in its place, and is written when the socket has taken it", () => {
  const { harness, messages } = watched();
  const sender = harness.connect({ roles: everywhere });
  const slow = harness.connect({ groups: ["g"] });
  harness.scheduler.settle();
  slow.sink.capacity = 1;
  for (let index = 0; index < 3; index++) send(sender);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t1 written 2 of 2", "t2 waiting 2 of 2", "t3 waiting 2 of 2"]);
  send(sender);
  expect(messages.steps()).toEqual(["t4 waiting 2 of 3"]);
  slow.sink.drain(1);
  expect(messages.steps()).toEqual(["t2 written 2 of 2"]);
  slow.sink.drain();
  expect(messages.steps()).toEqual(["t3 written 2 of 0", "t4 written 2 of 0"]);
});

test("a message that expires, is refused, or whose recipient goes is told as lost", () => {
  const { harness, messages } = watched({ limits: { outboundQueue: { messages: 2, bytes: 1000 } } });
  const sender = harness.connect({ roles: everywhere });
  const slow = harness.connect({ groups: ["g"] });
  harness.scheduler.settle();
  slow.sink.capacity = 0;
  send(sender, { ttlSeconds: 1 });
  send(sender);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t1 waiting 2 of 2", "t2 waiting 2 of 2"]);
  harness.clock.advance(1000);
  slow.sink.drain(0);
  slow.sink.drain();
  expect(messages.steps().toSorted()).toEqual(["t1 expired 2 of 0", "t2 written 2 of 0"]);

  slow.sink.capacity = 0;
  for (let index = 0; index < 2; index++) send(sender);
  harness.scheduler.settle();
  send(sender);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t3 waiting 2 of 2", "t4 waiting 2 of 2", "t5 refused 2 of 2"]);
  slow.sink.abort();
  expect(messages.steps()).toEqual(["t3 lost 2 of 2", "t4 lost 2 of 2"]);
});

test("a reliable client that is away has messages kept, each with its number", () => {
  const { harness, messages } = watched();
  const sender = harness.connect({ roles: everywhere });
  const reliable = harness.connectReliable({ groups: ["g"] });
  send(sender);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t1 written 2 #1 of 0"]);
  send(sender);
  reliable.sink.abort();
  send(sender);
  expect(messages.steps()).toEqual(["t2 kept 2 #2 of 1", "t3 kept 2 #3 of 0"]);
});

test("an event, its refusal and the reply to it are one message", async () => {
  const { harness, messages } = watched();
  const client = harness.connect();
  const event = (ackId: number) => client.send({ type: "event", event: "e", dataType: "text", data: "x", ackId });
  event(1);
  event(2);
  expect(harness.upstream.pending[0]?.event.trace?.id).toBe("t1");
  harness.upstream.pending[0]?.answer({
    kind: "handled",
    reply: { payload: { kind: "text", text: "y" }, metadata: null },
  });
  await answersArrive();
  harness.scheduler.settle();
  harness.upstream.pending[1]?.answer({ kind: "unhandled" });
  await answersArrive();
  expect(messages.taken()).toEqual([
    "received t1 event e 1 from 1",
    "received t2 event e 1 from 1",
    "t1 written 1 of 0",
    "unhandled t2",
    "refused t2",
  ]);
});

test("a frame without a message is not told of, and nothing is when nobody watches", () => {
  const { harness, messages } = watched();
  const client = harness.connect({ roles: everywhere, groups: ["g"] });
  client.send({ type: "ping" });
  client.send({ type: "joinGroup", group: "h" });
  expect(messages.taken()).toEqual([]);
  client.sink.capacity = 0;
  send(client);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t3 waiting 1 of 3"]);
  harness.telemetry.messages = null;
  send(client);
  client.sink.drain();
  harness.scheduler.settle();
  harness.telemetry.messages = messages;
  send(client);
  expect(messages.taken()).toEqual(["received t4 sendToGroup g 1 from 1", "published t4 to 1"]);
});

test("what slow clients have waiting is followed up to a bound, and the rest is counted", () => {
  const { harness, messages } = watched({ limits: { outboundQueue: { messages: 30_000, bytes: 10_000_000 } } });
  const sender = harness.connect({ roles: everywhere });
  const slow = harness.connect({ groups: ["g"] });
  harness.scheduler.settle();
  slow.sink.capacity = 0;
  for (let index = 0; index < 20_010; index++) send(sender, { data: "" });
  harness.scheduler.settle();
  expect(messages.leftOut).toBe(10);
  slow.sink.drain();
  expect(messages.steps().filter((step) => step.includes("written"))).toHaveLength(20_000);
  send(sender);
  harness.scheduler.settle();
  expect(messages.steps()).toEqual(["t20011 written 2 of 0"]);
});
