import { openClients } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import { RestConnections, restRequest } from "./rest-connections.ts";
import { nowSeconds } from "./sign.ts";

/** Requests signed beforehand, no two tokens alike; sent in turn. */
const preparedRequests = 2000;

/**
 * REST broadcasts to all clients of a hub, `inFlight` of them under way: each until it is answered and as many
 * deliveries as belong to it are there. Counts deliveries.
 */
export async function restBroadcast(
  endpoint: Endpoint,
  { members, inFlight, textLength }: Extract<Workload, { kind: "restBroadcast" }>,
): Promise<Load> {
  const now = nowSeconds();
  const requests = Array.from({ length: preparedRequests }, (_, index) =>
    restRequest(endpoint, {
      path: "/api/hubs/bench/:send?api-version=2024-12-01",
      signedAt: now - index,
      text: "x".repeat(textLength),
    }),
  );
  let count = 0;
  let sent = 0;
  let answered = 0;
  let completed = 0;
  const progressed = (): void => {
    while (completed < answered && (completed + 1) * members <= count) {
      completed += 1;
      loop.done();
    }
  };
  const rest = new RestConnections(endpoint.port, () => {
    answered += 1;
    progressed();
  });
  const loop = new ClosedLoop(() => {
    rest.send(requests[sent % requests.length] ?? Buffer.alloc(0));
    sent += 1;
  });
  const claims = Array.from({ length: members }, (_, index) => ({ sub: `user${index}` }));
  await openClients(endpoint, claims, {
    subprotocol: "json.webpubsub.azure.v1",
    frames: (frames) => {
      count += frames;
      progressed();
    },
  });
  return {
    get count() {
      return count;
    },
    async resume() {
      // New ones for each run: between runs they would be silent for longer than a server has to put up with.
      await rest.open(inFlight);
      loop.start(inFlight);
    },
    async pause() {
      await loop.stop();
      rest.close();
    },
  };
}
