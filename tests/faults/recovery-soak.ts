import { type Fault, startFaultyProxy } from "../support/faulty-proxy.ts";
import { freshName } from "../support/names.ts";
import { NodeAgent } from "../support/node-agent.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { type Server, startServer } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { type Damage, judge, type Receipt, sum } from "./recovery-judge.ts";

export interface SoakOptions {
  /** A multiple of ten. */
  readonly clients: number;
  /** At least so long; on a slow machine until it was put to the test. */
  readonly seconds: number;
  readonly seed: number;
}

/** What came of a soak. */
export interface SoakResult {
  readonly damage: Damage;
  /** Messages that reached an application. */
  readonly delivered: number;
  /** Clients that once had to begin a new connection. */
  readonly connectionsLost: number;
  /** TCP connections of the clients beyond their first. */
  readonly reconnects: number;
  readonly faults: Readonly<Record<Fault, number>>;
}

interface Client {
  readonly agent: NodeAgent;
  readonly id: number;
  readonly groups: readonly string[];
}

type Sent = Map<string, number>;

const groupSize = 10;
const clientsPerProcess = 50;
/**
 * A client receives some 50 messages per second at most and is away for a few seconds, so it stays far below the 1,000
 * messages and 30 s that the service keeps: nothing may be lost.
 */
const restPauseMs = [2, 15] as const;
const publisherPauseMs = [20, 300] as const;
const burstPauseMs = [400, 1200] as const;
const burstLength = 30;
/** Beyond the longest silence of the proxy and a few attempts to come back. */
const settleDeadlineMs = 90_000;
/** More of each makes a soak that was put to the test, and each of these faults. */
const enough = { deliveries: 1000, reconnects: 10, faults: ["fin", "rst", "blackHole", "takeOver"] } as const;

/**
 * Clients of the JavaScript SDK in Node, all behind a proxy that cuts, swallows, stalls and delays at random, each in two
 * groups of ten; numbered messages by REST, by a tenth of the clients themselves, and in bursts by a client with a good
 * connection. Tells how far what they received is from what was sent (H-40). The seed repeats the choices, not the timing.
 */
