import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";
import { type Filter, parseFilter } from "./filter/filter.ts";
import type { GroupName } from "./names.ts";
import type { Subject } from "./operations.ts";
import type { Target } from "./publication.ts";

const h = named.hub("h");
const g = named.group("g");
const room1 = named.group("room1");
const room2 = named.group("room2");

const toGroup = (group: string): Target => ({ kind: "group", group: named.group(group) });
const toUser = (user: string): Target => ({ kind: "user", user: named.user(user) });
const connectionOf = ({ connection }: TestClient): Extract<Subject, { kind: "connection" }> => ({
  kind: "connection",
  id: connection.id,
});
const userNamed = (user: string): Extract<Subject, { kind: "user" }> => ({ kind: "user", user: named.user(user) });
const groupNamed = (group: string): Subject => ({ kind: "group", group: named.group(group) });
const groupsOf = ({ connection }: TestClient): readonly string[] => [...connection.groups.values()].map(String);
const texts = (client: TestClient): readonly unknown[] =>
  client.received().map((each) => (each as { data?: unknown }).data);

function filterOf(text: string): Filter {
  const parsed = parseFilter(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.filter;
}

function publish(harness: ServiceHarness, target: Target, text: string): void {
  expect(harness.service.publish(harness.publication({ target, payload: { kind: "text", text } }))).toBe("done");
}

test("R-58 a message to a user reaches all its connections and no user of another case", () => {
  const harness = new ServiceHarness();
  const [first, second, other, nobody] = [
    harness.connect({ user: "u" }),
    harness.connect({ user: "u" }),
    harness.connect({ user: "U" }),
    harness.connect(),
  ];
  publish(harness, toUser("u"), "x");
  expect([first, second, other, nobody].map((client) => texts(client))).toEqual([["x"], ["x"], [], []]);
});

test("R-59 R-9 what one caller sends in sequence arrives in order, whatever it is addressed to", () => {
  const harness = new ServiceHarness();
  const client = harness.connect({ user: "u", groups: ["g"] });
  const targets: readonly Target[] = [{ kind: "hub" }, toGroup("g"), toGroup("G"), toUser("u"), connectionOf(client)];
  for (let index = 0; index < 1000; index++) publish(harness, targets[index % 5] ?? { kind: "hub" }, String(index));
  const expected = Array.from({ length: 1000 }, (_, index) => index).filter((index) => index % 5 !== 2);
  expect(texts(client)).toEqual(expected.map(String));
});

test("R-49 a message to nobody is done", () => {
  const harness = new ServiceHarness();
  for (const target of [
    toGroup("x"),
    toUser("x"),
    { kind: "hub" } as const,
    { kind: "connection", id: named.connection("x") } as const,
  ])
    publish(harness, target, "x");
});

test("R-50 R-51 excluded connections and filter misses get nothing", () => {
  const harness = new ServiceHarness();
  const [a, b, c] = [harness.connect({ user: "a" }), harness.connect({ user: "b" }), harness.connect({ user: "c" })];
  void harness.service.publish(
    harness.publication({ excluded: new Set([a.connection.id]), filter: filterOf("userId ne 'b'") }),
  );
  expect([a, b, c].map((client) => texts(client))).toEqual([[], [], ["hi"]]);
});

test("R-60 R-61 R-62 connection, group and user exist exactly as long as they have a connection", async () => {
  const harness = new ServiceHarness();
  const { service } = harness;
  const answers = async (client: TestClient): Promise<readonly string[]> => [
    await service.exists(h, connectionOf(client)),
    await service.exists(h, groupNamed("g")),
    await service.exists(h, groupNamed("G")),
    await service.exists(h, userNamed("u")),
    await service.exists(named.hub("other"), connectionOf(client)),
  ];
  const client = harness.connectFree({ user: "u" });
  expect(await answers(client)).toEqual(["yes", "no", "no", "yes", "no"]);
  client.send({ type: "joinGroup", group: "g" });
  expect(await answers(client)).toEqual(["yes", "yes", "no", "yes", "no"]);
  client.send({ type: "leaveGroup", group: "g" });
  expect(await answers(client)).toEqual(["yes", "no", "no", "yes", "no"]);
  client.send({ type: "joinGroup", group: "g" });
  client.sink.close(1000, "");
  expect(await answers(client)).toEqual(["no", "no", "no", "no", "no"]);
});

test("R-64 adding a connection twice is done twice, and needs no permission", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  const add = { hub: h, change: "add", subject: connectionOf(client), group: g } as const;
  expect([await harness.service.changeMembership(add), await harness.service.changeMembership(add)]).toEqual([
    "done",
    "done",
  ]);
  publish(harness, toGroup("g"), "x");
  expect(texts(client)).toEqual(["x"]);
  expect(
    await harness.service.changeMembership({
      ...add,
      subject: { kind: "connection", id: named.connection(`${harness.nodeId}none`) },
    }),
  ).toBe("unknown");
});

