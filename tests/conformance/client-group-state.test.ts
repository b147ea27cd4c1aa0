import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { type ClientOptions, connectJson, type JsonClient, type JsonFrame } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { connectReliable, recover } from "../support/reliable.ts";
import { anyServer, type Target } from "../support/server.ts";

const setting = "webpubsub.setGroupState";
const getting = "webpubsub.getGroupState";
const joining = "webpubsub.joinLeaveGroup";
const success = { success: true };
const forbidden = (message: string): JsonFrame => ({ success: false, error: { name: "Forbidden", message } });
const denied = forbidden("Permission denied.");
const notMember = forbidden("Not a member of group.");
const tooBig = {
  success: false,
  error: { name: "BadRequest", message: "State payload exceeds maximum size 512 bytes." },
};

type State = Readonly<Record<string, string>>;
const set = (state: State | null | undefined, group = "g"): JsonFrame => ({
  type: "setGroupState",
  group,
  ...(state === undefined ? {} : { state }),
});
const subscribe = (group = "g"): JsonFrame => ({ type: "subscribeGroupState", group });
const unsubscribe = (group = "g"): JsonFrame => ({ type: "unsubscribeGroupState", group });

interface Item {
  readonly connectionId: string;
  readonly userId?: string;
  readonly state?: State;
  readonly updatedAt: number;
}

/** The item of a client; without state: it was cleared. */
function item({ connectionId, connected }: JsonClient, state?: State): unknown {
  const user = connected["userId"];
  const updatedAt = expect.any(Number) as unknown;
  return {
    connectionId,
    ...(user === null ? {} : { userId: user }),
    ...(state === undefined ? {} : { state }),
    updatedAt,
  };
}

const update = (items: readonly unknown[], group = "g"): JsonFrame => ({ type: "groupStateUpdate", group, items });
const snapshot = (items: readonly unknown[], group = "g"): JsonFrame => ({ type: "groupStateSnapshot", group, items });
const itemsOf = (frame: JsonFrame): readonly Item[] => frame["items"] as readonly Item[];

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** A member of groups `g` and `h` that may do everything about states. */
const connect = (hub: string, options: Partial<ClientOptions> = {}): Promise<JsonClient> =>
  connectJson(server, { hub, roles: [setting, getting, joining], groups: ["g", "h"], ...options });

/** Subscribes and returns the items of the snapshot, which must come right behind the ack. */
async function subscribed(client: JsonClient, group = "g"): Promise<readonly Item[]> {
  expect(await client.ask(subscribe(group))).toEqual(success);
  const first = await client.next();
  expect(first).toMatchObject({ type: "groupStateSnapshot", group });
  return itemsOf(first);
}

/** A member that has a state in `g`, and one that is subscribed to `g`. */
async function pair() {
  const hub = freshName("hub");
  const setter = await connect(hub, { userId: "ann" });
  const watcher = await connect(hub);
  expect(await subscribed(watcher)).toEqual([]);
  expect(await setter.ask(set({ mood: "fine" }))).toEqual(success);
  expect(await watcher.next()).toEqual(update([item(setter, { mood: "fine" })]));
  return { hub, setter, watcher };
}

