import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ack, answersArrive, nack, ServiceHarness } from "../../tests/support/service-harness.ts";

const groupMessage = (group: string, fromUserId: string | null, data: string): object => ({
  type: "message",
  from: "group",
  group,
  fromUserId,
  dataType: "text",
  data,
});
const send = (group: string, data: string, more: object = {}): object => ({
  type: "sendToGroup",
  group,
  dataType: "text",
  data,
  ...more,
});
const connected = '"event":"connected"';

test("C-24 the first frame is connected, with connection and user id and without a reconnection token", () => {
  const harness = new ServiceHarness();
  const client = harness.connect({ user: "u" });
  const [first, ...rest] = client.frames();
  const expected = { type: "system", event: "connected", userId: "u", connectionId: client.connection.id };
  expect<unknown>(JSON.parse(String(first))).toEqual(expected);
  expect(rest).toEqual([]);
});

test("C-25 connected comes first although messages are published in the same turn", () => {
  const harness = new ServiceHarness();
  for (let round = 0; round < 3; round++) {
    void harness.service.publish(harness.publication());
    const client = harness.connect({ groups: ["g"] });
    void harness.service.publish(harness.publication({ target: { kind: "group", group: named.group("g") } }));
    void harness.service.publish(harness.publication());
    const frames = client.frames().map(String);
    expect([frames.length, frames[0]?.includes(connected)]).toEqual([3, true]);
  }
});

test("C-26 a simple client gets no frame on connect", () => {
  const harness = new ServiceHarness();
  expect(harness.connect({ simple: "" }).frames()).toEqual([]);
});

test("C-27 C-29 a joined client gets what is published afterwards, one that left does not", () => {
  const harness = new ServiceHarness();
  const [publisher, member] = [harness.connectFree({ user: "p" }), harness.connectFree()];
  publisher.send(send("g", "before"));
  expect(member.request({ type: "joinGroup", group: "g", ackId: 7 })).toEqual([ack(7)]);
  publisher.send(send("g", "during"));
  expect(member.received()).toEqual([groupMessage("g", "p", "during")]);
  expect(member.request({ type: "leaveGroup", group: "g", ackId: 8 })).toEqual([ack(8)]);
  publisher.send(send("g", "after"));
  expect(member.received()).toEqual([]);
});

test("C-28 joining again and leaving a group one is not in succeed", () => {
  const client = new ServiceHarness().connectFree();
  const replies = [
    ...client.request({ type: "joinGroup", group: "g", ackId: 1 }),
    ...client.request({ type: "joinGroup", group: "g", ackId: 2 }),
    ...client.request({ type: "leaveGroup", group: "other", ackId: 3 }),
  ];
  expect(replies).toEqual([ack(1), ack(2), ack(3)]);
});

test("C-30 without an ack id nothing is answered, be it done or forbidden", () => {
  const harness = new ServiceHarness();
  const [free, bound] = [harness.connectFree(), harness.connect()];
  for (const client of [free, bound]) {
    const replies = [
      ...client.request({ type: "joinGroup", group: "g" }),
      ...client.request(send("other", "x")),
      ...client.request({ type: "leaveGroup", group: "g" }),
    ];
    expect([replies, client.connection.isOpen]).toEqual([[], true]);
  }
});

test.each([
  ["joinGroup", "join"],
  ["leaveGroup", "leave"],
  ["sendToGroup", "send to"],
])("C-31 %s without the role is forbidden, does nothing and keeps the connection", (type, verb) => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["red"] });
  const client = harness.connect({
    roles: ["webpubsub.sendToGroup.blue", "webpubsub.joinLeaveGroup.blue"],
    groups: ["red"],
  });
  const message = `The client does not have permission to ${verb} group 'red'.`;
  expect(client.request({ ...send("red", "x"), type, ackId: 5 })).toEqual([nack(5, "Forbidden", message)]);
  expect([member.received(), client.connection.isOpen, client.connection.groups.has(named.group("red"))]).toEqual([
    [],
    true,
    true,
  ]);
});

