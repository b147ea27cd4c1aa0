import { loadConfig, readEnvironment } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { Host } from "../server/host.ts";
import { startHost } from "../server/host.ts";
import { banner } from "./banner.ts";

/** Exit codes: 1 what the service needs is not there (a port, a file), 2 the configuration is wrong. */
const failed = 1;
const misconfigured = 2;

/** Runs the service until a signal ends it; resolves with the exit code. Messages for the operator go to stderr. */
export async function runStart(options: Readonly<Record<string, string>>): Promise<number> {
  const loaded = loadConfig({ environment: readEnvironment(), commandLine: options, cwd: process.cwd() });
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(`tidewire: ${formatProblem(problem)}`);
    return misconfigured;
  }
  for (const warning of loaded.warnings) console.error(`tidewire: warning: ${formatProblem(warning)}`);
  const started = await startHost(loaded, {
    log: (line) => process.stderr.write(`${line}\n`),
    resourceLog: (line) => process.stdout.write(`${line}\n`),
    isTerminal: process.stderr.isTTY,
  });
  if (!started.ok) {
    console.error(`tidewire: ${started.problem}`);
    return failed;
  }
  console.log(banner(started.host, loaded.file));
  await stopSignal(started.host);
  return 0;
}

/** Resolves when the service has stopped after SIGTERM or SIGINT; a second signal ends the process at once. */
function stopSignal(host: Host): Promise<void> {
  process.on("SIGHUP", () => host.reload());
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      if (isStopping) process.exit(failed);
      isStopping = true;
      void host.stop().then(resolve);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
