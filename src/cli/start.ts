import { loadConfig, readEnvironment } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { startHost } from "../server/host.ts";
import { banner } from "./banner.ts";
import { lineOutput } from "./line-output.ts";

/** Exit codes: 1 what the service needs is not there (a port, a file), 2 the configuration is wrong. */
const failed = 1;
const misconfigured = 2;

/** Runs the service until a signal ends it; resolves with the exit code. Messages for the operator go to stderr. */
export async function runStart(options: Readonly<Record<string, string>>): Promise<number> {
  reportBugs();
  // From the first moment on: a signal during the start must still end in an orderly stop.
  const signals = watchSignals();
  const loaded = loadConfig({ environment: readEnvironment(), commandLine: options, cwd: process.cwd() });
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(`tidewire: ${formatProblem(problem)}`);
    return misconfigured;
  }
  for (const warning of loaded.warnings) console.error(`tidewire: warning: ${formatProblem(warning)}`);
  const log = lineOutput(process.stderr, reportLost);
  const resourceLog = lineOutput(process.stdout, reportLost);
  const started = await startHost(loaded, { log, resourceLog, isTerminal: process.stderr.isTTY });
  if (!started.ok) {
    console.error(`tidewire: ${started.problem}`);
    return failed;
  }
  const { host } = started;
  signals.onReload(() => host.reload());
  console.log(banner(host, loaded.file));
  await signals.stopRequested;
  await host.stop();
  return 0;
}

/** An error nobody expected leaves an unknown state behind: say what it was and end, for a supervisor to start anew. */
function reportBugs(): void {
  const end = (error: unknown): void => {
    console.error(
      `tidewire: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exit(failed);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

function reportLost(lines: number): void {
  console.error(`tidewire: warning: ${lines} log lines were dropped, because nobody read them in time`);
}

interface Signals {
  /** Resolves at the first SIGTERM or SIGINT; the next one ends the process at once. */
  readonly stopRequested: Promise<void>;
  onReload(reload: () => void): void;
}

function watchSignals(): Signals {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(failed);
    isStopping = true;
    resolve();
  };
  let reload = (): void => {};
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => reload());
  return {
    stopRequested: promise,
    onReload(callback) {
      reload = callback;
    },
  };
}