test("C-32 a forbidden ack id is not used up", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  const { hub, id } = client.connection;
  expect(client.request(send("g", "x", { ackId: 1 }))).toMatchObject([{ ackId: 1, success: false }]);
  await harness.service.permission({ hub, id, change: "grant", action: "sendToGroup", group: named.group("g") });
  expect(client.request(send("g", "x", { ackId: 1 }))).toEqual([ack(1)]);
});

test("C-33 a used ack id is a duplicate for every kind of request, and nothing happens again", () => {
  const harness = new ServiceHarness();
  const [member, client] = [harness.connect({ groups: ["g"] }), harness.connectFree()];
  expect(client.request(send("g", "x", { ackId: 1 }))).toEqual([ack(1)]);
  expect(member.received()).toHaveLength(1);
  const duplicate = nack(1, "Duplicate", "Message with ack-id: 1 has been processed");
  const requests = [
    send("g", "x"),
    { type: "joinGroup", group: "g" },
    { type: "leaveGroup", group: "g" },
    { type: "event", event: "e", dataType: "text", data: "" },
  ];
  for (const request of requests) expect(client.request({ ...request, ackId: 1 })).toEqual([duplicate]);
  expect([member.received(), client.connection.groups.size, harness.upstream.pending]).toEqual([[], 0, []]);
});

test("C-34 the smallest and the biggest ack id are echoed as they are", () => {
  const client = new ServiceHarness().connectFree();
  for (const id of ["0", "18446744073709551615"]) {
    client.send(`{"type":"joinGroup","group":"g","ackId":${id}}`);
    expect(client.frames().at(-1)).toBe(`{"type":"ack","ackId":${id},"success":true}`);
  }
});

test("C-35 the 1001st ack id makes the first usable again", () => {
  const client = new ServiceHarness().connectFree();
  for (let ackId = 1; ackId <= 1001; ackId++) client.send({ type: "joinGroup", group: "g", ackId });
  expect(client.received()).toHaveLength(1001);
  expect(client.request({ type: "joinGroup", group: "g", ackId: 2 })).toMatchObject([{ error: { name: "Duplicate" } }]);
  expect(client.request({ type: "joinGroup", group: "g", ackId: 1 })).toEqual([ack(1)]);
});

test("C-36 a sender in the group gets its message before its ack, with noEcho only the others do", () => {
  const harness = new ServiceHarness();
  const sender = harness.connectFree({ user: "u", groups: ["g"] });
  const twin = harness.connectFree({ user: "u", groups: ["g"] });
  expect(sender.request(send("g", "1", { ackId: 1 }))).toEqual([groupMessage("g", "u", "1"), ack(1)]);
  expect(sender.request(send("g", "2", { ackId: 2, noEcho: true }))).toEqual([ack(2)]);
  expect(twin.received()).toEqual([groupMessage("g", "u", "1"), groupMessage("g", "u", "2")]);
});

test("C-37 R-53 fromUserId is the publisher's user, null without one, absent for REST", () => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["g"] });
  harness.connectFree({ user: "u" }).send(send("g", "1"));
  harness.connectFree().send(send("g", "2"));
  void harness.service.publish(harness.publication({ target: { kind: "group", group: named.group("g") } }));
  const { fromUserId: _absent, ...byRest } = { ...groupMessage("g", null, "hi"), fromUserId: null };
  expect(member.received()).toEqual([groupMessage("g", "u", "1"), groupMessage("g", null, "2"), byRest]);
});

test("C-38 publishing to a group without members succeeds", () => {
  expect(new ServiceHarness().connectFree().request(send("nobody", "x", { ackId: 1 }))).toEqual([ack(1)]);
});

test("C-39 C-40 literal and pattern roles decide request by request", () => {
  const client = new ServiceHarness().connect({
    roles: ["webpubsub.sendToGroup.a.b", "webpubsub.joinLeaveGroups.t1.*"],
  });
  const outcome = (request: object, ackId: number): unknown => client.request({ ...request, ackId })[0];
  expect(outcome(send("a.b", "x"), 1)).toEqual(ack(1));
  expect(outcome(send("a", "x"), 2)).toMatchObject({ success: false });
  expect(outcome({ type: "joinGroup", group: "t1.a" }, 3)).toEqual(ack(3));
  expect(outcome({ type: "joinGroup", group: "t1.a.b" }, 4)).toMatchObject({ success: false });
  expect(outcome({ type: "joinGroup", group: "T1.a" }, 5)).toMatchObject({ success: false });
});

