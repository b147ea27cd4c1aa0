import { expect, test } from "bun:test";
import fc from "fast-check";
import { named } from "../../tests/support/named.ts";
import { ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";
import type { Target } from "./publication.ts";

const hubs = ["h1", "h2"] as const;
const users = ["u1", "u2", "U1"] as const;
const groups = ["a", "b", "A", "c"] as const;

interface Row {
  readonly hub: string;
  readonly user: string | null;
  readonly groups: Set<string>;
  received: number;
}

/** What a service should look like: every open connection with its groups and the number of its messages. */
type Model = Map<string, Row>;

interface Real {
  readonly harness: ServiceHarness;
  readonly clients: Map<string, TestClient>;
}

type Step = fc.AsyncCommand<Model, Real>;

const pick = (model: Model, index: number): string | undefined => [...model.keys()][index % Math.max(1, model.size)];
const rowOf = (model: Model, id: string): Row => {
  const row = model.get(id);
  if (row === undefined) throw new Error(`${id} is not in the model`);
  return row;
};

class Connect implements Step {
  readonly #options: { readonly hub: string; readonly user: string | null; readonly groups: readonly string[] };

  constructor(options: Connect["options"]) {
    this.#options = options;
  }

  get options() {
    return this.#options;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, { harness, clients }: Real): Promise<void> {
    const { hub, user, groups: initial } = this.#options;
    const client = harness.connectFree({ hub, groups: initial, ...(user === null ? {} : { user }) });
    clients.set(client.connection.id, client);
    model.set(client.connection.id, { hub, user, groups: new Set(initial), received: 0 });
    await expectSame(model, { harness, clients });
  }

  toString(): string {
    return `connect ${JSON.stringify(this.#options)}`;
  }
}

/** A step on one of the connections that are open. */
class Change implements Step {
  readonly #text: string;
  readonly #index: number;
  readonly #act: (context: {
    readonly id: string;
    readonly model: Model;
    readonly real: Real;
  }) => void | Promise<unknown>;

  constructor(text: string, index: number, act: Change["act"]) {
    this.#text = text;
    this.#index = index;
    this.#act = act;
  }

  get act() {
    return this.#act;
  }

  check(model: Readonly<Model>): boolean {
    return model.size > 0;
  }

  async run(model: Model, real: Real): Promise<void> {
    const id = pick(model, this.#index);
    if (id === undefined) return;
    await this.#act({ id, model, real });
    await expectSame(model, real);
  }

  toString(): string {
    return `${this.#text} (connection ${this.#index})`;
  }
}

async function expectSame(model: Model, { harness, clients }: Real): Promise<void> {
  const { service } = harness;
  expect(service.connectionCount).toBe(model.size);
  for (const hubText of hubs) {
    const hub = named.hub(hubText);
    const rows = [...model].filter(([, row]) => row.hub === hubText);
    for (const text of users) {
      const answer = await service.exists(hub, { kind: "user", user: named.user(text) });
      expect(answer).toBe(rows.some(([, { user }]) => user === text) ? "yes" : "no");
    }
    for (const text of groups) {
      const group = named.group(text);
      const members = rows
        .filter(([, row]) => row.groups.has(text))
        .map(([connectionId, { user }]) => ({ connectionId, userId: user }));
      const listed = await service.listMembers({ hub, group, after: "", limit: 100 });
      expect<unknown>(listed).toEqual(members);
      expect(await service.exists(hub, { kind: "group", group })).toBe(members.length > 0 ? "yes" : "no");
    }
  }
  harness.scheduler.settle();
  for (const [id, client] of clients) {
    const isOpen = model.has(id);
    expect(client.connection.isOpen).toBe(isOpen);
    const text = named.connection(id);
    expect(await service.exists(client.connection.hub, { kind: "connection", id: text })).toBe(isOpen ? "yes" : "no");
    if (isOpen) {
      const messages = client.sink.frames.filter((frame) => String(frame).startsWith('{"type":"message"')).length;
      expect([id, messages]).toEqual([id, rowOf(model, id).received]);
    }
  }
}

/** Counts a publication for every row that the target names. */
function countDelivery(
  model: Model,
  hub: string,
  target: { readonly target: Target; readonly except: string | null },
): void {
  for (const [id, row] of model) {
    if (row.hub !== hub || id === target.except) continue;
    const { target: to } = target;
    const isTarget =
      to.kind === "hub" ||
      (to.kind === "group" && row.groups.has(to.group)) ||
      (to.kind === "user" && row.user === to.user) ||
      (to.kind === "connection" && to.id === id);
    if (isTarget) row.received += 1;
  }
}

