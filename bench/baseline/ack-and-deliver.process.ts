// The least a server can do for small groups: parse, and put ack and message into a list per connection as in
// group-outbox. Ten clients that came one after the other are a group.
import type { ServerWebSocket } from "bun";
import { asAck, asMessage, readPublication, runBare } from "./bare.ts";

interface Member {
  readonly group: ServerWebSocket<Member>[];
  frames: string[];
}

const members = 10;
let newest: ServerWebSocket<Member>[] = [];
let dirty: ServerWebSocket<Member>[] = [];

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

function put(client: ServerWebSocket<Member>, frame: string): void {
  if (dirty.length === 0) setImmediate(flush);
  if (client.data.frames.push(frame) === 1) dirty.push(client);
}

runBare<Member>({
  data: () => {
    if (newest.length === members) newest = [];
    return { group: newest, frames: [] };
  },
  opened: (client) => client.data.group.push(client),
  message: (sender, text) => {
    const publication = readPublication(text);
    const frame = asMessage(publication);
    for (const client of sender.data.group) put(client, frame);
    put(sender, asAck(publication));
  },
});
