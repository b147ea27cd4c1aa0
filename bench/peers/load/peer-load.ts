import { ClosedLoop } from "../../load/closed-loop.ts";
import type { Endpoint } from "../../load/job.ts";
import type { Load } from "../../load/load.ts";
import type { RawSocket } from "../../load/raw-socket.ts";
import { centrifugo } from "../dialects/centrifugo.ts";
import { mqtt } from "../dialects/mqtt.ts";
import { nats } from "../dialects/nats.ts";
import { socketIo } from "../dialects/socket-io.ts";
import { tidewire } from "../dialects/tidewire.ts";
import { ws } from "../dialects/ws.ts";
import type { Dialect } from "./dialect.ts";
import { openPeerClients } from "./open.ts";
import type { DialectName, PeerLoad, PeerWorkload } from "./workload.ts";

const dialects: Readonly<Record<DialectName, Dialect>> = {
  tidewire,
  ws,
  "socket.io": socketIo,
  nats,
  mqtt,
  centrifugo,
};

/** One of the loads, spoken in the peer's own protocol. A message that is lost or comes twice fails it. */
export function peerLoad(endpoint: Endpoint, { dialect, load }: PeerWorkload): Promise<Load> {
  switch (load.kind) {
    case "fanOut":
      return fanOut(endpoint, dialects[dialect], load);
    case "smallGroups":
      return smallGroups(endpoint, dialects[dialect], load);
    case "idle":
      return idle(endpoint, dialects[dialect], load);
  }
}

async function fanOut(
  endpoint: Endpoint,
  dialect: Dialect,
  { members, inFlight, textLength }: Extract<PeerLoad, { kind: "fanOut" }>,
): Promise<Load> {
  const group = "g";
  const text = "x".repeat(textLength);
  const messages = Array.from({ length: inFlight }, (_, index) =>
    dialect.publish({ group, text, id: index + 1, isAcknowledged: false }),
  );
  const burst = Buffer.concat(messages);
  let count = 0;
  let missing = 0;
  const received = (deliveries: number): void => {
    count += deliveries;
    missing -= deliveries;
    if (missing < 0) throw new Error("more deliveries than messages");
    if (missing === 0) loop.done();
  };
  await openPeerClients(
    endpoint,
    dialect,
    Array.from({ length: members }, (_, id) => ({ id, group, isAcknowledged: false, received })),
  );
  const [publisher] = await openPeerClients(endpoint, dialect, [
    {
      id: members,
      group: null,
      isAcknowledged: false,
      received(deliveries) {
        // Answers may come: some servers answer every message.
        if (deliveries > 0) throw new Error("the publisher is no member and must receive nothing");
      },
    },
  ]);
  const loop = new ClosedLoop(() => {
    missing = members * inFlight;
    publisher?.write(burst);
  });
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(1),
    pause: () => loop.stop(),
  };
}

async function smallGroups(
  endpoint: Endpoint,
  dialect: Dialect,
  { groups, members, textLength }: Extract<PeerLoad, { kind: "smallGroups" }>,
): Promise<Load> {
  const text = "x".repeat(textLength);
  const free: Publisher[] = [];
  let count = 0;
  let delivered = 0;
  let allDelivered: (() => void) | null = null;
  const loop = new ClosedLoop(() => {
    const publisher = free.pop();
    if (publisher === undefined) throw new Error("more answers than messages");
    publisher.published += 1;
    const { group, published: id } = publisher;
    publisher.socket?.write(dialect.publish({ group, text, id, isAcknowledged: true }));
  });
  for (let index = 0; index < groups; index++) {
    const group = `g${index}`;
    const publishers = Array.from({ length: members }, (): Publisher => ({ group, socket: null, published: 0 }));
    const wanted = publishers.map((publisher, member) => ({
      id: index * members + member,
      group,
      isAcknowledged: true,
      received(deliveries: number, answers: number): void {
        delivered += deliveries;
        if (answers > 0) {
          if (answers > 1) throw new Error("more answers than messages");
          count += 1;
          free.push(publisher);
          loop.done();
        }
        if (delivered === count * members) allDelivered?.();
      },
    }));
    const sockets = await openPeerClients(endpoint, dialect, wanted);
    for (const [member, publisher] of publishers.entries()) publisher.socket = sockets[member] ?? null;
    free.push(...publishers);
  }
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(groups * members),
    async pause() {
      await loop.stop();
      if (delivered === count * members) return;
      await new Promise<void>((resolve) => {
        allDelivered = resolve;
      });
      allDelivered = null;
    },
  };
}

/** A member and what it published. */
interface Publisher {
  readonly group: string;
  socket: RawSocket | null;
  published: number;
}

async function idle(
  endpoint: Endpoint,
  dialect: Dialect,
  { connections }: Extract<PeerLoad, { kind: "idle" }>,
): Promise<Load> {
  await openPeerClients(
    endpoint,
    dialect,
    Array.from({ length: connections }, (_, id) => ({
      id,
      group: "g",
      isAcknowledged: false,
      received() {
        throw new Error("an idle client received something");
      },
    })),
  );
  return { count: 0, resume: async () => {}, pause: async () => {} };
}
