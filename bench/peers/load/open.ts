import { pongFrame, readUpgrade } from "../../load/client.ts";
import type { Endpoint } from "../../load/job.ts";
import { RawSocket } from "../../load/raw-socket.ts";
import type { ClientRole, Dialect } from "./dialect.ts";
import { FrameReader } from "./frame-reader.ts";

/** How many handshakes are under way at a time while a load gets ready. */
const openAtOnce = 100;

/** A client that is wanted. */
export interface Wanted extends ClientRole {
  /** Told what it got once it is ready. */
  received(deliveries: number, answers: number): void;
}

/** Opens clients of a dialect, each connected and a member of its group; they answer pings. */
export async function openPeerClients(
  endpoint: Endpoint,
  dialect: Dialect,
  wanted: readonly Wanted[],
): Promise<readonly RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let from = 0; from < wanted.length; from += openAtOnce) {
    const batch = wanted.slice(from, from + openAtOnce);
    sockets.push(...(await Promise.all(batch.map((each) => openOne(endpoint, dialect, each)))));
  }
  return sockets;
}

async function openOne(endpoint: Endpoint, dialect: Dialect, wanted: Wanted): Promise<RawSocket> {
  const ready = Promise.withResolvers<void>();
  const scanner = dialect.scanner();
  const reader = new FrameReader(scanner);
  const { tally } = scanner;
  const greetings = dialect.greetings(wanted).values();
  let answer: Buffer | null = Buffer.alloc(0);
  let awaited = 0;
  const read = (bytes: Buffer): void => {
    const frames = reader.pings;
    const { pings } = tally;
    reader.push(bytes);
    if (reader.pings > frames) socket.write(pongFrame);
    if (tally.pings > pings && dialect.pong !== null) socket.write(dialect.pong);
  };
  const ended = (): void => {
    throw new Error("the server ended a connection under load");
  };
  const counting = {
    received(chunk: Buffer) {
      const { deliveries, answers } = tally;
      read(chunk);
      if (tally.deliveries > deliveries || tally.answers > answers) {
        wanted.received(tally.deliveries - deliveries, tally.answers - answers);
      }
    },
    ended,
  };
  const greet = (): void => {
    while (tally.answers >= awaited) {
      const { value: greeting } = greetings.next();
      if (greeting === undefined) {
        if (tally.answers > awaited) throw new Error("more answers than questions while a client got ready");
        socket.receiver = counting;
        ready.resolve();
        return;
      }
      awaited += greeting.answers;
      if (greeting.frame !== null) socket.write(greeting.frame);
    }
  };
  const socket = await RawSocket.open(endpoint.port, {
    received(chunk) {
      let rest: Buffer | null = chunk;
      if (answer !== null) {
        answer = Buffer.concat([answer, chunk]);
        rest = readUpgrade(answer);
        if (rest === null) return;
        answer = null;
      }
      read(rest);
      greet();
    },
    ended,
  });
  socket.write(dialect.upgrade(endpoint, wanted));
  await ready.promise;
  return socket;
}
