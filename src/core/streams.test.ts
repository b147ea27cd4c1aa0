import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ack, answersArrive, ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";
import type { Backplane } from "./ports.ts";

const anyText: unknown = expect.any(String);
const start = (more: object = {}, stream: object = {}): object => ({
  type: "sendToGroup",
  group: "g",
  noEcho: false,
  stream: { streamId: "s", ...stream },
  ...more,
});
const data = (streamSequenceId: number, text = `#${streamSequenceId}`): object => ({
  type: "streamData",
  streamId: "s",
  streamSequenceId,
  dataType: "text",
  data: text,
});
const keepAlive = { type: "streamData", streamId: "s" };
const end = (more: object = {}): object => ({ type: "streamEnd", streamId: "s", ...more });
const streamAck = (expectedSequenceId: number): object => ({ type: "streamAck", streamId: "s", expectedSequenceId });
const closed = { type: "streamClosed", streamId: "s" };
const closedBy = (name: string): object => ({ ...closed, error: { name, message: anyText } });
const nack = (name: string, expectedSequenceId: number): object => ({
  type: "streamNack",
  streamId: "s",
  name,
  expectedSequenceId,
  message: anyText,
});
const part = (streamSequenceId: number, text: string, more: object = {}): object => ({
  type: "message",
  from: "group",
  group: "g",
  fromUserId: null,
  dataType: "text",
  data: text,
  stream: { streamId: "s", streamSequenceId, ...more },
});
const ended = (streamSequenceId: number, name: string): object =>
  part(streamSequenceId, "", { endOfStream: true, error: { name, message: anyText } });

function pair(harness: ServiceHarness): { readonly publisher: TestClient; readonly member: TestClient } {
  return { publisher: harness.connectFree(), member: harness.connect({ groups: ["g"] }) };
}

test("C-96 a stream from its start to its end", () => {
  const { publisher, member } = pair(new ServiceHarness());
  expect(publisher.request(start())).toEqual([streamAck(1)]);
  expect(member.received()).toEqual([]);
  for (const id of [1, 2, 3]) expect(publisher.request(data(id))).toEqual([streamAck(id + 1)]);
  expect(member.received()).toEqual([part(1, "#1"), part(2, "#2"), part(3, "#3")]);
  expect(publisher.request(end())).toEqual([closed]);
  expect(member.received()).toEqual([part(4, "", { endOfStream: true })]);
});

test("C-96 the fragments of one turn are acknowledged at once", () => {
  const { publisher } = pair(new ServiceHarness());
  publisher.send(start());
  for (const id of [1, 2, 3]) publisher.send(data(id));
  expect(publisher.received()).toEqual([streamAck(1), streamAck(4)]);
});

test("C-97 gaps, duplicates and unknown streams", () => {
  const { publisher, member } = pair(new ServiceHarness());
  expect(publisher.request(data(1))).toEqual([closedBy("StreamNotFound")]);
  expect(publisher.request(end())).toEqual([closedBy("StreamNotFound")]);
  publisher.request(start());
  expect(publisher.request(data(2))).toEqual([nack("InvalidSequenceId", 1)]);
  expect(publisher.request(data(1))).toEqual([streamAck(2)]);
  expect(publisher.request(data(1))).toEqual([streamAck(2)]);
  expect(member.received()).toEqual([part(1, "#1")]);
});

test("C-97 without the role there is no stream", () => {
  const harness = new ServiceHarness();
  const publisher = harness.connect();
  expect(publisher.request(start({ ackId: 5 }))).toEqual([
    closedBy("Forbidden"),
    { type: "ack", ackId: 5, success: false, error: { name: "Forbidden", message: anyText } },
  ]);
  expect(publisher.request(data(1))).toEqual([closedBy("StreamNotFound")]);
});

test("C-97 a permission that is revoked ends the stream for both", () => {
  const { publisher, member } = pair(new ServiceHarness());
  publisher.request(start());
  publisher.connection.permissions.set({ action: "sendToGroup", group: null, wanted: false }, 10);
  expect(publisher.request(data(1))).toEqual([closedBy("Forbidden")]);
  expect(member.received()).toEqual([ended(1, "Forbidden")]);
});

test("C-97 a second start of an open stream leaves it alone", () => {
  const { publisher } = pair(new ServiceHarness());
  publisher.request(start());
  expect(publisher.request(start())).toEqual([closedBy("BadRequest")]);
  expect(publisher.request(start({}, { streamId: "s", idleTimeoutMs: 0 }))).toEqual([closedBy("BadRequest")]);
  expect(publisher.request(data(1))).toEqual([streamAck(2)]);
  publisher.request(end());
  expect(publisher.request(start({ ackId: 1 }))).toEqual([streamAck(1), ack(1)]);
});

