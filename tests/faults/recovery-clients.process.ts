// Clients of the SDK in Node that note what they receive, and publish. Driven by recovery-soak.ts.
import { WebPubSubClient, WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";
import { serve } from "../support/agent-process.ts";
import type { Receipt } from "./recovery-judge.ts";

interface Member {
  readonly client: WebPubSubClient;
  readonly receipts: Receipt[];
  connected: number;
  disconnected: number;
  nextAckId: number;
}

const retryPauseMs = 20;
const members = new Map<number, Member>();

serve({
  start: async (id: number, url: string) => {
    const client = new WebPubSubClient(
      { getClientAccessUrl: () => Promise.resolve(url) },
      {
        protocol: WebPubSubJsonReliableProtocol(),
        messageRetryOptions: { maxRetries: 0 },
      },
    );
    const member: Member = { client, receipts: [], connected: 0, disconnected: 0, nextAckId: 1 };
    members.set(id, member);
    const isConnected = Promise.withResolvers<void>();
    client.on("connected", () => {
      member.connected += 1;
      isConnected.resolve();
    });
    client.on("disconnected", () => {
      member.disconnected += 1;
    });
    client.on("group-message", ({ message }) => {
      member.receipts.push([message.group, message.data as string, message.sequenceId ?? 0]);
    });
    await client.start();
    await isConnected.promise;
  },
  /** Sends texts to a group, the next when the last was acknowledged; repeats one whose ack was lost under its id. */
  publish: async (id: number, group: string, texts: readonly string[]) => {
    const member = memberOf(id);
    for (const text of texts) {
      const ackId = member.nextAckId;
      member.nextAckId += 1;
      while (!(await isAcknowledged(member, { group, text, ackId }))) {
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
  },
  /** Sends texts to a group all at once; for a client whose connection nobody cuts. */
  burst: async (id: number, group: string, texts: readonly string[]) => {
    const { client } = memberOf(id);
    await Promise.all(texts.map((text) => client.sendToGroup(group, text, "text")));
  },
  counts: () => [...members].map(([id, { receipts }]) => [id, receipts.length]),
  record: (id: number) => {
    const { receipts, connected, disconnected } = memberOf(id);
    return { receipts, connected, disconnected };
  },
  stop: () => {
    for (const { client } of members.values()) client.stop();
  },
});

function memberOf(id: number): Member {
  const member = members.get(id);
  if (member === undefined) throw new Error(`no client ${id}`);
  return member;
}

async function isAcknowledged(
  { client }: Member,
  { group, text, ackId }: { readonly group: string; readonly text: string; readonly ackId: number },
): Promise<boolean> {
  try {
    await client.sendToGroup(group, text, "text", { ackId });
    return true;
  } catch (error) {
    const { errorDetail } = error as { readonly errorDetail?: { readonly name: string } };
    if (errorDetail !== undefined) throw error; // the service refused it
    return false;
  }
}
