import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "./load/job.ts";

/** The bare servers, each with its program. */
const baselines = {
  ack: new URL("baseline/ack.process.ts", import.meta.url),
  "ack-and-deliver": new URL("baseline/ack-and-deliver.process.ts", import.meta.url),
  accept: new URL("baseline/accept.process.ts", import.meta.url),
  "group-outbox": new URL("baseline/group-outbox.process.ts", import.meta.url),
  "event-round-trip": new URL("baseline/event-round-trip.process.ts", import.meta.url),
  "group-mixed": new URL("baseline/group-mixed.process.ts", import.meta.url),
  "group-numbered": new URL("baseline/group-numbered.process.ts", import.meta.url),
  "group-send": new URL("baseline/group-send.process.ts", import.meta.url),
  "http-broadcast": new URL("baseline/http-broadcast.process.ts", import.meta.url),
  "http-post": new URL("baseline/http-post.process.ts", import.meta.url),
  membership: new URL("baseline/membership.process.ts", import.meta.url),
} as const;

const handler = new URL("handler.process.ts", import.meta.url);

export type Baseline = keyof typeof baselines;

/** A server process under load. */
export interface RunningServer {
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

const project = fileURLToPath(new URL("../", import.meta.url));
const printed = /Endpoint=http:\/\/127\.0\.0\.1:(\d+);AccessKey=([^;\s]+);Version=1\.0;/;
/** The service prints its endpoint well below a second after its start; this is for a machine that is very busy. */
const startDeadlineMs = 15_000;
const knockMs = 50;

/**
 * Starts the service itself, with nothing configured but one listener, a random key (tokens are checked), and, where a
 * port is given, an event handler for user events.
 */
export function startService(handlerPort: number | null): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-bench-"));
  const config = join(folder, "tidewire.json");
  const service = {
    listen: [{ url: "http://127.0.0.1:0" }],
    keys: { primary: randomBytes(32).toString("base64") },
    dataDir: join(folder, "data"),
  };
  const eventHandlers = [{ urlTemplate: `http://127.0.0.1:${handlerPort}/{event}`, userEventPattern: "*" }];
  const hubs = handlerPort === null ? {} : { bench: { eventHandlers } };
  writeFileSync(config, JSON.stringify({ service, hubs, limits: { drainSeconds: 0 } }), { mode: 0o600 });
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  // As bin/tidewire.mjs starts it, but without the launcher, so that the process is the server's own.
  const program = ["--max-http-header-size=65536", "src/cli/main.ts", "start", "--config", config];
  return launch([process.execPath, ...program], { clean });
}

/** Starts one of the bare servers; the port is that of an event handler. */
export function startBaseline(baseline: Baseline, handlerPort: number | null): Promise<RunningServer> {
  const args = handlerPort === null ? [] : [String(handlerPort)];
  return launch([process.execPath, "--max-http-header-size=65536", fileURLToPath(baselines[baseline]), ...args]);
}

/** Starts the application that answers events. */
export function startHandler(): Promise<RunningServer> {
  return launch([process.execPath, fileURLToPath(handler)]);
}

/** What is special about a server process. */
export interface LaunchOptions {
  /** Its environment beyond PATH; nothing else is inherited, so that no variable of the caller configures a server. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called when it is gone. */
  readonly clean?: () => void;
  /** Where it listens, for a server that does not print its endpoint; it is ready when something accepts there. */
  readonly port?: number;
}

/** Starts a server process; resolves when it is ready. It ends with this process at the latest. */
export async function launch(command: readonly string[], options: LaunchOptions = {}): Promise<RunningServer> {
  const { clean = () => {}, port } = options;
  const env = { PATH: process.env["PATH"] ?? "", ...options.env };
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  const kill = (): void => void child.kill("SIGKILL");
  const killAndClean = (): void => {
    kill();
    clean();
  };
  process.once("exit", killAndClean);
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => {
      process.off("exit", killAndClean);
      clean();
      resolve();
    });
  });
  const stop = (): Promise<void> => {
    kill();
    return exited;
  };
  try {
    return { endpoint: await findEndpoint(child, port ?? null), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the server has written where it is, or accepts at its port; from then on, its output is thrown away. */
function findEndpoint(child: ChildProcessByStdio<null, Readable, Readable>, at: number | null): Promise<Endpoint> {
  const found = Promise.withResolvers<Endpoint>();
  const pid = child.pid ?? 0;
  let output = "";
  const look = (text: Buffer): void => {
    output += text.toString();
    const [, port, accessKey] = printed.exec(output) ?? [];
    if (port !== undefined && accessKey !== undefined) found.resolve({ port: Number(port), pid, accessKey });
  };
  const fail = (): void => found.reject(new Error(`the server did not start:\n${output}`));
  const deadline = setTimeout(fail, startDeadlineMs);
  const knocking = setInterval(() => {
    if (at !== null) knock(at, () => found.resolve({ port: at, pid, accessKey: "unchecked" }));
  }, knockMs);
  child.stdout.on("data", look);
  child.stderr.on("data", look);
  child.once("error", fail);
  child.once("close", fail);
  return found.promise.finally(() => {
    clearTimeout(deadline);
    clearInterval(knocking);
    for (const stream of [child.stdout, child.stderr]) stream.off("data", look).resume();
  });
}

function knock(port: number, opened: () => void): void {
  const socket = connect({ host: "127.0.0.1", port }, () => {
    socket.destroy();
    opened();
  });
  socket.on("error", () => {}); // not yet
}
