import { openClients, textFrame } from "./client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { Endpoint, Share, Workload } from "./job.ts";
import type { Load } from "./load.ts";
import type { RawSocket } from "./raw-socket.ts";

/** Ack ids all have its length, so that they can be written over each other. */
const firstAckId = 100_000_000;

/**
 * Every client publishes to its small group, with an ack id, one message at a time: the next when the ack is there.
 * Counts acked messages; a pause ends when every member has every message as well.
 */
export async function smallGroups(
  endpoint: Endpoint,
  { groups, members, textLength, isDelivered }: Extract<Workload, { kind: "smallGroups" }>,
  { part, parts }: Share,
): Promise<Load> {
  const deliveriesPerMessage = isDelivered ? members : 0;
  let count = 0;
  let delivered = 0;
  let allDelivered: (() => void) | null = null;
  const free: Publisher[] = [];
  const publishers = new Map<RawSocket, Publisher>();
  const loop = new ClosedLoop(() => free.pop()?.publish());
  const received = (frames: number, from: RawSocket, acks: number): void => {
    delivered += frames - acks;
    if (acks > 0) {
      const publisher = publishers.get(from);
      if (acks > 1 || publisher === undefined) throw new Error("more acks than messages");
      count += 1;
      free.push(publisher);
      loop.done();
    }
    if (delivered === count * deliveriesPerMessage) allDelivered?.();
  };
  for (let index = part; index < groups; index += parts) {
    const group = `group${index}`;
    const claims = Array.from({ length: members }, (_, member) => ({
      sub: `user${index}-${member}`,
      role: [`webpubsub.sendToGroup.${group}`],
      "webpubsub.group": [group],
    }));
    const sockets = await openClients(endpoint, claims, { subprotocol: "json.webpubsub.azure.v1", frames: received });
    for (const socket of sockets) {
      const publisher = new Publisher(socket, { group, text: "x".repeat(textLength) });
      publishers.set(socket, publisher);
      free.push(publisher);
    }
  }
  return {
    get count() {
      return count;
    },
    resume: async () => loop.start(publishers.size),
    async pause() {
      await loop.stop();
      if (delivered === count * deliveriesPerMessage) return;
      await new Promise<void>((resolve) => {
        allDelivered = resolve;
      });
      allDelivered = null;
    },
  };
}

/** A client's `sendToGroup`, built once; each message only gets a new ack id. */
class Publisher {
  readonly #socket: RawSocket;
  readonly #frame: Buffer;
  readonly #ackIdAt: number;
  #ackId = firstAckId;

  constructor(socket: RawSocket, { group, text }: { readonly group: string; readonly text: string }) {
    this.#socket = socket;
    this.#frame = textFrame({ type: "sendToGroup", group, ackId: firstAckId, dataType: "text", data: text });
    this.#ackIdAt = this.#frame.indexOf(String(firstAckId));
  }

  publish(): void {
    this.#ackId += 1;
    this.#frame.write(String(this.#ackId), this.#ackIdAt, "latin1");
    this.#socket.write(this.#frame);
  }
}
