import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ack, nack, ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";

const anyTime: unknown = expect.any(Number);
const set = (state: object | null, ackId: number, group = "g"): object => ({
  type: "setGroupState",
  group,
  state,
  ackId,
});
const subscribe = (ackId: number, group = "g"): object => ({ type: "subscribeGroupState", group, ackId });
const unsubscribe = (ackId: number, group = "g"): object => ({ type: "unsubscribeGroupState", group, ackId });
const roles = ["webpubsub.setGroupState", "webpubsub.getGroupState", "webpubsub.joinLeaveGroup"];

function member(harness: ServiceHarness, more: object = {}): TestClient {
  return harness.connect({ roles, groups: ["g"], ...more });
}
const item = ({ connection }: TestClient, more: object): object => ({
  connectionId: connection.id,
  updatedAt: anyTime,
  ...more,
});
const update = (...items: readonly object[]): object => ({ type: "groupStateUpdate", group: "g", items });
const snapshot = (...items: readonly object[]): object => ({ type: "groupStateSnapshot", group: "g", items });

test("C-100 a subscriber gets what there is, then every change; the update precedes the ack", () => {
  const harness = new ServiceHarness();
  const [first, second, deaf] = [member(harness, { user: "u" }), member(harness), member(harness)];
  expect(first.request(set({ mood: "fine" }, 1))).toEqual([ack(1)]);
  expect(second.request(subscribe(1))).toEqual([
    ack(1),
    snapshot(item(first, { userId: "u", state: { mood: "fine" } })),
  ]);
  expect(second.request(set({ a: "1" }, 2))).toEqual([update(item(second, { state: { a: "1" } })), ack(2)]);
  first.send(set(null, 2));
  expect(second.received()).toEqual([update(item(first, { userId: "u" }))]);
  expect(second.request(unsubscribe(3))).toEqual([ack(3)]);
  first.send(set({ b: "2" }, 3));
  expect([second.received(), deaf.received()]).toEqual([[], []]);
});

test("C-100 times of one connection ascend although the clock stands still", () => {
  const harness = new ServiceHarness();
  const client = member(harness);
  client.request(subscribe(1));
  const times = [2, 3, 4].map((ackId) => JSON.stringify(client.request(set({ n: `${ackId}` }, ackId)))).map(timeOf);
  expect([times[1], times[2]]).toEqual([(times[0] ?? 0) + 1, (times[0] ?? 0) + 2]);
});

test("C-100 who may not, is no member or says too much is refused", () => {
  const harness = new ServiceHarness({ limits: { groupState: { bytes: 4, items: 200 } } });
  const stranger = harness.connect({ groups: ["g"] });
  for (const request of [set({}, 1), subscribe(1)])
    expect(stranger.request(request)).toEqual([nack(1, "Forbidden", "Permission denied.")]);
  expect(stranger.request(unsubscribe(2))).toEqual([ack(2)]);
  const outside = harness.connect({ roles });
  for (const request of [set({}, 1), subscribe(1)])
    expect(outside.request(request)).toEqual([nack(1, "Forbidden", "Not a member of group.")]);
  const inside = member(harness);
  expect(inside.request(set({ é: "ab" }, 1))).toEqual([ack(1)]);
  expect(inside.request(set({ é: "abc" }, 2))).toEqual([
    nack(2, "BadRequest", "State payload exceeds maximum size 4 bytes."),
  ]);
});

test("C-100 roles may name groups by pattern", () => {
  const harness = new ServiceHarness();
  const client = harness.connect({
    roles: ["webpubsub.setGroupState.a*", "webpubsub.getGroupState.ab"],
    groups: ["ab", "b"],
  });
  expect(client.request(set({}, 1, "ab"))).toEqual([ack(1)]);
  expect(client.request(set({}, 2, "b"))).toEqual([nack(2, "Forbidden", "Permission denied.")]);
  expect(client.request(subscribe(3, "ab"))).toMatchObject([ack(3), { type: "groupStateSnapshot" }]);
});

test("C-100 leaving and the end of a connection clear its state and its subscription", () => {
  const harness = new ServiceHarness();
  const [watcher, leaver, dropped] = [member(harness), member(harness), member(harness)];
  watcher.request(subscribe(1));
  for (const client of [leaver, dropped]) {
    client.request(subscribe(1));
    client.request(set({ here: "yes" }, 2));
  }
  watcher.received();
  leaver.received();
  leaver.request({ type: "leaveGroup", group: "g", ackId: 3 });
  expect(watcher.received()).toEqual([update(item(leaver, {}))]);
  dropped.sink.abort();
  expect(watcher.received()).toEqual([update(item(dropped, {}))]);
  expect(leaver.received()).toEqual([]);
  leaver.request({ type: "joinGroup", group: "g", ackId: 4 });
  expect(watcher.request(subscribe(2))).toEqual([ack(2), snapshot()]);
});

test("C-100 a snapshot is ordered by connection id and no longer than allowed", () => {
  const harness = new ServiceHarness({ limits: { groupState: { bytes: 512, items: 2 } } });
  const members = [member(harness), member(harness), member(harness)] as const;
  for (const client of members.toReversed()) client.request(set({ n: "1" }, 1));
  expect(members[2].request(subscribe(2))).toEqual([
    ack(2),
    snapshot(item(members[0], { state: { n: "1" } }), item(members[1], { state: { n: "1" } })),
  ]);
});

test("C-100 a reliable subscriber gets numbered updates, and those it missed when it is back", () => {
  const harness = new ServiceHarness();
  const setter = member(harness);
  const watcher = harness.connectReliable({ groups: ["g"] });
  watcher.connection.permissions.set({ action: "getGroupState", group: null, wanted: true }, 10);
  expect(watcher.request(subscribe(1))).toEqual([ack(1), { sequenceId: 1, ...snapshot() }]);
  watcher.sink.abort();
  setter.request(set({ n: "1" }, 1));
  const missed = { sequenceId: 2, ...update(item(setter, { state: { n: "1" } })) };
  expect(harness.recover(watcher)?.received()).toEqual([{ sequenceId: 1, ...snapshot() }, missed]);
});

test("H-35 thousands of full members with states end at once, without recursion", () => {
  const harness = new ServiceHarness({ limits: { reliable: { recoveryMs: 30_000, messages: 3, bytes: 1_000_000 } } });
  for (let index = 0; index < 3000; index++) {
    const client = harness.connectReliable({ groups: ["g"] });
    for (const action of ["setGroupState", "getGroupState"] as const)
      client.connection.permissions.set({ action, group: null, wanted: true }, 10);
    client.send(set({ n: "1" }, 1));
    client.send(subscribe(2));
  }
  const publication = harness.publication({ target: { kind: "group", group: named.group("g") } });
  for (let index = 0; index < 4; index++) void harness.service.publish(publication);
  expect(harness.service.connectionCount).toBe(0);
  expect(harness.service.reliableState).toEqual({ detached: 0, messages: 0, bytes: 0 });
});

function timeOf(frames: string): number {
  return Number(/"updatedAt":(\d+)/.exec(frames)?.[1]);
}