describe("setting", () => {
  test("C-100 replaces the whole state and tells the subscribed members", async () => {
    const { hub, setter, watcher } = await pair();
    const bystander = await connect(hub);
    const elsewhere = await connect(hub);
    expect(await subscribed(elsewhere, "h")).toEqual([]);
    expect(await setter.ask(set({ cursor: "1:2", "": "no key", "0": "order" }))).toEqual(success);
    expect(await watcher.next()).toEqual(update([item(setter, { cursor: "1:2", "": "no key", "0": "order" })]));
    expect(await setter.ask(set({}))).toEqual(success);
    expect(await watcher.next()).toEqual(update([item(setter, {})]));
    for (const client of [setter, bystander, elsewhere]) await client.nothingArrived();
  });

  test("C-100 tells a setter that is subscribed itself, before its ack", async () => {
    const client = await connect(freshName("hub"));
    expect(await subscribed(client)).toEqual([]);
    client.send({ ...set({ a: "1" }), ackId: 7 });
    expect(await client.next()).toEqual(update([item(client, { a: "1" })]));
    expect(await client.next()).toEqual({ type: "ack", ackId: 7, success: true });
  });

  test.each([null, undefined])("C-100 %p clears the state, which subscribers see without one", async (state) => {
    const { setter, watcher } = await pair();
    expect(await setter.ask(set(state))).toEqual(success);
    const cleared = await watcher.next();
    expect(cleared).toEqual(update([item(setter)]));
    expect(itemsOf(cleared)[0]).not.toHaveProperty("state");
    expect(await watcher.ask(unsubscribe())).toEqual(success);
    expect(await subscribed(watcher)).toEqual([]);
  });

  test("C-100 numbers the updates of a connection by a time that strictly grows, however fast they come", async () => {
    const { setter, watcher } = await pair();
    const count = 200;
    for (let turn = 0; turn < count; turn++) setter.send(set(turn % 3 === 2 ? null : { turn: String(turn) }));
    let last = 0;
    for (let turn = 0; turn < count; turn++) {
      const [{ updatedAt, state } = { updatedAt: 0, state: undefined }] = itemsOf(await watcher.next());
      expect(state).toEqual(turn % 3 === 2 ? undefined : { turn: String(turn) });
      expect(updatedAt).toBeGreaterThan(last);
      last = updatedAt;
    }
    // Unix milliseconds, as far as a burst of updates allows.
    expect(Math.abs(last - Date.now())).toBeLessThan(600_000);
  });

  test("C-100 takes 512 bytes of keys and values in UTF-8 and no more", async () => {
    const client = await connect(freshName("hub"));
    for (const [state, answer] of [
      [{ k: "x".repeat(511) }, success],
      [{ k: "x".repeat(512) }, tooBig],
      [{ ["k".repeat(512)]: "" }, success],
      [{ ab: "é".repeat(255) }, success],
      [{ abc: "é".repeat(255) }, tooBig],
      [{ "": "😀".repeat(128) }, success],
      [{ a: "😀".repeat(128) }, tooBig],
      [Object.fromEntries(Array.from({ length: 128 }, (_, at) => [String(at + 100), "x"])), success],
      [Object.fromEntries(Array.from({ length: 129 }, (_, at) => [String(at + 100), "x"])), tooBig],
    ] as const)
      expect(await client.ask(set(state))).toEqual(answer);
    // What was refused changed nothing.
    const [{ state } = { state: undefined }] = await subscribed(client);
    expect(Object.keys(state ?? {})).toHaveLength(128);
  });

  test("C-100 C-30 C-33 without ackId is not acked; a used ackId is Duplicate, a refused one is not used up", async () => {
    const { setter, watcher } = await pair();
    setter.send(set({ silent: "1" }));
    expect(await watcher.next()).toEqual(update([item(setter, { silent: "1" })]));
    await setter.nothingArrived();
    const big = { k: "x".repeat(600) };
    for (const [state, success, name] of [
      [big, false, "BadRequest"],
      [{ a: "1" }, true, undefined],
      [{ a: "2" }, false, "Duplicate"],
    ] as const) {
      setter.send({ ...set(state), ackId: 5 });
      const error = name === undefined ? {} : { error: { name } };
      expect(await setter.next()).toMatchObject({ type: "ack", ackId: 5, success, ...error });
    }
    expect(await watcher.next()).toEqual(update([item(setter, { a: "1" })]));
    await watcher.nothingArrived();
  });

  test.each([
    '{"type":"setGroupState","state":{}}',
    '{"type":"setGroupState","group":" ","state":{}}',
    '{"type":"setGroupState","group":"g","state":{"a":1}}',
    '{"type":"setGroupState","group":"g","state":{"a":null}}',
    '{"type":"setGroupState","group":"g","state":["a"]}',
    '{"type":"setGroupState","group":"g","state":"a"}',
    '{"type":"setGroupState","group":"g","ackId":"1"}',
    '{"type":"subscribeGroupState"}',
    '{"type":"subscribeGroupState","group":"g","ackId":-1}',
    '{"type":"unsubscribeGroupState","group":""}',
  ])("C-57 %s closes 1007", async (frame) => {
    await expectDeclined(await connect(freshName("hub")), frame);
  });
});

