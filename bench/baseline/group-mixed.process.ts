// The least a server can do for a group of several protocols: as group-outbox, with each message encoded once for each.
import type { ServerWebSocket } from "bun";
import { asMessage, type Publication, readPublication, runBare, subprotocolOf } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

interface Member extends Waiting {
  readonly subprotocol: string | null;
}

const protobuf = "protobuf.webpubsub.azure.v1";
const clients: ServerWebSocket<Member>[] = [];
const outboxes = new Outboxes();

/** A DownstreamMessage with a DataMessage that holds text. */
function asProtobuf({ group, data }: Publication): Uint8Array {
  return field(2, Buffer.concat([field(1, "group"), field(2, group), field(3, field(1, data))]));
}

function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

runBare<Member>({
  data: (request) => ({ subprotocol: subprotocolOf(request), frames: [] }),
  greeting: ({ data: { subprotocol } }) => {
    if (subprotocol === null) return null;
    return subprotocol === protobuf ? new Uint8Array(50) : "connected";
  },
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    const publication = readPublication(text);
    const json = asMessage(publication);
    const binary = asProtobuf(publication);
    for (const client of clients) {
      if (client === sender) continue;
      const { subprotocol } = client.data;
      outboxes.put(client, subprotocol === null ? publication.data : subprotocol === protobuf ? binary : json);
    }
  },
});
