import { openClients, textFrame } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Workload } from "./job.ts";
import { LatencyLog } from "./latency-log.ts";
import type { Load } from "./load.ts";

const group = "g";
/** Idle time before each message; of changing length, so that nothing falls into step with it. */
const shortestGapMs = 2;
const longestGapMs = 6;

/**
 * One client publishes to a group with one member: a message, its arrival, idle time, the next message. Counts messages
 * and writes down the time from publishing to receiving. With one at a time nothing can be due while another stalls.
 */
export async function singleMessages(
  endpoint: Endpoint,
  { textLength }: Extract<Workload, { kind: "singleMessages" }>,
): Promise<Load> {
  const frame = textFrame({ type: "sendToGroup", group, dataType: "text", data: "x".repeat(textLength) });
  const latencies = new LatencyLog();
  let count = 0;
  let sentAt = 0;
  const subprotocol = "json.webpubsub.azure.v1";
  const [publisher] = await openClients(endpoint, [{ sub: "publisher", role: ["webpubsub.sendToGroup"] }], {
    subprotocol,
    frames: () => {
      throw new Error("the publisher is no member and must receive nothing");
    },
  });
  const loop = new ClosedLoop(() => {
    const gapMs = shortestGapMs + Math.random() * (longestGapMs - shortestGapMs);
    setTimeout(() => {
      sentAt = performance.now();
      publisher?.write(frame);
    }, gapMs);
  });
  await openClients(endpoint, [{ sub: "member", "webpubsub.group": [group] }], {
    subprotocol,
    frames: () => {
      latencies.received(sentAt, performance.now());
      count += 1;
      loop.done();
    },
  });
  return {
    get count() {
      return count;
    },
    latencies,
    resume: async () => loop.start(1),
    pause: () => loop.stop(),
  };
}
