import { openClients } from "./client.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";

/** Connected JSON clients, each with a user id, all in one group, that do nothing. Counts nothing. */
export async function idle(endpoint: Endpoint, { connections }: Extract<Workload, { kind: "idle" }>): Promise<Load> {
  const claims = Array.from({ length: connections }, (_, index) => ({
    sub: `user${index}`,
    "webpubsub.group": ["g"],
  }));
  await openClients(endpoint, claims, { subprotocol: "json.webpubsub.azure.v1", frames: () => {} }); // pings come
  return { count: 0, resume: async () => {}, pause: async () => {} };
}
