import { type LoadInput, loadConfig, readEnvironment } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { type Host, startHost } from "../server/host.ts";
import { lineOutput } from "./line-output.ts";

/** Exit codes: 1 what the service needs is not there (a port, a file), 2 the configuration is wrong. */
const failed = 1;
const misconfigured = 2;

/** The service of this process and the signals it gets, or the exit code when there is none; what was wrong has been printed. */
export type ServiceProcess =
  | {
      readonly ok: true;
      readonly host: Host;
      readonly configFile: string | null;
      readonly signals: WatchedSignals;
    }
  | { readonly ok: false; readonly exitCode: number };

/**
 * Starts the service as this process: signals end it in order, SIGHUP reloads, an error nobody expected ends it. Messages
 * for the operator go to stderr.
 */
export async function startServiceProcess(input: Omit<LoadInput, "environment" | "cwd">): Promise<ServiceProcess> {
  reportBugs();
  // From the first moment on: a signal during the start must still end in an orderly stop.
  const signals = watchSignals();
  const loaded = loadConfig({ ...input, environment: readEnvironment(), cwd: process.cwd() });
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(`tidewire: ${formatProblem(problem)}`);
    return { ok: false, exitCode: misconfigured };
  }
  for (const warning of loaded.warnings) console.error(`tidewire: warning: ${formatProblem(warning)}`);
  const log = lineOutput(process.stderr, reportLost);
  const resourceLog = lineOutput(process.stdout, reportLost);
  const started = await startHost(loaded, { log, resourceLog, isTerminal: process.stderr.isTTY });
  if (!started.ok) {
    console.error(`tidewire: ${started.problem}`);
    return { ok: false, exitCode: failed };
  }
  const { host } = started;
  signals.onHangUp(() => host.reload());
  return { ok: true, host, configFile: loaded.file, signals };
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

/** The signals of this process. */
export interface WatchedSignals {
  /** The first SIGTERM or SIGINT; the next one ends the process at once. */
  readonly stopRequested: Promise<NodeJS.Signals>;
  /** Says what SIGHUP does from now on, in place of what it did; nothing until then. */
  onHangUp(callback: () => void): void;
}

/** To be called once, before anything that a signal must not end half-way. */
export function watchSignals(): WatchedSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(failed);
    isStopping = true;
    resolve(signal);
  };
  let hangUp = (): void => {};
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => hangUp());
  return {
    stopRequested: promise,
    onHangUp(callback) {
      hangUp = callback;
    },
  };
}