describe("who may", () => {
  test("C-100 setting needs its role and membership, and nothing is told of a refusal", async () => {
    const hub = freshName("hub");
    const watcher = await connect(hub);
    await subscribed(watcher);
    for (const [options, answer] of [
      [{ roles: [] }, denied],
      [{ roles: [getting, joining, "webpubsub.sendToGroup"] }, denied],
      [{ roles: [`${setting}.other`] }, denied],
      [{ groups: ["h"] }, notMember],
      [{ roles: [], groups: [] }, denied],
    ] as const)
      expect(await (await connect(hub, options)).ask(set({ a: "1" }))).toEqual(answer);
    await watcher.nothingArrived();
  });

  test("C-100 subscribing needs its role and membership, unsubscribing nothing", async () => {
    const { hub, setter } = await pair();
    for (const [options, answer] of [
      [{ roles: [] }, denied],
      [{ roles: [setting, joining] }, denied],
      [{ roles: [`${getting}.other`] }, denied],
      [{ groups: ["h"] }, notMember],
    ] as const) {
      const client = await connect(hub, options);
      expect(await client.ask(subscribe())).toEqual(answer);
      expect(await client.ask(unsubscribe())).toEqual(success);
      expect(await client.ask(unsubscribe("never heard of"))).toEqual(success);
      expect(await setter.ask(set({ a: "1" }))).toEqual(success);
      await client.nothingArrived();
    }
  });

  test.each<[pattern: string, matching: readonly string[], others: readonly string[]]>([
    ["room", ["room"], ["room1", "Room", "roo"]],
    ["room-*", ["room-7", "room-"], ["room.7", "xroom-7", "Room-7"]],
    ["t1.**", ["t1.a", "t1.a.b"], ["t2.a", "t1"]],
    ["t1.?9", ["t1.a9"], ["t1.9", "t1.ab9"]],
    ["a\\*b", ["a*b"], ["axb"]],
    ["a.b", ["a.b"], ["a", "b", "a.b.c"]],
  ])("C-100 the pattern %s of the roles grants what it matches", async (pattern, matching, others) => {
    const hub = freshName("hub");
    const groups = [...matching, ...others];
    const setter = await connect(hub, { roles: [`${setting}.${pattern}`], groups });
    const watcher = await connect(hub, { roles: [`${getting}.${pattern}`], groups });
    for (const group of matching) {
      expect([group, await subscribed(watcher, group)]).toEqual([group, []]);
      expect([group, await setter.ask(set({ a: "1" }, group))]).toEqual([group, success]);
      expect(await watcher.next()).toEqual(update([item(setter, { a: "1" })], group));
    }
    for (const group of others) {
      expect([group, await watcher.ask(subscribe(group))]).toEqual([group, denied]);
      expect([group, await setter.ask(set({ a: "1" }, group))]).toEqual([group, denied]);
    }
  });
});