test("R-65 R-66 removing a member, a non-member and from all groups is done and leaves the connection open", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect({ groups: ["g", "room1", "room2"] });
  const remove = (group: GroupName | null) =>
    harness.service.changeMembership({ hub: h, change: "remove", subject: connectionOf(client), group });
  expect([await remove(g), await remove(g), groupsOf(client)]).toEqual(["done", "done", ["room1", "room2"]]);
  expect([await remove(null), await remove(null), groupsOf(client), client.connection.isOpen]).toEqual([
    "done",
    "done",
    [],
    true,
  ]);
});

test("R-67 R-68 adding a user adds the connections it has now, and a user without any is unknown", async () => {
  const harness = new ServiceHarness();
  const [one, two, other] = [
    harness.connect({ user: "u" }),
    harness.connect({ user: "u" }),
    harness.connect({ user: "v" }),
  ];
  const add = { hub: h, change: "add", subject: userNamed("u"), group: g } as const;
  expect(await harness.service.changeMembership(add)).toBe("done");
  const late = harness.connect({ user: "u" });
  expect([one, two, other, late].map(groupsOf)).toEqual([["g"], ["g"], [], []]);
  expect(await harness.service.changeMembership({ ...add, subject: userNamed("nobody") })).toBe("unknown");
});

test("R-69 removing a user from one and from all groups removes its connections only", async () => {
  const harness = new ServiceHarness();
  const [one, two, other] = ["u", "u", "v"].map((user) => harness.connect({ user, groups: ["g", "room1"] }));
  if (one === undefined || two === undefined || other === undefined) throw new Error("three clients");
  const remove = (group: GroupName | null) =>
    harness.service.changeMembership({ hub: h, change: "remove", subject: userNamed("u"), group });
  await remove(g);
  expect([one, two, other].map(groupsOf)).toEqual([["room1"], ["room1"], ["g", "room1"]]);
  await remove(null);
  expect([one, two, other].map(groupsOf)).toEqual([[], [], ["g", "room1"]]);
});

test("R-70 R-71 a bulk addition reaches the connections of the hub that the filter selects", async () => {
  const harness = new ServiceHarness();
  const [a, b, elsewhere] = [
    harness.connect({ user: "a" }),
    harness.connect({ user: "b" }),
    harness.connect({ hub: "h2", user: "a" }),
  ];
  const groups = [room1, room2];
  expect(
    await harness.service.changeMembershipWhere({ hub: h, change: "add", groups, filter: filterOf("userId eq 'a'") }),
  ).toBe("done");
  expect([a, b, elsewhere].map(groupsOf)).toEqual([["room1", "room2"], [], []]);
  expect(await harness.service.changeMembershipWhere({ hub: h, change: "add", groups: [g], filter: null })).toBe(
    "done",
  );
  expect([a, b, elsewhere].map(groupsOf)).toEqual([["room1", "room2", "g"], ["g"], []]);
});

test("R-73 a bulk removal selects before it changes", async () => {
  const harness = new ServiceHarness();
  const [both, one] = [harness.connect({ groups: ["room1", "room2"] }), harness.connect({ groups: ["room1"] })];
  await harness.service.changeMembershipWhere({
    hub: h,
    change: "remove",
    groups: [room2, room1],
    filter: filterOf("'room2' in groups"),
  });
  expect([both, one].map(groupsOf)).toEqual([[], ["room1"]]);
});