test("C-97 a bad fragment ends the stream for both", () => {
  const { publisher, member } = pair(new ServiceHarness());
  publisher.request(start());
  expect(publisher.request(data(0))).toEqual([closedBy("BadRequest")]);
  expect(member.received()).toEqual([ended(1, "InternalServerError")]);
});

test("C-97 a connection has only so many streams", () => {
  const { publisher } = pair(new ServiceHarness({ limits: { openStreams: 1 } }));
  publisher.request(start());
  expect(publisher.request(start({}, { streamId: "other" }))).toMatchObject([
    { streamId: "other", error: { name: "BadRequest" } },
  ]);
});

test("C-98 an idle stream ends for both, a keep-alive postpones it", () => {
  const harness = new ServiceHarness();
  const { publisher, member } = pair(harness);
  harness.keepAliveSeconds = 0;
  publisher.request(start({}, { idleTimeoutMs: 1000 }));
  for (const frame of [keepAlive, data(1), keepAlive]) {
    harness.scheduler.advance(900);
    publisher.send(frame);
  }
  harness.scheduler.advance(999);
  expect([publisher.received(), member.received()]).toEqual([[streamAck(2)], [part(1, "#1")]]);
  harness.scheduler.advance(1);
  expect([publisher.received(), member.received()]).toEqual([[closedBy("IdleTimeout")], [ended(2, "IdleTimeout")]]);
  expect(publisher.request(keepAlive)).toEqual([closedBy("StreamNotFound")]);
});

test("C-96 the end of the publisher's connection cancels its streams and leaves no timer", () => {
  const harness = new ServiceHarness();
  const { publisher, member } = pair(harness);
  const timers = harness.scheduler.timerCount;
  publisher.request(start());
  publisher.request(data(1));
  publisher.sink.abort();
  expect(member.received()).toEqual([part(1, "#1"), ended(2, "Cancelled")]);
  expect(harness.scheduler.timerCount).toBeLessThanOrEqual(timers);
});

test("C-96 what a publisher says of the end reaches its subscribers, not itself", () => {
  const { publisher, member } = pair(new ServiceHarness());
  publisher.request(start());
  const error = { message: "gave up", userErrorCode: "E1" };
  expect(publisher.request(end({ error }))).toEqual([closed]);
  expect(member.received()).toEqual([part(1, "", { endOfStream: true, error: { name: "UserError", ...error } })]);
});

test("C-96 noEcho, metadata and ttl hold for the whole stream; simple members get bare payloads", () => {
  const harness = new ServiceHarness();
  const publisher = harness.connect({ groups: ["g"], roles: ["webpubsub.sendToGroup"] });
  const [member, simple] = [harness.connect({ groups: ["g"] }), harness.connect({ groups: ["g"], simple: "" })];
  publisher.request(start({ noEcho: true, metadata: { k: "v" } }));
  expect(publisher.request(data(1))).toEqual([streamAck(2)]);
  expect(publisher.request(end())).toEqual([closed]);
  expect(member.received()).toMatchObject([{ metadata: { k: "v" } }, { metadata: { k: "v" } }]);
  expect(simple.frames()).toEqual(["#1"]);
});

test("C-99 a stream outlives the socket; what is sent again is acknowledged and not delivered again", () => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["g"] });
  const publisher = harness.connectReliable();
  publisher.request(start());
  publisher.request(data(1));
  publisher.sink.abort();
  const again = harness.recover(publisher);
  expect(again?.request(data(1))).toEqual([streamAck(2)]);
  expect(again?.request(data(2))).toEqual([streamAck(3)]);
  expect(member.received()).toEqual([part(1, "#1"), part(2, "#2")]);
});

test("C-99 the end of a stream that a drop may have hidden is told again, once the client is back", () => {
  const harness = new ServiceHarness();
  const publisher = harness.connectReliable();
  publisher.request(start());
  publisher.request(end());
  expect(publisher.request(end())).toEqual([closedBy("StreamNotFound")]);
  publisher.sink.abort();
  expect(harness.recover(publisher)?.request(end())).toEqual([closed]);
});

test("C-98 the idle time-out goes on while the publisher is away", () => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["g"] });
  harness.keepAliveSeconds = 0;
  const publisher = harness.connectReliable();
  publisher.request(start({}, { idleTimeoutMs: 1000 }));
  publisher.sink.abort();
  harness.scheduler.advance(1000);
  expect(member.received()).toEqual([ended(1, "IdleTimeout")]);
  expect(harness.recover(publisher)?.request(data(1))).toEqual([closedBy("IdleTimeout")]);
});

/** A cluster that answers as told, then takes everything. */
function clusterAnswering(...answers: readonly Promise<"done" | "down">[]): Backplane {
  const left = [...answers];
  return {
    publish: () => left.shift() ?? "done",
    ask: () => Promise.resolve("down"),
    askAll: () => Promise.resolve([]),
  };
}