const index = fc.nat({ max: 20 });
const group = fc.constantFrom(...groups);
const hub = fc.constantFrom(...hubs);

const steps: fc.Arbitrary<Step>[] = [
  fc
    .record({ hub, user: fc.option(fc.constantFrom(...users)), groups: fc.array(group, { maxLength: 3 }) })
    .map((options) => new Connect(options)),
  fc.tuple(index, group, fc.boolean()).map(
    ([at, name, joins]) =>
      new Change(`${joins ? "join" : "leave"} ${name}`, at, ({ id, model, real }) => {
        real.clients.get(id)?.send({ type: joins ? "joinGroup" : "leaveGroup", group: name });
        rowOf(model, id).groups[joins ? "add" : "delete"](name);
      }),
  ),
  fc.tuple(index, group, fc.boolean()).map(
    ([at, name, noEcho]) =>
      new Change(`sendToGroup ${name} noEcho ${noEcho}`, at, ({ id, model, real }) => {
        real.clients.get(id)?.send({ type: "sendToGroup", group: name, noEcho, dataType: "text", data: "x" });
        countDelivery(model, rowOf(model, id).hub, {
          target: { kind: "group", group: named.group(name) },
          except: noEcho ? id : null,
        });
      }),
  ),
  fc.tuple(index, fc.constantFrom("hub", "user", "connection"), fc.boolean()).map(
    ([at, kind, excludes]) =>
      new Change(`publish to its ${kind}, excluded ${excludes}`, at, ({ id, model, real: { harness } }) => {
        const { hub: hubText, user } = rowOf(model, id);
        const target: Target =
          kind === "user" && user !== null
            ? { kind: "user", user: named.user(user) }
            : kind === "connection"
              ? { kind, id: named.connection(id) }
              : { kind: "hub" };
        const excluded = excludes ? new Set([named.connection(id)]) : null;
        void harness.service.publish(harness.publication({ hub: named.hub(hubText), target, excluded }));
        countDelivery(model, hubText, { target, except: excludes ? id : null });
      }),
  ),
  fc.tuple(index, group, fc.constantFrom("add" as const, "remove" as const)).map(
    ([at, name, change]) =>
      new Change(`${change} its user, group ${name}`, at, async ({ id, model, real: { harness } }) => {
        const { hub: hubText, user } = rowOf(model, id);
        if (user === null) return;
        await harness.service.changeMembership({
          hub: named.hub(hubText),
          change,
          subject: { kind: "user", user: named.user(user) },
          group: named.group(name),
        });
        for (const row of model.values()) {
          if (row.hub === hubText && row.user === user) row.groups[change === "add" ? "add" : "delete"](name);
        }
      }),
  ),
  index.map(
    (at) =>
      new Change("leave all groups by REST", at, async ({ id, model, real: { harness } }) => {
        const row = rowOf(model, id);
        await harness.service.changeMembership({
          hub: named.hub(row.hub),
          change: "remove",
          subject: { kind: "connection", id: named.connection(id) },
          group: null,
        });
        row.groups.clear();
      }),
  ),
  fc.tuple(index, group).map(
    ([at, name]) =>
      new Change(`close group ${name} but itself`, at, async ({ id, model, real: { harness } }) => {
        const { hub: hubText } = rowOf(model, id);
        const target: Target = { kind: "group", group: named.group(name) };
        await harness.service.closeConnections({
          hub: named.hub(hubText),
          target,
          excluded: new Set([named.connection(id)]),
          reason: "r",
        });
        for (const [other, row] of [...model])
          if (row.hub === hubText && row.groups.has(name) && other !== id) model.delete(other);
      }),
  ),
  fc.tuple(index, fc.boolean()).map(
    ([at, isClean]) =>
      new Change(`its socket closes ${isClean ? "cleanly" : "brokenly"}`, at, ({ id, model, real }) => {
        if (isClean) real.clients.get(id)?.sink.close(1000, "");
        else real.clients.get(id)?.sink.abort();
        model.delete(id);
      }),
  ),
];

test("after any commands the service equals a model of maps and sets", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 40 }), async (commands) => {
      await fc.asyncModelRun(
        () => ({ model: new Map(), real: { harness: new ServiceHarness(), clients: new Map() } }),
        commands,
      );
    }),
    { numRuns: 100 },
  );
});
