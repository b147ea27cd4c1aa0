import { expect, test } from "bun:test";
import { ServiceHarness } from "../../tests/support/service-harness.ts";
import { type ConnectionQuery, Inspector } from "./inspection.ts";

const all: ConnectionQuery = { hub: null, search: "", top: 100, after: null, group: null, user: null };

/** An inspector for which each look at the clock takes a millisecond, and what happens when it lets others go first. */
function setUp() {
  const harness = new ServiceHarness();
  const { service } = harness;
  let turns = 0;
  let now = 0;
  const others: (() => void)[] = [];
  const inspector = new Inspector({
    service,
    clock: { now: () => (now += 1) },
    scheduler: {
      every: (ms, callback) => harness.scheduler.every(ms, callback),
      after: (ms, callback) => harness.scheduler.after(ms, callback),
      afterTurn: (callback) => {
        turns += 1;
        others.shift()?.();
        callback();
      },
    },
  });
  return { harness, inspector, turns: () => turns, meanwhile: (act: () => void) => others.push(act) };
}

test("H-61 a long list gives the event loop back again and again, a short one is made at once", async () => {
  const { harness, inspector, turns } = setUp();
  for (let index = 0; index < 200; index++) harness.connect();
  expect((await inspector.connections(all)).total).toBe(200);
  expect(turns()).toBe(0);
  for (let index = 0; index < 9800; index++) harness.connect();
  expect((await inspector.connections(all)).total).toBe(10_000);
  expect(turns()).toBeGreaterThan(5);
});

test("who stays is listed once and who left is not, though much changes during the pass", async () => {
  const { harness, inspector, meanwhile } = setUp();
  const clients = Array.from({ length: 3000 }, (_unused, index) =>
    harness.connect({ user: `u${index}`, groups: ["same", `g${index}`] }),
  );
  const [first, second] = clients;
  if (first === undefined || second === undefined) throw new Error("there are 3000");
  const leave = (client: typeof first): void => harness.service.end(client.connection, "closedByServer");
  meanwhile(() => {
    leave(first);
    harness.connect({ user: "late" });
  });
  const page = await inspector.connections({ ...all, top: 4000 });
  const ids = page.value.map(({ connectionId }) => connectionId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).not.toContain(first.connection.id);
  expect(clients.slice(1).filter(({ connection }) => !ids.includes(connection.id))).toEqual([]);

  // A group that ends and begins again is met twice.
  const [, own] = [...second.connection.groups.values()];
  if (own === undefined) throw new Error("a group of its own");
  meanwhile(() => {
    harness.service.leave(second.connection, own);
    harness.service.join(second.connection, own);
  });
  const groups = await inspector.groups({ ...all, top: 4000 });
  const names = groups.value.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain(own);
  expect(groups.value.find((row) => row.name === "same")).toMatchObject({ connections: 2999 });
});
