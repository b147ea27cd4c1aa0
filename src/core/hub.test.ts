import { expect, spyOn, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ServiceHarness } from "../../tests/support/service-harness.ts";
import type { AnyCodec } from "../protocols/registry.ts";
import { simpleCodec } from "../protocols/simple/codec.ts";
import type { Connection, PushLimits } from "./connection.ts";
import { Hub } from "./hub.ts";
import { defaultLimits } from "./limits.ts";

const limits: PushLimits = { outbox: defaultLimits.outboundQueue, replay: defaultLimits.reliable, now: () => 0 };

/** A hub that is not the service's, so that its indexes are looked at alone. */
function hubWith(count: number, users: readonly string[] = []) {
  const harness = new ServiceHarness();
  const hub = new Hub(named.hub("other"));
  const clients = Array.from({ length: count }, (_, index) => {
    const user = users[index];
    const client = harness.connect(user === undefined ? {} : { user });
    hub.register(client.connection);
    return client;
  });
  return { harness, hub, clients, connections: clients.map(({ connection }) => connection) };
}

const ids = (connections: Iterable<Connection>): readonly string[] => [...connections].map(({ id }) => String(id));

test("H-60 groups and users are forgotten with their last connection", () => {
  const { hub, connections } = hubWith(
    12,
    Array.from({ length: 12 }, (_, index) => `u${index % 3}`),
  );
  for (const connection of connections)
    for (let index = 0; index < 20; index++) hub.join(connection, named.group(`g${index}`));
  for (const [index, connection] of connections.entries()) {
    expect(hub.hasGroup(named.group("g7"))).toBe(true);
    if (index % 2 === 0) hub.unregister(connection);
    else for (let group = 0; group < 20; group++) hub.leave(connection, named.group(`g${group}`));
  }
  expect(hub.hasGroup(named.group("g7"))).toBe(false);
  for (const connection of connections) hub.unregister(connection);
  expect([hub.size, hub.hasUser(named.user("u0")), ids(hub.select({ kind: "user", user: named.user("u0") }))]).toEqual([
    0,
    false,
    [],
  ]);
});

test("H-60 joining and leaving 100,000 groups leaves none of them", () => {
  const { hub, connections } = hubWith(1);
  for (const connection of connections) {
    for (let index = 0; index < 100_000; index++) hub.join(connection, named.group(`g${index}`));
    expect(connection.groups.size).toBe(100_000);
    for (let index = 0; index < 100_000; index++) expect(hub.leave(connection, named.group(`g${index}`))).toBe(true);
    expect(connection.groups.size).toBe(0);
  }
  expect(hub.hasGroup(named.group("g0"))).toBe(false);
  expect(hub.hasGroup(named.group("g99999"))).toBe(false);
});

test("H-62 a disconnect touches the connection's own groups only", () => {
  const { hub, connections } = hubWith(3);
  const [many, few, counted] = connections;
  if (many === undefined || few === undefined || counted === undefined) throw new Error("three connections");
  for (let index = 0; index < 100_000; index++) hub.join(many, named.group(`g${index}`));
  for (let index = 0; index < 10; index++) hub.join(counted, named.group(`own${index}`));
  const get = spyOn(Map.prototype, "get");
  hub.unregister(counted);
  const lookups = get.mock.calls.length;
  get.mockRestore();
  expect(lookups).toBe(10);
  expect(hub.hasGroup(named.group("own0"))).toBe(false);
  expect(hub.hasGroup(named.group("g0"))).toBe(true);
});

test("C-28 joining twice and leaving a group one is not in change nothing", () => {
  const { hub, connections } = hubWith(1);
  const [connection] = connections;
  if (connection === undefined) throw new Error("one connection");
  const g = named.group("g");
  expect([
    hub.join(connection, g),
    hub.join(connection, g),
    hub.leave(connection, g),
    hub.leave(connection, g),
  ]).toEqual([true, false, true, false]);
});

test("a fan-out encodes once per wire format, however the members alternate", () => {
  const { harness, hub } = hubWith(0);
  const encoded: string[] = [];
  const codecOf = (name: string): AnyCodec => ({
    ...simpleCodec,
    initial: () => null,
    decode: () => ({ kind: "ping" }),
    encoder: {
      message() {
        encoded.push(name);
        return name;
      },
      groupState: () => null,
      stamp: null,
      control: () => null,
    },
  });
  const codecs = [codecOf("a"), codecOf("b"), codecOf("c")];
  for (let index = 0; index < 30; index++) {
    hub.register(harness.connect({ codec: codecs[(index * 7) % 3] ?? codecOf("never") }).connection);
  }
  hub.deliver(harness.publication(), limits);
  expect(encoded.toSorted((left, right) => left.localeCompare(right))).toEqual(["a", "b", "c"]);
});

test("members come and go while a publication is delivered, and nobody gets it twice", () => {
  const { harness, hub, clients } = hubWith(20);
  const g = named.group("g");
  for (const { connection } of clients) hub.join(connection, g);
  harness.scheduler.settle();
  // The tenth member's socket closes inside the write that its full outbox starts in the middle of the fan-out.
  const tenth = clients[9];
  if (tenth === undefined) throw new Error("twenty clients");
  for (let index = 0; index < 255; index++) tenth.connection.push("x", null, limits);
  tenth.sink.onWrite = () => {
    tenth.sink.onWrite = null;
    tenth.sink.abort();
    for (const { connection } of clients.slice(0, 5)) hub.unregister(connection);
  };
  hub.deliver(harness.publication({ target: { kind: "group", group: g } }), limits);
  harness.scheduler.settle();
  const counts = clients.map(({ sink }) => sink.frames.filter((frame) => String(frame).includes('"group":"g"')).length);
  expect(counts).toEqual(clients.map((client) => (client === tenth ? 0 : 1)));
});

test("R-80 members are listed by id behind the cursor, up to the limit", () => {
  const { hub, connections } = hubWith(12);
  const g = named.group("g");
  for (const connection of connections.toReversed()) hub.join(connection, g);
  const sorted = ids(connections);
  expect(ids(hub.members(g, "", 5))).toEqual(sorted.slice(0, 5));
  expect(ids(hub.members(g, sorted[4] ?? "", 5))).toEqual(sorted.slice(5, 10));
  expect(ids(hub.members(g, sorted[9] ?? "", 5))).toEqual(sorted.slice(10));
  expect(ids(hub.members(named.group("nobody"), "", 5))).toEqual([]);
});
