import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Inbox } from "./inbox.ts";

/** An event in the JSON format of CloudEvents. */
export type CloudEvent = Readonly<Record<string, unknown>>;

/** One batch as it was posted. */
export interface Batch {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly events: readonly CloudEvent[];
  /** The body as sent. */
  readonly text: string;
}

/** A web server that takes batches of CloudEvents. One serves the hubs of many tests. */
export interface BatchReceiver {
  /** An entry for `hubs.<hub>.eventListeners`. */
  listener(filter: Readonly<Record<string, unknown>>, endpoint?: Readonly<Record<string, unknown>>): object;
  readonly batches: Inbox<Batch>;
  /** The next event of a hub, batches taken apart. */
  next(hub: string): Promise<CloudEvent>;
  /** Events of a hub that arrived and were not taken, by name. */
  untaken(hub: string): readonly unknown[];
  /** Status of answers from now on, `"never"` for none at all. */
  answer(status: number | "never"): void;
  stop(): Promise<void>;
}

/** Starts a receiver on a free loopback port, or the given one. */
export async function startBatchReceiver(port = 0): Promise<BatchReceiver> {
  const batches = new Inbox<Batch>();
  const events = new Inbox<CloudEvent>();
  const sockets = new Set<Socket>();
  let status: number | "never" = 200;
  const take = async (request: IncomingMessage): Promise<void> => {
    const text = Buffer.concat(await request.toArray()).toString("utf8");
    const parsed = JSON.parse(text) as readonly CloudEvent[];
    const { "content-type": contentType, authorization } = request.headers;
    batches.push({ path: request.url ?? "", contentType, authorization, events: parsed, text });
    if (status === 200) for (const event of parsed) events.push(event);
  };
  const server = createServer((request, response) => {
    void take(request).then(() => {
      if (status !== "never") response.writeHead(status).end();
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/batches/{hub}?code=key-in-the-query`;
  return {
    listener: (filter, endpoint = {}) => ({ filter, endpoint: { type: "HttpBatch", url, ...endpoint } }),
    batches,
    next: (hub) => events.take({ what: `event of ${hub}`, where: (event) => event["hub"] === hub }),
    untaken: (hub) => events.untaken.filter((event) => event["hub"] === hub).map((event) => event["eventname"]),
    answer(next) {
      status = next;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
