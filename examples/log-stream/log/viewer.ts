// What the page and the terminal have in common.
import { WebPubSubClient, WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";
import { group, parseBatch } from "./lines.ts";
import { type Progress, Sequence } from "./sequence.ts";

export interface ViewOptions {
  /** Asks for a URL that lets the viewer join the group. */
  readonly negotiate: () => Promise<string>;
  readonly onProgress: (progress: Progress) => void;
  /** The connection was lost and could not be recovered, and the client is looking for a new one: lines will be missing. */
  readonly onDisconnected?: () => void;
  /** Found a new one, and joined again. */
  readonly onReconnected?: () => void;
  /** Found a new one, but may not see the log any more. */
  readonly onRejoinFailed?: () => void;
}

/** Joins the group and follows it; resolves once it has joined. */
export async function view(options: ViewOptions): Promise<WebPubSubClient> {
  const client = new WebPubSubClient(
    { getClientAccessUrl: options.negotiate },
    { protocol: WebPubSubJsonReliableProtocol() },
  );
  const sequence = new Sequence();
  client.on("group-message", ({ message }) => {
    const batch = message.group === group ? parseBatch(message.data) : null;
    if (batch !== null) options.onProgress(sequence.accept(batch));
  });
  client.on("disconnected", () => options.onDisconnected?.());
  client.on("rejoin-group-failed", () => options.onRejoinFailed?.());
  try {
    await client.start();
    await client.joinGroup(group);
    client.on("connected", () => options.onReconnected?.());
  } catch (error) {
    client.stop();
    throw error;
  }
  return client;
}
