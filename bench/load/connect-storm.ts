import { closeFrame, readUpgrade, upgradeRequest } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { fail } from "./fail.ts";
import { FrameCounter } from "./frame-counter.ts";
import type { Endpoint, Share, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import { RawSocket } from "./raw-socket.ts";

/** Handshakes signed beforehand, one user each; sent in turn. */
const preparedHandshakes = 10_000;

/**
 * Clients that come and go: TCP connection, upgrade with a token, first frame, close frame, end of the connection by the
 * server; then the next one takes its place. Counts first frames.
 */
export function connectStorm(
  endpoint: Endpoint,
  { concurrent }: Extract<Workload, { kind: "connectStorm" }>,
  { parts }: Share,
): Load {
  const handshakes = Array.from({ length: preparedHandshakes }, (_, index) =>
    upgradeRequest(endpoint, { sub: `user${index}` }),
  );
  let count = 0;
  let begun = 0;
  const loop = new ClosedLoop(() => {
    const handshake = handshakes[begun % handshakes.length] ?? Buffer.alloc(0);
    begun += 1;
    connectOnce(endpoint.port, handshake, () => {
      count += 1;
    })
      .then(() => loop.done())
      .catch(fail);
  });
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(concurrent / parts),
    pause: () => loop.stop(),
  };
}

/** One client's life; resolves when the server has ended the connection. */
async function connectOnce(port: number, handshake: Buffer, connected: () => void): Promise<void> {
  const over = Promise.withResolvers<void>();
  const counter = new FrameCounter();
  let answer: Buffer | null = Buffer.alloc(0);
  let isConnected = false;
  const socket = await RawSocket.open(port, {
    received(chunk) {
      if (isConnected) return; // the answer to the close frame
      let rest: Buffer | null = chunk;
      if (answer !== null) {
        answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
        rest = readUpgrade(answer);
        if (rest === null) return;
        answer = null;
      }
      if (counter.push(rest) === 0) return;
      isConnected = true;
      connected();
      socket.write(closeFrame);
    },
    ended() {
      if (!isConnected) throw new Error("the server ended a connection before its first frame");
      over.resolve();
    },
  });
  socket.write(handshake);
  await over.promise;
}
