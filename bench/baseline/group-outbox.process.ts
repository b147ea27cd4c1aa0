// The least a server can do for a group under load: the messages of one event-loop turn wait in a list per connection and
// leave in one cork at its end.
import type { ServerWebSocket } from "bun";
import { asMessage, readPublication, runBare } from "./bare.ts";

interface Waiting {
  frames: string[];
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
  data: () => ({ frames: [] }),
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    const frame = asMessage(readPublication(text));
    if (dirty.length === 0) setImmediate(flush);
    for (const client of clients) {
      if (client !== sender && client.data.frames.push(frame) === 1) dirty.push(client);
    }
  },
});
