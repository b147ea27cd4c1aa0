import { openClients, type Subprotocol, textFrame } from "../load/client.ts";
import type { Endpoint } from "../load/job.ts";
import type { RawSocket } from "../load/raw-socket.ts";

/** Connected clients, all alike, each with a user id of its own (`user0`, `user1` …). */
export interface Crowd {
  readonly sockets: readonly RawSocket[];
  /** Resolves when this many data frames more have come, over all clients. */
  receive(frames: number): Promise<void>;
}

export interface CrowdOptions {
  /** Null: simple clients. */
  readonly subprotocol: Subprotocol | null;
  /** Groups they are members of from the start. */
  readonly groups?: readonly string[];
}

/** Opens clients that may join and leave any group. */
export async function openCrowd(
  endpoint: Endpoint,
  count: number,
  { subprotocol, groups = [] }: CrowdOptions,
): Promise<Crowd> {
  let missing = 0;
  let arrived = (): void => {};
  const claims = Array.from({ length: count }, (_, index) => ({
    sub: `user${index}`,
    role: ["webpubsub.joinLeaveGroup"],
    "webpubsub.group": groups,
  }));
  const sockets = await openClients(endpoint, claims, {
    subprotocol,
    frames: (frames) => {
      missing -= frames;
      if (missing === 0) arrived();
    },
  });
  return {
    sockets,
    receive(frames) {
      missing += frames;
      return new Promise((resolve) => {
        arrived = resolve;
        if (missing === 0) resolve();
      });
    },
  };
}

/** Has every client join this many groups, `nameOf` its index and the group's; resolves when all joins are confirmed. */
export async function joinGroups(
  crowd: Crowd,
  groups: number,
  nameOf: (client: number, group: number) => string,
): Promise<void> {
  const confirmed = crowd.receive(crowd.sockets.length * groups);
  for (const [client, socket] of crowd.sockets.entries()) {
    const joins = Array.from({ length: groups }, (_, group) =>
      textFrame({ type: "joinGroup", group: nameOf(client, group), ackId: group + 1 }),
    );
    socket.write(Buffer.concat(joins));
  }
  await confirmed;
}

/** Lets the server end these connections; before this it is an error. */
export function release({ sockets }: Crowd): void {
  for (const socket of sockets) socket.receiver = { received: () => {}, ended: () => {} };
}

/** Cuts every client off without a closing handshake; resolves when the server has ended its side too. */
export async function cutOff({ sockets }: Crowd): Promise<void> {
  const ended = sockets.map((socket) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.receiver = { received: () => {}, ended: resolve };
    socket.end();
    return promise;
  });
  await Promise.all(ended);
}
