// The least a server can do for small groups: parse, and put ack and message into a list per connection as in
// group-outbox. Ten clients that came one after the other are a group.
import type { ServerWebSocket } from "bun";
import { asAck, asMessage, readPublication, runBare } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

interface Member extends Waiting {
  readonly group: ServerWebSocket<Member>[];
}

const members = 10;
let newest: ServerWebSocket<Member>[] = [];
const outboxes = new Outboxes();

runBare<Member>({
  data: () => {
    if (newest.length === members) newest = [];
    return { group: newest, frames: [] };
  },
  opened: (client) => client.data.group.push(client),
  message: (sender, text) => {
    const publication = readPublication(text);
    const frame = asMessage(publication);
    for (const client of sender.data.group) outboxes.put(client, frame);
    outboxes.put(sender, asAck(publication.ackId));
  },
});