const close = (
  harness: ServiceHarness,
  target: Target,
  more: { readonly reason?: string; readonly except?: TestClient } = {},
) =>
  harness.service.closeConnections({
    hub: h,
    target,
    reason: more.reason ?? "",
    excluded: more.except === undefined ? null : new Set([more.except.connection.id]),
  });
const disconnected = (message: string): object => ({ type: "system", event: "disconnected", message });

test("R-81 C-92 a close with a reason tells it before the close frame, which has none", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  publish(harness, { kind: "hub" }, "before");
  expect(await close(harness, connectionOf(client), { reason: "r" })).toBe("done");
  expect(await harness.service.exists(h, connectionOf(client))).toBe("no");
  expect(client.received()).toEqual([
    { type: "message", from: "server", dataType: "text", data: "before" },
    disconnected("Application server closed the connection. Reason: r"),
  ]);
  expect(client.sink.ended).toEqual({ code: 1000, reason: "" });
  expect(harness.upstream.notified.at(-1)).toBe(
    `disconnected ${client.connection.id}: Application server closed the connection. Reason: r`,
  );
});

test("R-82 a close without a reason says so", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  await close(harness, connectionOf(client));
  expect([client.received(), client.sink.ended]).toEqual([
    [disconnected("Application server closed the connection.")],
    { code: 1000, reason: "" },
  ]);
});

test("R-83 a long reason is complete in the message", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  const reason = "é😀".repeat(100);
  await close(harness, connectionOf(client), { reason });
  expect([client.received(), client.sink.ended]).toEqual([
    [disconnected(`Application server closed the connection. Reason: ${reason}`)],
    { code: 1000, reason: "" },
  ]);
});

test.each([
  ["", ""],
  ["r", "r"],
  ["a".repeat(123), "a".repeat(123)],
  ["a".repeat(124), "a".repeat(123)],
  ["é".repeat(62), "é".repeat(61)],
  ["€".repeat(42), "€".repeat(41)],
  [`aa${"😀".repeat(31)}`, `aa${"😀".repeat(30)}`],
])("R-81 a simple client finds the reason %p in its close frame, as far as it fits", async (reason, expected) => {
  const harness = new ServiceHarness();
  const client = harness.connect({ simple: "" });
  await close(harness, connectionOf(client), { reason });
  expect([client.frames(), client.sink.ended]).toEqual([[], { code: 1000, reason: expected }]);
});

test("R-84 R-87 closing nobody is done", async () => {
  const harness = new ServiceHarness();
  harness.connect({ user: "u", groups: ["g"] });
  for (const target of [toGroup("G"), toUser("U"), { kind: "connection", id: named.connection("x") } as const])
    expect(await close(harness, target)).toBe("done");
  expect(harness.service.connectionCount).toBe(1);
});

test.each([
  ["hub", { kind: "hub" } as Target, ["h u g"]],
  ["group", toGroup("g"), ["h u g"]],
  ["user", toUser("u"), ["h u g"]],
])("R-85 closing a %s spares the excluded and everybody outside", async (_name, target, mustEnd) => {
  const harness = new ServiceHarness();
  const isHub = target.kind === "hub";
  const clients = new Map<string, TestClient>();
  for (const key of ["h u g", "h U G", "h2 u g", "excluded"]) {
    const [hub = "h", user = "u", group = "g"] = key === "excluded" ? [] : key.split(" ");
    clients.set(key, harness.connect({ hub, user, groups: [group] }));
  }
  const except = clients.get("excluded");
  if (except === undefined) throw new Error("no excluded client");
  await close(harness, target, { except });
  const ended = [...clients]
    .filter(([, client]) => client.sink.ended !== null || !client.connection.isOpen)
    .map(([key]) => key);
  expect(ended).toEqual(isHub ? ["h u g", "h U G"] : mustEnd);
});

