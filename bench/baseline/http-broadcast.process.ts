// The least a server can do for a REST broadcast under load: read the body, put the message into a list per connection as
// in group-outbox, answer 202.
import type { ServerWebSocket } from "bun";
import { runBare } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

const clients: ServerWebSocket<Waiting>[] = [];
const outboxes = new Outboxes();

runBare<Waiting>({
  data: () => ({ frames: [] }),
  opened: (client) => clients.push(client),
  request: async (request) => {
    const data = await request.text();
    const frame = JSON.stringify({ type: "message", from: "server", dataType: "text", data });
    for (const client of clients) outboxes.put(client, frame);
    return new Response(null, { status: 202 });
  },
});
