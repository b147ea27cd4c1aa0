// The least a server can do for a single message to a group: one send per member.
import type { ServerWebSocket } from "bun";
import { asMessage, readPublication, runBare } from "./bare.ts";

const clients: ServerWebSocket<object>[] = [];

runBare<object>({
  data: () => ({}),
  opened: (client) => clients.push(client),
  message: (sender, text) => {
    const frame = asMessage(readPublication(text));
    for (const client of clients) if (client !== sender) client.send(frame);
  },
});