test("R-88 R-91 permissions are granted, revoked and checked, on known connections", async () => {
  const harness = new ServiceHarness();
  const { id } = harness.connect().connection;
  const ask = (change: "grant" | "revoke" | "check", target = id) =>
    harness.service.permission({ hub: h, id: target, change, action: "sendToGroup", group: g });
  const answers: string[] = [];
  for (const change of ["check", "grant", "grant", "check", "revoke", "revoke", "check"] as const)
    answers.push(await ask(change));
  expect(answers).toEqual(["denied", "done", "done", "done", "done", "done", "denied"]);
  const unknown = named.connection(`${harness.nodeId}none`);
  expect([await ask("grant", unknown), await ask("check", unknown), await ask("check", named.connection("x"))]).toEqual(
    ["unknown", "unknown", "unknown"],
  );
});

test("R-93 the 1001st grant is a conflict", async () => {
  const harness = new ServiceHarness();
  const { id } = harness.connect().connection;
  const grant = (group: string) =>
    harness.service.permission({ hub: h, id, change: "grant", action: "joinLeaveGroup", group: named.group(group) });
  for (let index = 0; index < 1000; index++) await grant(`g${index}`);
  expect([await grant("one-more"), await grant("g0")]).toEqual(["conflict", "done"]);
});

test("C-94 H-35 a client that does not read is closed when its queue is full, and nobody else notices", () => {
  const harness = new ServiceHarness();
  const clients = Array.from({ length: 50 }, () => harness.connect({ groups: ["g"] }));
  const slow = clients[7];
  if (slow === undefined) throw new Error("fifty clients");
  harness.scheduler.settle();
  slow.sink.capacity = 0;
  for (let index = 0; index <= 1001; index++) {
    publish(harness, toGroup("g"), String(index));
    harness.scheduler.settle();
    expect(slow.connection.isOpen).toBe(index < 1000);
  }
  expect(clients.filter(({ connection }) => connection.isOpen)).toHaveLength(49);
  expect(texts(clients[8] ?? slow)).toHaveLength(1002);
  expect(harness.telemetry.ended.map(({ ending }) => ending)).toEqual([
    { by: "service", cause: "outboxFull", text: null },
  ]);
  slow.sink.drain();
  expect(texts(slow)).toHaveLength(1000);
  expect(slow.sink.ended).toEqual({ code: 1008, reason: "The outbound message queue is full." });
});

test("H-35 a full queue of bytes closes too, and acks count", () => {
  const harness = new ServiceHarness({ limits: { outboundQueue: { messages: 1000, bytes: 400 } } });
  const client = harness.connectFree();
  harness.scheduler.settle();
  client.sink.capacity = 0;
  for (let ackId = 1; client.connection.isOpen; ackId++) {
    expect(ackId).toBeLessThan(100);
    client.send({ type: "joinGroup", group: "g", ackId });
    harness.scheduler.settle();
  }
  expect(client.connection.outbox.length).toBe(10);
});

test("a closing client that does not read is cut after five seconds, and leaves nothing behind", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  harness.scheduler.settle();
  client.sink.capacity = 0;
  publish(harness, { kind: "hub" }, "x");
  harness.scheduler.settle();
  await close(harness, connectionOf(client));
  expect([client.sink.ended, harness.service.closingCount, harness.service.connectionCount]).toEqual([null, 1, 0]);
  harness.scheduler.advance(5000);
  expect([client.sink.ended, harness.service.closingCount, client.connection.outbox.length]).toEqual(["aborted", 0, 0]);
  harness.service.close();
  expect(harness.scheduler.timerCount).toBe(0);
});

test("a closing client that reads in time leaves no timer", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  await close(harness, connectionOf(client));
  harness.scheduler.settle();
  expect([client.sink.ended, harness.service.closingCount]).toEqual([{ code: 1000, reason: "" }, 0]);
  harness.service.close();
  expect(harness.scheduler.timerCount).toBe(0);
});

test("a connection ends once, whoever ends it first and however often", async () => {
  const harness = new ServiceHarness();
  const client = harness.connect({ groups: ["g"] });
  client.sink.close(1000, "bye");
  client.session.closed(1006, "");
  harness.service.end(client.connection, "shutdown");
  await close(harness, connectionOf(client));
  harness.service.join(client.connection, g);
  harness.service.leave(client.connection, g);
  expect(harness.service.connectionCount).toBe(0);
  expect(await harness.service.exists(h, groupNamed("g"))).toBe("no");
  expect(harness.telemetry.ended.map(({ ending }) => ending)).toEqual([{ by: "socket", code: 1000, reason: "bye" }]);
  expect(harness.upstream.notified).toEqual([
    `connected ${client.connection.id}`,
    `disconnected ${client.connection.id}: bye`,
  ]);
});