test("C-42 R-92 revoking one group beats the global role and keeps the membership", async () => {
  const harness = new ServiceHarness();
  const client = harness.connectFree({ groups: ["room"] });
  const { hub, id } = client.connection;
  const change = { hub, id, action: "sendToGroup", group: named.group("room") } as const;
  await harness.service.permission({ ...change, change: "revoke" });
  expect(client.request(send("room", "x", { ackId: 1 }))).toMatchObject([{ success: false }]);
  expect(client.request(send("room2", "x", { ackId: 2 }))).toEqual([ack(2)]);
  expect(client.connection.groups.has(named.group("room"))).toBe(true);
  await harness.service.permission({ ...change, change: "grant" });
  expect(client.request(send("room", "x", { ackId: 3 }))).toHaveLength(2);
});

test("C-43 groups of the token need no role", () => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["g", "g"] });
  harness.connectFree().send(send("g", "x"));
  expect(member.received()).toHaveLength(1);
});

test("C-50 R-55 a message whose time to live is over is not sent to a client that reads again", () => {
  const harness = new ServiceHarness();
  const [publisher, member] = [harness.connectFree(), harness.connect({ groups: ["g"] })];
  member.received();
  member.sink.capacity = 0;
  publisher.send(send("g", "1", { ttlSeconds: 1 }));
  publisher.send(send("g", "2", { ttlSeconds: 0 }));
  publisher.send(send("g", "3", { ttlSeconds: 300 }));
  harness.scheduler.settle();
  harness.scheduler.advance(2000);
  member.sink.drain();
  expect(member.received()).toEqual([groupMessage("g", null, "2"), groupMessage("g", null, "3")]);
});

const event = (ackId?: number): object => ({
  type: "event",
  event: "order",
  dataType: "text",
  data: "x",
  ...(ackId === undefined ? {} : { ackId }),
});

test("C-52 the handler's reply is a server message and precedes the ack", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  client.send(event(1));
  const [pending] = harness.upstream.pending;
  expect(pending?.event).toEqual({
    event: named.event("order"),
    payload: { kind: "text", text: "x" },
    metadata: null,
    trace: null,
  });
  pending?.answer({ kind: "handled", reply: { payload: { kind: "text", text: "thanks" }, metadata: null } });
  await answersArrive();
  expect(client.received()).toEqual([{ type: "message", from: "server", dataType: "text", data: "thanks" }, ack(1)]);
});

test.each(["failed", "unhandled"] as const)(
  "C-53 a %s event is a negative ack, and its ack id can be used again",
  async (kind) => {
    const harness = new ServiceHarness();
    const client = harness.connect();
    client.send(event(1));
    harness.upstream.pending.shift()?.answer({ kind });
    await answersArrive();
    expect(client.received()).toEqual([nack(1, "InternalServerError", "Internal server error")]);
    client.send(event(1));
    harness.upstream.pending.shift()?.answer({ kind: "handled", reply: null });
    await answersArrive();
    expect(client.received()).toEqual([ack(1)]);
  },
);

test("C-54 an event without ack id fails in silence", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  client.send(event());
  harness.upstream.pending.shift()?.answer({ kind: "failed" });
  await answersArrive();
  expect([client.received(), client.connection.isOpen]).toEqual([[], true]);
});

test.each([
  ["failed", "The event handler failed."],
  ["unhandled", "No event handler is configured."],
] as const)("C-65 a %s event closes a simple client with 1011", async (kind, reason) => {
  const harness = new ServiceHarness();
  const client = harness.connect({ simple: "" });
  client.send("hi");
  harness.upstream.pending.shift()?.answer({ kind });
  await answersArrive();
  expect([client.frames(), client.sink.ended]).toEqual([[], { code: 1011, reason }]);
});