test("K-6 a stream that does not reach all nodes ends for both, and nobody gets a fragment twice", async () => {
  const backplane = clusterAnswering(Promise.resolve("done"), Promise.resolve("down"));
  const { publisher, member } = pair(new ServiceHarness({ backplane }));
  publisher.request(start());
  for (const id of [1, 2]) publisher.send(data(id));
  await answersArrive();
  expect(publisher.received()).toEqual([closedBy("InternalServerError")]);
  expect(member.received()).toEqual([part(1, "#1"), part(2, "#2"), ended(3, "InternalServerError")]);
  expect(publisher.request(data(2))).toEqual([closedBy("StreamNotFound")]);
});

test("K-6 an end that does not reach all nodes is one end nevertheless", async () => {
  const late = Promise.withResolvers<"done" | "down">();
  const harness = new ServiceHarness({ backplane: clusterAnswering(late.promise) });
  const { publisher, member } = pair(harness);
  harness.keepAliveSeconds = 0;
  publisher.request(start({}, { idleTimeoutMs: 10 }));
  publisher.send(end());
  harness.scheduler.advance(1000);
  late.resolve("down");
  await answersArrive();
  expect(member.received()).toEqual([part(1, "", { endOfStream: true })]);
  expect(publisher.received()).toEqual([closedBy("InternalServerError")]);
});

test("K-6 what is on its way to other nodes is not acknowledged yet", async () => {
  const late = Promise.withResolvers<"done" | "down">();
  const backplane = clusterAnswering(Promise.resolve("done"), late.promise);
  const { publisher } = pair(new ServiceHarness({ backplane }));
  publisher.request(start());
  publisher.send(data(1));
  publisher.send(data(2));
  await answersArrive();
  expect(publisher.received()).toEqual([streamAck(2)]);
  late.resolve("done");
  await answersArrive();
  expect(publisher.received()).toEqual([streamAck(3)]);
});

test("C-98 the longest idle time-out does not end the stream at once", () => {
  const { publisher } = pair(new ServiceHarness());
  for (const idleTimeoutMs of [2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    publisher.request(start({}, { idleTimeoutMs }));
    expect(publisher.request(data(1))).toEqual([streamAck(2)]);
    publisher.request(end());
  }
});

test("C-98 a fragment that waits behind an event keeps its stream open", async () => {
  const harness = new ServiceHarness();
  const { publisher } = pair(harness);
  harness.keepAliveSeconds = 0;
  publisher.request(start({}, { idleTimeoutMs: 1000 }));
  publisher.send({ type: "event", event: "slow", data: 1 });
  for (let round = 0; round < 3; round++) {
    harness.scheduler.advance(900);
    publisher.send(keepAlive);
  }
  harness.upstream.pending[0]?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(publisher.request(data(1))).toEqual([streamAck(2)]);
});

test("C-97 after a revocation not even an end is published", () => {
  const { publisher, member } = pair(new ServiceHarness());
  publisher.request(start());
  publisher.connection.permissions.set({ action: "sendToGroup", group: null, wanted: false }, 10);
  expect(publisher.request(end({ error: { message: "still here" } }))).toEqual([closedBy("Forbidden")]);
  expect(member.received()).toEqual([ended(1, "Forbidden")]);
});

test("C-96 the end of a stream does not expire with its fragments", () => {
  const harness = new ServiceHarness();
  const publisher = harness.connectFree();
  const member = harness.connectReliable({ groups: ["g"] });
  publisher.request(start({ ttlSeconds: 1 }));
  member.sink.abort();
  publisher.send(data(1));
  publisher.send(end());
  harness.scheduler.advance(2000);
  expect(harness.recover(member)?.received()).toEqual([{ sequenceId: 2, ...part(2, "", { endOfStream: true }) }]);
});

test("C-33 a refused start with a used ack id is a duplicate", () => {
  const { publisher } = pair(new ServiceHarness());
  publisher.request({ type: "joinGroup", group: "g", ackId: 9 });
  expect(publisher.request(start({ ackId: 9 }, { streamId: "" }))).toMatchObject([{ error: { name: "Duplicate" } }]);
});

test("H-35 thousands of full members that publish streams end at once, without recursion", () => {
  const count = 10_000;
  const harness = new ServiceHarness({ limits: { reliable: { recoveryMs: 30_000, messages: 3, bytes: 1_000_000 } } });
  for (let index = 0; index < count; index++)
    harness.connectReliable({ groups: ["g"] }).send(start({ noEcho: true }, { streamId: `s${index}` }));
  const publication = harness.publication({ target: { kind: "group", group: named.group("g") } });
  for (let index = 0; index < 4; index++) void harness.service.publish(publication);
  expect(harness.service.connectionCount).toBe(0);
});
