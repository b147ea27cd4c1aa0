// The least a server can do for a group of reliable members: as group-outbox, with a number per recipient put into each
// message. Nothing is kept for a recovery; confirmations are read and forgotten.
import type { ServerWebSocket } from "bun";
import { asMessage, readPublication, runBare } from "./bare.ts";

interface Waiting {
  frames: string[];
  last: number;
}

const clients: ServerWebSocket<Waiting>[] = [];
let dirty: ServerWebSocket<Waiting>[] = [];

function flush(): void {
  const batch = dirty;
  dirty = [];
  for (const client of batch) {
    const { frames } = client.data;
    client.data.frames = [];
    client.cork(() => {
      for (const frame of frames) client.send(frame);
    });
  }
}

runBare<Waiting>({
  data: () => ({ frames: [], last: 0 }),
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    if (text.startsWith('{"type":"sequenceAck"')) return;
    const members = asMessage(readPublication(text)).slice(1);
    if (dirty.length === 0) setImmediate(flush);
    for (const client of clients) {
      const { data } = client;
      data.last += 1;
      if (client !== sender && data.frames.push(`{"sequenceId":${data.last},${members}`) === 1) dirty.push(client);
    }
  },
});
