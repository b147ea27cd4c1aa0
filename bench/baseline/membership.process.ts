// The least a server can do for joins and leaves: parse, two sets, an ack where one is wanted.
import type { ServerWebSocket } from "bun";
import { asAck, runBare } from "./bare.ts";

interface Member {
  readonly groups: Set<string>;
}

interface Request {
  readonly type: "joinGroup" | "leaveGroup";
  readonly group: string;
  readonly ackId?: number;
}

const groups = new Map<string, Set<ServerWebSocket<Member>>>();

function join(client: ServerWebSocket<Member>, group: string): void {
  const members = groups.get(group);
  if (members === undefined) groups.set(group, new Set([client]));
  else members.add(client);
  client.data.groups.add(group);
}

function leave(client: ServerWebSocket<Member>, group: string): void {
  const members = groups.get(group);
  members?.delete(client);
  if (members?.size === 0) groups.delete(group);
  client.data.groups.delete(group);
}

runBare<Member>({
  data: () => ({ groups: new Set() }),
  message: (client, text) => {
    const { type, group, ackId } = JSON.parse(text) as Request;
    if (type === "joinGroup") join(client, group);
    else leave(client, group);
    if (ackId !== undefined) client.send(asAck(ackId));
  },
});
