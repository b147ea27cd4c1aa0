import { spawn } from "node:child_process";
import { constants } from "node:os";
import { readEnvironment } from "../config/load.ts";
import { secureConnectionString } from "./banner.ts";
import { codeOf } from "./network-error.ts";
import { startServiceProcess, type WatchedSignals, watchSignals } from "./service-process.ts";
import { readTarget } from "./target.ts";

/** Exit codes as of a shell: the command could not be run, was not found, or was ended by a signal. */
const notRunnable = 126;
const notFound = 127;
const endedBySignal = 128;
const misused = 2;
/** The application has ended with the command: nobody is there to be told of what still waits for it. */
const endSeconds = 1;

const isWindows = process.platform === "win32";

export interface RunOptions {
  /** The options of `tidewire start`. */
  readonly service: Readonly<Record<string, string>>;
  readonly isHttps: boolean;
  /** Program and arguments; at least the program. */
  readonly command: readonly string[];
}

/**
 * Starts the service, runs a command with the connection string in its environment, and stops when the command ends;
 * resolves with the command's exit code. Where the environment has a connection string already, that service is used and
 * none is started. Standard output is the command's alone; what the service says goes to stderr.
 */
export async function runWithService({ service, isHttps, command }: RunOptions): Promise<number> {
  if ((readEnvironment()["WebPubSubConnectionString"] ?? "").trim() !== "") return runWithGiven(command);
  const started = await startServiceProcess({
    commandLine: { logLevel: "warn", ...service },
    defaultListenUrls: [isHttps ? "https://localhost:0" : "http://localhost:0"],
  });
  if (!started.ok) return started.exitCode;
  const { host } = started;
  const connectionString = isHttps ? secureConnectionString(host) : host.connectionStrings.primary;
  if (connectionString === null) {
    console.error("tidewire: --https needs an https listener, and the configuration has none");
    await host.stop();
    return misused;
  }
  inform(`running at ${host.endpoints.join(" and ")}`);
  const environment = {
    WebPubSubConnectionString: connectionString,
    ...(host.authorityFile === null ? {} : { NODE_EXTRA_CA_CERTS: host.authorityFile }),
  };
  const exitCode = await runCommand(command, environment, started.signals);
  await host.stop(endSeconds);
  return exitCode;
}

function runWithGiven(command: readonly string[]): Promise<number> {
  const target = readTarget({});
  if (!target.ok) {
    console.error(`tidewire: ${target.reason}`);
    return Promise.resolve(target.exitCode);
  }
  inform(`using ${target.service.endpoint}, the service of WebPubSubConnectionString`);
  return runCommand(command, {}, watchSignals());
}

/** On a terminal, `console.error` would show it in red. */
function inform(text: string): void {
  process.stderr.write(`tidewire: ${text}\n`);
}

/**
 * Runs the command on this process's streams, passes signals on, and resolves with its exit code as a shell would. It does
 * not outlive this process.
 */
function runCommand(
  [program = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
  signals: WatchedSignals,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(program, args, {
    stdio: "inherit",
    env: { ...readEnvironment(), ...environment },
    // On Windows npm's programs are scripts, which only a shell starts.
    shell: isWindows,
    // A group of its own: a shell or npm keeps a signal to itself, so what it started has to get it too.
    detached: !isWindows,
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(isWindows ? child.pid : -child.pid, signal);
    } catch (error) {
      if (codeOf(error) !== "ESRCH") throw error;
    }
  };
  const killAtExit = (): void => kill("SIGKILL");
  process.once("exit", killAtExit);
  child.on("error", (error) => {
    const isMissing = codeOf(error) === "ENOENT";
    console.error(`tidewire: ${isMissing ? `there is no command "${program}"` : `cannot run ${error.message}`}`);
    resolve(isMissing ? notFound : notRunnable);
  });
  child.on("exit", (code, signal) => {
    process.off("exit", killAtExit);
    resolve(code ?? endedBySignal + numberOf(signal));
  });
  void signals.stopRequested.then(kill);
  // The terminal is gone: the command decides, as it would without this process.
  signals.onHangUp(() => kill("SIGHUP"));
  return promise;
}

const numberOf = (signal: NodeJS.Signals | null): number => (signal === null ? 0 : constants.signals[signal]);
