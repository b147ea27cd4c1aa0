import { connectSimple, type SimpleClient } from "./clients.ts";
import { freshName } from "./names.ts";
import type { Target } from "./server.ts";

/** A simple client that publishes what it sends to a group it is itself in: the service sends every message back. */
export async function connectEcho(target: Target, hub = freshName("echo")): Promise<SimpleClient> {
  return connectSimple(target, {
    hub,
    roles: ["webpubsub.sendToGroup.echo"],
    groups: ["echo"],
    query: { webpubsub_mode: "sendToGroup", group: "echo" },
  });
}