describe("subscribing", () => {
  test("C-100 is acked, then a snapshot of the members that have a state comes, by connection id", async () => {
    const hub = freshName("hub");
    const clients: JsonClient[] = [];
    for (const userId of ["ann", null, "bob", "eve"]) clients.push(await connect(hub, { userId }));
    const watcher = await connect(hub);
    for (const [at, client] of clients.entries()) await client.ask(set({ at: String(at) }));
    await clients[3]?.ask(set(null));
    await watcher.ask(set({ elsewhere: "yes" }, "h"));
    expect(await watcher.ask(subscribe())).toEqual(success);
    const byId = clients
      .slice(0, 3)
      .map((client, at) => ({ client, at }))
      .sort((left, right) => (left.client.connectionId < right.client.connectionId ? -1 : 1));
    const items = byId.map(({ client, at }) => item(client, { at: String(at) }));
    expect(await watcher.next()).toEqual(snapshot(items));
    await watcher.nothingArrived();
  });

  test("C-100 again brings the snapshot again, and each update once", async () => {
    const { setter, watcher } = await pair();
    expect(await subscribed(watcher)).toEqual([item(setter, { mood: "fine" }) as Item]);
    expect(await setter.ask(set({ mood: "tired" }))).toEqual(success);
    expect(await watcher.next()).toEqual(update([item(setter, { mood: "tired" })]));
    await watcher.nothingArrived();
  });

  test("C-100 shows the time of the last update", async () => {
    const { setter, watcher } = await pair();
    expect(await setter.ask(set({ mood: "tired" }))).toEqual(success);
    const updated = itemsOf(await watcher.next());
    expect(await subscribed(watcher)).toEqual(updated);
  });

  test("C-100 shows 200 states at most, the first by connection id", async () => {
    const hub = freshName("hub");
    const clients = await Promise.all(Array.from({ length: 203 }, () => connect(hub)));
    await Promise.all(clients.map((client) => client.ask(set({ a: "1" }))));
    const watcher = await connect(hub);
    const ids = clients.map(({ connectionId }) => connectionId).sort();
    expect((await subscribed(watcher)).map(({ connectionId }) => connectionId)).toEqual(ids.slice(0, 200));
    // Beyond the snapshot, updates come from all.
    const last = clients.find(({ connectionId }) => connectionId === ids[202]);
    expect(await last?.ask(set({ b: "2" }))).toEqual(success);
    expect(itemsOf(await watcher.next())).toMatchObject([{ connectionId: ids[202], state: { b: "2" } }]);
  });

  test("C-100 ends with unsubscribing", async () => {
    const { setter, watcher } = await pair();
    expect(await watcher.ask(unsubscribe())).toEqual(success);
    expect(await setter.ask(set({ mood: "tired" }))).toEqual(success);
    await watcher.nothingArrived();
  });
});

