// The least a server can do for small groups: parse, and put ack and message into a list per connection as in
// group-outbox. A client is in the group that its token names.
import type { ServerWebSocket } from "bun";
import { asAck, asMessage, readPublication, runBare } from "./bare.ts";
import { Outboxes, type Waiting } from "./outboxes.ts";

interface Member extends Waiting {
  readonly group: ServerWebSocket<Member>[];
}

const groups = new Map<string, ServerWebSocket<Member>[]>();
const outboxes = new Outboxes();

function groupNameOf(request: Request): string {
  const [, claims = ""] = new URL(request.url).searchParams.get("access_token")?.split(".") ?? [];
  const { "webpubsub.group": names } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
    readonly "webpubsub.group": readonly string[];
  };
  return names[0] ?? "";
}

runBare<Member>({
  data: (request) => {
    const name = groupNameOf(request);
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    return { group, frames: [] };
  },
  opened: (client) => client.data.group.push(client),
  message: (sender, text) => {
    const publication = readPublication(text);
    const frame = asMessage(publication);
    for (const client of sender.data.group) outboxes.put(client, frame);
    outboxes.put(sender, asAck(publication.ackId));
  },
});
