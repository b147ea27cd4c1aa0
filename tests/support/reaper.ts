import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./reaper-process.ts", import.meta.url));
let reaper: Writable | null = null;

/**
 * Has something cleaned up when the test process ends, be it by Ctrl-C or SIGKILL: `started` and `ended` name a child
 * process, `folder` a folder to remove. The test runner has no hook for its end, so a small process beside it does this.
 */
export function cleanUpLater(kind: "started" | "ended" | "folder", value: string | number): void {
  reaper ??= startReaper();
  reaper.write(`${kind} ${value}\n`);
}

function startReaper(): Writable {
  // Detached: Ctrl-C in a terminal reaches the whole process group, and this one must outlive the others.
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  child.unref();
  return child.stdin;
}