test("C-64 a simple client's frames are the event message, and a reply comes back bare", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect({ simple: "" });
  client.send(new Uint8Array([1, 2]));
  const pending = harness.upstream.pending.shift();
  expect(pending?.event).toMatchObject({ event: "message", payload: { kind: "binary" } });
  pending?.answer({ kind: "handled", reply: { payload: { kind: "json", source: '"hi"' }, metadata: null } });
  await answersArrive();
  expect(client.frames()).toEqual(['"hi"']);
});

test("an event of a client that left is called off and its answer goes nowhere", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  client.send(event(1));
  const [pending] = harness.upstream.pending;
  client.sink.abort();
  expect(pending?.signal.aborted).toBe(true);
  pending?.answer({ kind: "handled", reply: { payload: { kind: "text", text: "late" }, metadata: null } });
  await answersArrive();
  expect(client.received()).toEqual([]);
  expect(client.connection.pendingEvent).toBeNull();
});

test("C-63 a sequenceAck is ignored on a protocol that keeps nothing", () => {
  const client = new ServiceHarness().connect();
  expect(client.request({ type: "sequenceAck", sequenceId: 9 })).toEqual([]);
  expect(client.request({ type: "ping" })).toEqual([{ type: "pong" }]);
});

test("C-66 a simple client publishes to its group with the type of its frames", () => {
  const harness = new ServiceHarness();
  const [member, simpleMember] = [harness.connect({ groups: ["g"] }), harness.connect({ groups: ["g"], simple: "" })];
  const publisher = harness.connect({
    simple: "webpubsub_mode=sendToGroup&group=g",
    roles: ["webpubsub.sendToGroup.g"],
  });
  publisher.send("hi");
  publisher.send(new Uint8Array([1, 2, 3]));
  expect(member.received()).toMatchObject([
    { from: "group", dataType: "text", data: "hi" },
    { from: "group", dataType: "binary", data: "AQID" },
  ]);
  expect(simpleMember.frames()).toEqual(["hi", new Uint8Array([1, 2, 3])]);
  expect(publisher.frames()).toEqual([]);
});

test("C-66 without the role its first frame closes it with 1008", () => {
  const harness = new ServiceHarness();
  const member = harness.connect({ groups: ["g"] });
  const publisher = harness.connect({ simple: "webpubsub_mode=sendToGroup&group=g" });
  expect(publisher.connection.isOpen).toBe(true);
  publisher.send("hi");
  expect(publisher.sink.ended).toEqual({
    code: 1008,
    reason: "The connection is not authorized for raw sendToGroup mode.",
  });
  expect(member.received()).toEqual([]);
});

test("C-68 noEcho spares a simple sender its own message", () => {
  const harness = new ServiceHarness();
  const options = { roles: ["webpubsub.sendToGroup"], groups: ["g"] };
  const quiet = harness.connect({ ...options, simple: "webpubsub_mode=sendToGroup&group=g&noEcho=true" });
  const loud = harness.connect({ ...options, simple: "webpubsub_mode=sendToGroup&group=g" });
  quiet.send("q");
  loud.send("l");
  expect([quiet.frames(), loud.frames()]).toEqual([["l"], ["q", "l"]]);
});

test.each([
  ["done", [ack(1)]],
  ["down", [nack(1, "InternalServerError", "Internal server error")]],
] as const)(
  "K-6 a publication that the other nodes answer with %s late is acked late and truly",
  async (outcome, expected) => {
    const gate = Promise.withResolvers<"done" | "down">();
    const harness = new ServiceHarness({
      backplane: { publish: () => gate.promise, ask: () => Promise.resolve("down"), askAll: () => Promise.resolve([]) },
    });
    const client = harness.connectFree();
    client.send(send("g", "x", { ackId: 1 }));
    client.send({ type: "joinGroup", group: "g", ackId: 2 });
    expect(client.received()).toEqual([]);
    gate.resolve(outcome);
    await answersArrive();
    expect(client.received()).toEqual([...expected, ack(2)]);
  },
);