describe("the end of a membership", () => {
  const ways: readonly (readonly [what: string, leave: (client: JsonClient) => unknown])[] = [
    ["leaveGroup", (client) => client.ask({ type: "leaveGroup", group: "g" })],
    ["REST, from the group", (client) => api(client)("DELETE", `/groups/g/connections/${client.connectionId}`)],
    ["REST, from all groups", (client) => api(client)("DELETE", `/connections/${client.connectionId}/groups`)],
    ["REST, the user from the group", (client) => api(client)("DELETE", "/users/ann/groups/g")],
    ["a lost connection", ({ socket }) => socket.abort()],
    ["a close", ({ socket }) => socket.close(1000)],
    ["REST, by closing the connection", (client) => api(client)("DELETE", `/connections/${client.connectionId}`)],
  ];
  const api = ({ hub }: JsonClient) => hubApi(server, hub);

  test.each(ways)("C-100 by %s clears the state and tells it", async (_what, leave) => {
    const { setter, watcher } = await pair();
    await leave(setter);
    expect(await watcher.next()).toEqual(update([item(setter)]));
    expect(await subscribed(watcher)).toEqual([]);
    await watcher.nothingArrived();
  });

  test.each(ways.slice(0, 4))("C-100 by %s ends the subscription too, for good", async (_what, leave) => {
    const hub = freshName("hub");
    const watcher = await connect(hub, { userId: "ann" });
    const setter = await connect(hub);
    await subscribed(watcher);
    await leave(watcher);
    expect(await setter.ask(set({ a: "1" }))).toEqual(success);
    expect(await watcher.ask({ type: "joinGroup", group: "g" })).toEqual(success);
    expect(await setter.ask(set({ a: "2" }))).toEqual(success);
    await watcher.nothingArrived();
    expect(await subscribed(watcher)).toEqual([item(setter, { a: "2" }) as Item]);
  });

  test("C-100 of one without a state is told nobody, and states of other groups stay", async () => {
    const { hub, setter, watcher } = await pair();
    const stateless = await connect(hub);
    expect(await stateless.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
    await watcher.nothingArrived();
    expect(await setter.ask(set({ other: "group" }, "h"))).toEqual(success);
    expect(await setter.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
    expect(await watcher.next()).toEqual(update([item(setter)]));
    expect(await subscribed(watcher, "h")).toEqual([item(setter, { other: "group" }) as Item]);
  });

  test("C-100 and a new one begin without a state, at a later time", async () => {
    const { setter, watcher } = await pair();
    expect(await setter.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
    const [left] = itemsOf(await watcher.next());
    expect(await setter.ask({ type: "joinGroup", group: "g" })).toEqual(success);
    expect(await subscribed(watcher)).toEqual([]);
    expect(await setter.ask(set({ back: "yes" }))).toEqual(success);
    const [back] = itemsOf(await watcher.next());
    expect(back?.updatedAt).toBeGreaterThan(left?.updatedAt ?? Number.POSITIVE_INFINITY);
  });
});

describe("a reliable client", () => {
  const everything = { roles: [setting, getting], groups: ["g"] };

  test("C-100 C-71 gets snapshot and updates numbered, among its other messages", async () => {
    const hub = freshName("hub");
    const watcher = await connectReliable(server, { hub, ...everything });
    const setter = await connect(hub);
    expect(await watcher.ask(subscribe())).toEqual(success);
    expect(await watcher.next()).toEqual({ sequenceId: 1, ...snapshot([]) });
    await hubApi(server, hub)("POST", `/connections/${watcher.connectionId}/:send`, { body: "between" });
    expect(await watcher.next()).toMatchObject({ sequenceId: 2, data: "between" });
    expect(await setter.ask(set({ a: "1" }))).toEqual(success);
    expect(await watcher.next()).toEqual({ sequenceId: 3, ...update([item(setter, { a: "1" })]) });
  });

  test("C-100 C-72 gets after a recovery what came meanwhile, and keeps state and subscription", async () => {
    const hub = freshName("hub");
    const watcher = await connectReliable(server, { hub, ...everything });
    const setter = await connect(hub);
    expect(await watcher.ask(set({ mine: "1" }))).toEqual(success);
    expect(await watcher.ask(subscribe())).toEqual(success);
    const before = await watcher.socket.nextText();
    watcher.socket.abort();
    expect(await setter.ask(set({ a: "1" }))).toEqual(success);
    expect(await setter.ask(set(null))).toEqual(success);
    const again = await recover(server, watcher);
    expect(await again.socket.nextText()).toBe(before);
    expect(JSON.parse(before)).toEqual({ sequenceId: 1, ...snapshot([item(watcher, { mine: "1" })]) });
    expect(await again.next()).toEqual({ sequenceId: 2, ...update([item(setter, { a: "1" })]) });
    expect(await again.next()).toEqual({ sequenceId: 3, ...update([item(setter)]) });
    expect(await setter.ask(set({ a: "2" }))).toEqual(success);
    expect(await again.next()).toEqual({ sequenceId: 4, ...update([item(setter, { a: "2" })]) });
    expect(await subscribed(setter)).toHaveLength(2);
  });

  test("C-100 C-83 loses its state when REST ends its connection while it is away", async () => {
    const hub = freshName("hub");
    const away = await connectReliable(server, { hub, ...everything });
    const watcher = await connect(hub);
    expect(await away.ask(set({ mine: "1" }))).toEqual(success);
    expect(await subscribed(watcher)).toHaveLength(1);
    away.socket.abort();
    await watcher.nothingArrived();
    await hubApi(server, hub)("DELETE", `/connections/${away.connectionId}`);
    expect(await watcher.next()).toEqual(update([item(away)]));
  });
});
