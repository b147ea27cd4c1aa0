// The least a server can do for a group under load: the messages of one event-loop turn wait in a list per connection and
// leave in one cork at its end.
import type { ServerWebSocket } from "bun";
import { asMessage, readPublication, runBare } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

const clients: ServerWebSocket<Waiting>[] = [];
const outboxes = new Outboxes();

runBare<Waiting>({
  data: () => ({ frames: [] }),
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    const frame = asMessage(readPublication(text));
    for (const client of clients) if (client !== sender) outboxes.put(client, frame);
  },
});
