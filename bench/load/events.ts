import { openClients, textFrame } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import type { RawSocket } from "./raw-socket.ts";

/** Every client sends an event and, once its answer is there, the next one. Counts answers. */
export async function events(
  endpoint: Endpoint,
  { clients, textLength }: Extract<Workload, { kind: "events" }>,
): Promise<Load> {
  const frame = textFrame({ type: "event", event: "echo", dataType: "text", data: "x".repeat(textLength) });
  const free: RawSocket[] = [];
  let count = 0;
  const loop = new ClosedLoop(() => free.pop()?.write(frame));
  const claims = Array.from({ length: clients }, (_, index) => ({ sub: `user${index}` }));
  const sockets = await openClients(endpoint, claims, {
    subprotocol: "json.webpubsub.azure.v1",
    frames: (frames, from) => {
      if (frames > 1) throw new Error("more answers than events");
      count += 1;
      free.push(from);
      loop.done();
    },
  });
  free.push(...sockets);
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(clients),
    pause: () => loop.stop(),
  };
}
