import { openClients, textFrame } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import type { RawSocket } from "./raw-socket.ts";

/** Clients that are in the groups all the time, each in the same number of them. */
const holders = 100;
/** Clients that come and go. */
const visitors = 10;
/** Groups that a visitor joins with one write, and then leaves. */
const groupsPerVisit = 25;
/** Visits made beforehand, each to groups of its own choice. */
const preparedVisits = 4000;
const joinsPerWrite = 500;
/** Ack ids all have its length, so that they can be written over each other. */
const firstAckId = 100_000_000;

/**
 * Clients join and leave groups that exist, picked at random: a burst of joins and leaves of the same groups, the last
 * one with an ack id, the next burst when it is acked. Counts joins and leaves.
 */
export async function memberships(
  endpoint: Endpoint,
  { groups }: Extract<Workload, { kind: "memberships" }>,
): Promise<Load> {
  await holdGroups(endpoint, groups);
  const visits = Array.from({ length: preparedVisits }, () => visit(groups));
  const free: RawSocket[] = [];
  let begun = 0;
  let count = 0;
  const loop = new ClosedLoop(() => {
    const frames = visits[begun % visits.length] ?? Buffer.alloc(0);
    begun += 1;
    frames.write(String(firstAckId + begun), frames.lastIndexOf('"ackId":') + 8, "latin1");
    free.pop()?.write(frames);
  });
  const sockets = await openMembers(endpoint, visitors, (from) => {
    count += 2 * groupsPerVisit;
    free.push(from);
    loop.done();
  });
  free.push(...sockets);
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(visitors),
    pause: () => loop.stop(),
  };
}

/** Makes the groups: each has one member from then on. */
async function holdGroups(endpoint: Endpoint, groups: number): Promise<void> {
  const acked = new Map<RawSocket, () => void>();
  const sockets = await openMembers(endpoint, holders, (from) => acked.get(from)?.());
  const share = groups / holders;
  for (let from = 0; from < share; from += joinsPerWrite) {
    const writes = sockets.map((socket, holder) => {
      const length = Math.min(joinsPerWrite, share - from);
      const names = Array.from({ length }, (_, index) => groupName(holder * share + from + index));
      const written = Promise.withResolvers<void>();
      acked.set(socket, written.resolve);
      socket.write(requests("joinGroup", names, firstAckId + from));
      return written.promise;
    });
    await Promise.all(writes);
  }
}

function openMembers(
  endpoint: Endpoint,
  count: number,
  acked: (from: RawSocket) => void,
): Promise<readonly RawSocket[]> {
  const claims = Array.from({ length: count }, (_, index) => ({
    sub: `user${index}`,
    role: ["webpubsub.joinLeaveGroup"],
  }));
  return openClients(endpoint, claims, {
    subprotocol: "json.webpubsub.azure.v1",
    frames: (frames, from, shorts) => {
      if (frames !== 1 || shorts !== 1) throw new Error("something other than one ack came");
      acked(from);
    },
  });
}

function visit(groups: number): Buffer {
  const names = Array.from({ length: groupsPerVisit }, () => groupName(Math.floor(Math.random() * groups)));
  return Buffer.concat([requests("joinGroup", names, null), requests("leaveGroup", names, firstAckId)]);
}

function groupName(index: number): string {
  return `group${index}`;
}

/** One request per group; the last one wants an ack. */
function requests(type: "joinGroup" | "leaveGroup", names: readonly string[], ackId: number | null): Buffer {
  const frames = names.map((group, index) =>
    textFrame(ackId !== null && index === names.length - 1 ? { type, group, ackId } : { type, group }),
  );
  return Buffer.concat(frames);
}
