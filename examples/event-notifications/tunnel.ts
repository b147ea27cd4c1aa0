// The application and `tidewire tunnel` beside it, which fetches the events from the service: for an application that the
// service cannot reach.
import { join } from "node:path";

const port = process.env["PORT"] ?? "3001";
const tidewire = join(import.meta.dirname, "..", "..", "bin", "tidewire.mjs");
const streams = { cwd: import.meta.dirname, stdin: "ignore", stdout: "inherit", stderr: "inherit" } as const;

const listening = Promise.withResolvers<void>();
const server = Bun.spawn([process.execPath, "server.ts"], { ...streams, ipc: () => listening.resolve() });
const programs = [server];
function stop(): void {
  for (const program of programs) program.kill("SIGTERM");
}
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);

await Promise.race([listening.promise, server.exited]);
if (server.exitCode === null && !server.killed) {
  const upstream = `http://localhost:${port}`;
  programs.push(
    Bun.spawn([process.execPath, tidewire, "tunnel", "--hub", "deliveries", "--upstream", upstream], streams),
  );
}

// When one of them ends, the other is of no use.
const exitCode = await Promise.race(programs.map((program) => program.exited));
stop();
await Promise.all(programs.map((program) => program.exited));
process.exit(exitCode);