test("H-39 at shutdown every client of every hub is told", () => {
  const harness = new ServiceHarness();
  const clients = ["h", "h2", "h"].map((hub) => harness.connect({ hub }));
  harness.service.endAll("shutdown");
  for (const client of clients) {
    expect(client.received()).toEqual([disconnected("Service is restarting.")]);
    expect(client.sink.ended).toEqual({ code: 1001, reason: "Service is restarting." });
  }
  expect(harness.service.connectionCount).toBe(0);
});

test("M-44 places are counted from the reservation on", () => {
  const harness = new ServiceHarness({ limits: { maxConnections: 2 } });
  const { service } = harness;
  const client = harness.connect();
  expect([service.reserve(), service.reserve()]).toEqual([true, false]);
  service.release();
  expect(service.reserve()).toBe(true);
  service.release();
  client.sink.abort();
  expect([service.reserve(), service.reserve(), service.reserve()]).toEqual([true, true, false]);
});

test("E-26 event ids count from connect, whether or not anybody asked for it", () => {
  const harness = new ServiceHarness();
  const client = harness.connect();
  expect(client.connection.takeEventId()).toBe(2);
  client.sink.abort();
  expect(harness.upstream.eventIds).toEqual([1, 3]);
});

test("presence is reported once for each change, also for what connects and disconnects", async () => {
  const harness = new ServiceHarness();
  harness.upstream.reportsPresence = true;
  const client = harness.connectFree({ groups: ["g", "g"] });
  const { id } = client.connection;
  client.send({ type: "joinGroup", group: "room1" });
  client.send({ type: "joinGroup", group: "room1" });
  client.send({ type: "leaveGroup", group: "g" });
  client.send({ type: "leaveGroup", group: "g" });
  await close(harness, connectionOf(client));
  expect(harness.upstream.notified).toEqual([
    `connected ${id}`,
    `joined ${id} g`,
    `joined ${id} room1`,
    `left ${id} g`,
    `left ${id} room1`,
    `disconnected ${id}: Application server closed the connection.`,
  ]);
});

test("K-6 what a part of the cluster that is down would have to do is refused", async () => {
  const harness = new ServiceHarness({
    backplane: {
      publish: () => Promise.resolve("down"),
      ask: () => Promise.resolve("down"),
      askAll: () => Promise.resolve("down"),
    },
  });
  const { service } = harness;
  const client = harness.connect();
  const elsewhere = named.connection("otherxxx1");
  expect(await service.publish(harness.publication())).toBe("down");
  expect(await service.exists(h, { kind: "connection", id: elsewhere })).toBe("down");
  expect(await service.exists(h, connectionOf(client))).toBe("yes");
  expect(await service.exists(h, groupNamed("g"))).toBe("down");
  expect(await service.changeMembershipWhere({ hub: h, change: "add", groups: [g], filter: null })).toBe("down");
  expect(await service.listMembers({ hub: h, group: g, after: "", limit: 1 })).toBe("down");
});

test("K-3 members of all nodes are listed as one, in order and up to the limit", async () => {
  const rows = ["n5", "zz", "a1"].map((connectionId) => ({
    connectionId: named.connection(connectionId),
    userId: null,
  }));
  const harness = new ServiceHarness({
    backplane: {
      publish: () => "done",
      ask: () => Promise.resolve("down"),
      askAll: () => Promise.resolve([{ kind: "members", members: rows }]),
    },
  });
  const { id } = harness.connect({ groups: ["g"] }).connection;
  const listed = await harness.service.listMembers({ hub: h, group: g, after: "", limit: 3 });
  expect(listed === "down" ? [] : listed.map(({ connectionId }) => String(connectionId))).toEqual([
    "a1",
    "n5",
    String(id),
  ]);
});
