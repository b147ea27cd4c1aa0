// The least a server can do for a group of reliable members: as group-outbox, with a number per recipient put into each
// message. Nothing is kept for a recovery; confirmations are read and forgotten.
import type { ServerWebSocket } from "bun";
import { asMessage, readPublication, runBare } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

interface Numbered extends Waiting {
  last: number;
}

const clients: ServerWebSocket<Numbered>[] = [];
const outboxes = new Outboxes();

runBare<Numbered>({
  data: () => ({ frames: [], last: 0 }),
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    if (text.startsWith('{"type":"sequenceAck"')) return;
    const members = asMessage(readPublication(text)).slice(1);
    for (const client of clients) {
      const { data } = client;
      data.last += 1;
      if (client !== sender) outboxes.put(client, `{"sequenceId":${data.last},${members}`);
    }
  },
});
