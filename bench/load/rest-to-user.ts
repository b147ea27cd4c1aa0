import { openClients } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import { RestConnections, restRequest } from "./rest-connections.ts";
import { nowSeconds } from "./sign.ts";

/** Requests signed beforehand, no two tokens alike; sent in turn, so a cache of tokens would have to hold all of them. */
const preparedRequests = 50_000;
/** Users that are addressed, whether or not they are connected. */
const addressedUsers = 100;

/**
 * REST sends to users over keep-alive connections, one request at a time on each, as the JavaScript SDK makes them.
 * Counts requests answered with 202; a pause ends when every message has reached its user as well.
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
  const rest = new RestConnections(endpoint.port, () => {
    count += 1;
    loop.done();
  });
  const loop = new ClosedLoop(() => {
    rest.send(requests[sent % requests.length] ?? Buffer.alloc(0));
    sent += 1;
  });
  return {
    get count() {
      return count;
    },
    async resume() {
      // New ones for each run: between runs they would be silent for longer than a server has to put up with.
      await rest.open(connections);
      loop.start(connections);
    },
    async pause() {
      await loop.stop();
      rest.close();
      if (users === 0 || delivered === count) return;
      await new Promise<void>((resolve) => {
        allDelivered = resolve;
      });
      allDelivered = null;
    },
  };
}

function prepareRequests(endpoint: Endpoint, textLength: number): readonly Buffer[] {
  const now = nowSeconds();
  const text = "x".repeat(textLength);
  return Array.from({ length: preparedRequests }, (_, index) => {
    const path = `/api/hubs/bench/users/user${index % addressedUsers}/:send?api-version=2024-12-01`;
    return restRequest(endpoint, { path, signedAt: now - Math.floor(index / addressedUsers), text });
  });
}
