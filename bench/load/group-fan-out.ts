import { Arrivals } from "./arrivals.ts";
import { openClients, type Subprotocol, textFrame } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { Confirmations } from "./confirmations.ts";
import type { Endpoint, Protocol, Workload } from "./job.ts";
import { LatencyLog } from "./latency-log.ts";
import type { Load } from "./load.ts";
import { OpenLoop } from "./open-loop.ts";
import type { RawSocket } from "./raw-socket.ts";

const group = "g";
/** Members per protocol whose delays are written down. */
const watchedMembers = 10;

const subprotocols: Readonly<Record<Protocol, Subprotocol | null>> = {
  simple: null,
  json: "json.webpubsub.azure.v1",
  reliable: "json.reliable.webpubsub.azure.v1",
  protobuf: "protobuf.webpubsub.azure.v1",
};

/**
 * One client publishes to a group it is no member of. Closed loop: in bursts of `inFlight` messages, the next burst when
 * every member has received all of the last; open loop: single messages. Counts deliveries.
 */
export async function groupFanOut(
  endpoint: Endpoint,
  { members, inFlight, textLength, protocols }: Extract<Workload, { kind: "groupFanOut" }>,
): Promise<Load> {
  const frame = textFrame({ type: "sendToGroup", group, dataType: "text", data: "x".repeat(textLength) });
  const burst = Buffer.concat(Array.from({ length: inFlight }, () => frame));
  const latencies = new LatencyLog();
  const arrivals = new Arrivals(latencies);
  const confirmations = new Confirmations();
  const [publisher] = await openClients(endpoint, [{ sub: "publisher", role: ["webpubsub.sendToGroup"] }], {
    subprotocol: "json.webpubsub.azure.v1",
    frames: () => {
      throw new Error("the publisher is no member and must receive nothing");
    },
  });
  const closed = new ClosedLoop(() => publisher?.write(burst));
  const open = new OpenLoop(latencies, (dueAt) => {
    arrivals.sent(dueAt);
    publisher?.write(frame);
  });
  let loop: ClosedLoop | OpenLoop = closed;
  let perItem = members * inFlight;
  let ofItem = 0;
  let count = 0;
  const received = (frames: number, member: RawSocket): void => {
    count += frames;
    arrivals.received(frames, member);
    ofItem += frames;
    while (ofItem >= perItem) {
      ofItem -= perItem;
      loop.done();
    }
  };
  for (const [index, protocol] of protocols.entries()) {
    const share = Math.ceil((members - index) / protocols.length);
    const claims = Array.from({ length: share }, (_, user) => ({
      sub: `${protocol}${user}`,
      "webpubsub.group": [group],
    }));
    const sockets = await openClients(endpoint, claims, {
      subprotocol: subprotocols[protocol],
      frames: (frames, from) => {
        if (protocol === "reliable") confirmations.received(frames, from);
        received(frames, from);
      },
    });
    arrivals.watch(sockets.slice(0, watchedMembers));
  }
  return {
    get count() {
      return count;
    },
    latencies,
    async resume() {
      loop = closed;
      perItem = members * inFlight;
      arrivals.reset();
      closed.start(1);
    },
    resumeAt(perSecond) {
      loop = open;
      perItem = members;
      arrivals.reset();
      open.start(perSecond);
    },
    pause: () => loop.stop(),
  };
}
