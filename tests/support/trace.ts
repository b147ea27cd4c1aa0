import { connectJson } from "./clients.ts";
import type { RunningCommand } from "./command-line.ts";
import type { Target } from "./server.ts";

/**
 * Waits until a `tidewire trace` shows what is done from now on. It says nothing of that itself, so a hub of its own is used
 * again and again until a line of it is there.
 */
export async function listening(command: RunningCommand, target: Target, hub: string): Promise<void> {
  let isThere = false;
  const there = command.written(new RegExp(hub)).finally(() => {
    isThere = true;
  });
  while (!isThere) {
    const client = await connectJson(target, { hub, userId: "first" });
    client.socket.close(1000);
  }
  await there;
}
