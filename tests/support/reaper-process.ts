// Runs beside a test process and cleans up behind it, however it ends: its end closes this process's standard input.
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

const processes = new Set<number>();
const folders: string[] = [];

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [kind, value] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
  if (kind === "started") processes.add(Number(value));
  else if (kind === "ended") processes.delete(Number(value));
  else if (kind === "folder") folders.push(value);
});
lines.on("close", () => {
  for (const id of processes) {
    try {
      process.kill(id, "SIGKILL");
    } catch {
      // It ended in the meantime.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
