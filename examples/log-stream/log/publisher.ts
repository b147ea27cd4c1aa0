import { setTimeout as delay } from "node:timers/promises";
import { SendMessageError, WebPubSubClient, WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";
import { LineQueue } from "./line-queue.ts";
import { type Batch, group, type LogLine } from "./lines.ts";

// While a viewer is cut off, the service keeps what it misses: for 30 seconds, up to 1000 messages and 16 MB. So that a
// viewer finds everything when it comes back, no more than that may be sent in 30 seconds: 25 messages of 20 kB a second.
const pauseMs = 40;
const maxBatchBytes = 20_000;

export interface PublishOptions {
  /** Asks for a URL that lets the publisher send to the group. */
  readonly negotiate: () => Promise<string>;
  readonly lines: AsyncIterable<LogLine>;
  /** The connection was lost for good, and the client is looking for a new one. */
  readonly onDisconnected?: () => void;
}

/** Publishes lines until there are no more; resolves with their number when the service has acknowledged them all. */
export async function publish({ negotiate, lines, onDisconnected }: PublishOptions): Promise<number> {
  const client = new WebPubSubClient(
    { getClientAccessUrl: negotiate },
    {
      protocol: WebPubSubJsonReliableProtocol(),
      messageRetryOptions: { retryDelayInMs: 200 },
    },
  );
  client.on("disconnected", () => onDisconnected?.());
  await client.start();
  const queue = new LineQueue();
  void queue.fill(lines);
  const stream = crypto.randomUUID();
  let first = 1;
  try {
    for (let batch = await queue.take(maxBatchBytes); batch !== null; batch = await queue.take(maxBatchBytes)) {
      // One message at a time: a repeated one can not fall behind its successor.
      await Promise.all([send(client, { stream, first, lines: batch }), delay(pauseMs)]);
      first += batch.length;
    }
  } finally {
    client.stop();
  }
  return first - 1;
}

/** Sends until the service has confirmed it. */
async function send(client: WebPubSubClient, batch: Batch): Promise<void> {
  // A number of our own, the same for each attempt: when the first one has arrived and only its confirmation was lost,
  // the service knows the second one by it. (Left alone, the SDK numbers each attempt anew, and lines come twice.)
  const ackId = batch.first;
  for (;;) {
    try {
      await client.sendToGroup(group, batch, "json", { ackId, noEcho: true });
      return;
    } catch (error) {
      // The SDK has tried several times. Without a connection, go on; a refusal stays one.
      if (!(error instanceof SendMessageError) || error.errorDetail !== undefined) throw error;
    }
  }
}
