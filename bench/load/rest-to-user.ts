import { openClients } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import { RawSocket } from "./raw-socket.ts";
import { nowSeconds, signToken } from "./sign.ts";

/** Requests signed beforehand, no two tokens alike; sent in turn, so a cache of tokens would have to hold all of them. */
const preparedRequests = 50_000;
/** Users that are addressed, whether or not they are connected. */
const addressedUsers = 100;

/**
 * REST sends to users over keep-alive connections, one request at a time on each, as the JavaScript SDK makes them: a
 * fresh token per request with the full URL as audience. Counts requests answered with 202; a pause ends when every
 * message has reached its user as well.
 */
export async function restToUser(
  endpoint: Endpoint,
  { connections, users, textLength }: Extract<Workload, { kind: "restToUser" }>,
): Promise<Load> {
  const requests = prepareRequests(endpoint, textLength);
  let count = 0;
  let sent = 0;
  let delivered = 0;
  let allDelivered: (() => void) | null = null;
  const claims = Array.from({ length: users }, (_, index) => ({ sub: `user${index}` }));
  await openClients(endpoint, claims, {
    subprotocol: "json.webpubsub.azure.v1",
    frames: (frames) => {
      delivered += frames;
      if (delivered === count) allDelivered?.();
    },
  });
  const free: RawSocket[] = [];
  let isRunning = false;
  const loop = new ClosedLoop(() => {
    free.pop()?.write(requests[sent % requests.length] ?? Buffer.alloc(0));
    sent += 1;
  });
  const openConnection = async (): Promise<void> => {
    const socket = await RawSocket.open(endpoint.port, {
      received(chunk) {
        if (!isAccepted(chunk)) throw new Error(`request refused: ${chunk.toString("latin1").split("\r\n", 1)[0]}`);
        count += 1;
        free.push(socket);
        loop.done();
      },
      ended() {
        if (isRunning) throw new Error("the server ended a keep-alive connection under load");
      },
    });
    free.push(socket);
  };
  return {
    get count() {
      return count;
    },
    async resume() {
      isRunning = true;
      // New ones for each run: between runs they would be silent for longer than a server has to put up with.
      for (let opened = 0; opened < connections; opened++) await openConnection();
      loop.start(connections);
    },
    async pause() {
      await loop.stop();
      isRunning = false;
      for (const socket of free.splice(0)) socket.end();
      if (users === 0 || delivered === count) return;
      await new Promise<void>((resolve) => {
        allDelivered = resolve;
      });
      allDelivered = null;
    },
  };
}

function prepareRequests({ port, accessKey }: Endpoint, textLength: number): readonly Buffer[] {
  const now = nowSeconds();
  const text = "x".repeat(textLength);
  return Array.from({ length: preparedRequests }, (_, index) => {
    const path = `/api/hubs/bench/users/user${index % addressedUsers}/:send?api-version=2024-12-01`;
    const iat = now - Math.floor(index / addressedUsers); // user and second together make each token its own
    const token = signToken(accessKey, { iat, exp: iat + 3600, aud: `http://127.0.0.1:${port}${path}` });
    const lines = [
      `POST ${path} HTTP/1.1`,
      "content-type: text/plain",
      "accept: application/json",
      "accept-encoding: gzip,deflate",
      "user-agent: azsdk-js-web-pubsub-rest/1.2.0 bench",
      `authorization: Bearer ${token}`,
      `content-length: ${textLength}`,
      `host: 127.0.0.1:${port}`,
      "connection: keep-alive",
    ];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${text}`);
  });
}

/** One answer at a time, without a body: what arrives is the whole of it. */
function isAccepted(answer: Buffer): boolean {
  return answer.toString("latin1", 9, 12) === "202" && answer.toString("latin1", answer.length - 4) === "\r\n\r\n";
}