export async function runRecoverySoak({ clients: count, seconds, seed }: SoakOptions): Promise<SoakResult> {
  await using cleanup = new AsyncDisposableStack();
  const server = await startServer();
  cleanup.defer(() => server.stop());
  const proxy = await startFaultyProxy({ target: server.endpoint, random: new SeededRandom(seed) });
  cleanup.defer(() => proxy.stop());
  const agents = Array.from({ length: Math.ceil(count / clientsPerProcess) + 1 }, () => {
    const agent = new NodeAgent(new URL("./recovery-clients.process.ts", import.meta.url));
    cleanup.defer(() => agent.stop());
    return agent;
  });
  const hub = freshName("hub");
  const [steadyAgent, ...shakyAgents] = agents as [NodeAgent, ...NodeAgent[]];
  const clients = Array.from({ length: count }, (_, id): Client => {
    const agent = shakyAgents[id % shakyAgents.length] as NodeAgent;
    return { agent, id, groups: [`row${Math.floor(id / groupSize)}`, `column${id % (count / groupSize)}`] };
  });
  const start = (endpoint: string, { agent, id, groups }: Client): Promise<unknown> => {
    const issuer = { endpoint, primaryKey: server.primaryKey };
    const token = clientToken(issuer, { hub, userId: `u${id}`, roles: ["webpubsub.sendToGroup"], groups });
    return agent.call("start", id, `${endpoint.replace(/^http/, "ws")}/client/hubs/${hub}?access_token=${token}`);
  };
  const steady: Client = { agent: steadyAgent, id: count, groups: [] };
  await Promise.all([...clients.map((client) => start(proxy.url, client)), start(server.endpoint, steady)]);
  const before = proxy.accepted;
  // The SDK tries the first connection only once, and recovers none that has not got its token yet.
  proxy.unleash();

  const sent: Sent = new Map();
  const allGroups = [...new Set(clients.flatMap(({ groups }) => groups))];
  const end = Date.now() + seconds * 1000;
  const wasTested = (): boolean =>
    groupSize * [...sent.values()].reduce((all, each) => all + each, 0) > enough.deliveries &&
    proxy.accepted - before > enough.reconnects &&
    enough.faults.every((fault) => proxy.done[fault] > 0);
  const isOver = (): boolean => Date.now() > end && wasTested();
  const publishers = clients.filter(({ id }) => id % groupSize === 0);
  const draws = (index: number): SeededRandom => new SeededRandom(seed + 1 + index);
  await Promise.all([
    publishByRest({ server, hub, groups: allGroups, sent, isOver, random: draws(0) }),
    publishInBursts({ client: steady, groups: allGroups, sent, isOver, random: draws(1) }),
    ...publishers.map((client, index) => publishByClient({ client, sent, isOver, random: draws(index + 2) })),
  ]);
  proxy.calm();

  const wanted = (client: Client): ReadonlyMap<string, number> =>
    new Map([...sent].filter(([stream]) => client.groups.some((group) => stream.startsWith(`${group} `))));
  const total = (client: Client): number => [...wanted(client).values()].reduce((all, each) => all + each, 0);
  const haveAll = async (): Promise<boolean> => {
    const counts = (await Promise.all(shakyAgents.map((agent) => agent.call("counts")))) as [number, number][][];
    const received = new Map(counts.flat());
    return clients.every((client) => (received.get(client.id) ?? 0) >= total(client));
  };
  // Where messages were lost, the judge says how many.
  await until("all have all", haveAll, settleDeadlineMs).catch(() => {});
  // Whatever else is on its way to a client comes before this.
  for (const group of allGroups) await sendByRest({ server, hub, group, sender: "fence", sent });
  await until("all have the fence", haveAll, settleDeadlineMs).catch(() => {});

  const damages: Damage[] = [];
  let delivered = 0;
  let connectionsLost = 0;
  for (const client of clients) {
    const record = (await client.agent.call("record", client.id)) as {
      readonly receipts: readonly Receipt[];
      readonly connected: number;
      readonly disconnected: number;
    };
    damages.push(judge(record.receipts, wanted(client)));
    delivered += record.receipts.length;
    if (record.connected !== 1 || record.disconnected !== 0) connectionsLost += 1;
  }
  await Promise.all(agents.map((agent) => agent.call("stop")));
  return { damage: sum(damages), delivered, connectionsLost, reconnects: proxy.accepted - before, faults: proxy.done };
}

/** The next message of a sender to a group. */
function nextText(sent: Sent, group: string, sender: string): string {
  const stream = `${group} ${sender}`;
  const number = (sent.get(stream) ?? 0) + 1;
  sent.set(stream, number);
  return `${sender} ${number}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface ByRest {
  readonly server: Server;
  readonly hub: string;
  readonly sent: Sent;
}

interface Publishing {
  readonly sent: Sent;
  /** Whether to stop. */
  readonly isOver: () => boolean;
  readonly random: SeededRandom;
}

async function sendByRest({
  server,
  hub,
  group,
  sender,
  sent,
}: ByRest & { group: string; sender: string }): Promise<void> {
  const body = nextText(sent, group, sender);
  const { status } = await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/${group}/:send`, body });
  if (status !== 202) throw new Error(`the service answered ${status}`);
}

async function publishByRest({
  groups,
  isOver,
  random,
  ...rest
}: ByRest & Publishing & { groups: readonly string[] }): Promise<void> {
  while (!isOver()) {
    await sendByRest({ ...rest, group: random.pick(groups), sender: "rest" });
    await pause(random.between(...restPauseMs));
  }
}

/** To the groups in turn, so that none gets too much at a time. */
async function publishInBursts({
  client,
  groups,
  sent,
  isOver,
  random,
}: Publishing & { client: Client; groups: readonly string[] }): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    const group = groups[turn % groups.length] ?? "";
    const texts = Array.from({ length: burstLength }, () => nextText(sent, group, `u${client.id}`));
    await client.agent.call("burst", client.id, group, texts);
    await pause(random.between(...burstPauseMs));
  }
}

async function publishByClient({ client, sent, isOver, random }: Publishing & { client: Client }): Promise<void> {
  while (!isOver()) {
    const group = random.pick(client.groups);
    await client.agent.call("publish", client.id, group, [nextText(sent, group, `u${client.id}`)]);
    await pause(random.between(...publisherPauseMs));
  }
}
