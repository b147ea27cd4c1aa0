// The application, and beside it the tunnel through which the service reaches it. The first to end ends the other.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const tidewire = fileURLToPath(new URL("../../bin/tidewire.mjs", import.meta.url));
const port = process.env["PORT"] ?? "3000";
const programs = [
  spawn(process.execPath, ["server.ts"], { stdio: "inherit" }),
  spawn("node", [tidewire, "tunnel", "--hub", "chat", "--upstream", `http://localhost:${port}`], { stdio: "inherit" }),
];

const stop = (): void => programs.forEach((program) => void program.kill("SIGTERM"));
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
for (const program of programs) {
  program.on("exit", (code) => {
    process.exitCode ||= code ?? 1;
    stop();
  });
}
