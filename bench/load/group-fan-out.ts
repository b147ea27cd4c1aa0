import { openClients, textFrame } from "./client.ts";
import { ClosedLoop, type Load } from "./closed-loop.ts";
import { Confirmations } from "./confirmations.ts";
import type { Endpoint, Workload } from "./job.ts";

const group = "g";

/**
 * One client publishes to a group it is no member of, in bursts of `inFlight` messages: the next burst follows when every
 * member has received all of the last. Counts deliveries.
 */
export async function groupFanOut(
  endpoint: Endpoint,
  { members, inFlight, textLength, isReliable }: Extract<Workload, { kind: "groupFanOut" }>,
): Promise<Load> {
  const message = { type: "sendToGroup", group, dataType: "text", data: "x".repeat(textLength) };
  const burst = Buffer.concat(Array.from({ length: inFlight }, () => textFrame(message)));
  const perBurst = members * inFlight;
  let count = 0;
  let missing = 0;
  const received = (frames: number): void => {
    count += frames;
    missing -= frames;
    if (missing < 0) throw new Error("more deliveries than messages");
    if (missing === 0) loop.done();
  };
  const claims = Array.from({ length: members }, (_, index) => ({
    sub: `user${index}`,
    "webpubsub.group": [group],
  }));
  const confirmations = isReliable ? new Confirmations() : null;
  await openClients(endpoint, claims, {
    subprotocol: isReliable ? "json.reliable.webpubsub.azure.v1" : "json.webpubsub.azure.v1",
    frames: (frames, from) => {
      confirmations?.received(frames, from);
      received(frames);
    },
  });
  const [publisher] = await openClients(endpoint, [{ sub: "publisher", role: ["webpubsub.sendToGroup"] }], {
    subprotocol: "json.webpubsub.azure.v1",
    frames: () => {
      throw new Error("the publisher is no member and must receive nothing");
    },
  });
  const loop = new ClosedLoop(() => {
    missing = perBurst;
    publisher?.write(burst);
  });
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(1),
    pause: () => loop.stop(),
  };
}
