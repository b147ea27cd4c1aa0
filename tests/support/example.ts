import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { freePort } from "./free-port.ts";
import { inTime } from "./inbox.ts";
import { cleanUpLater } from "./reaper.ts";
import { type Server, startServer } from "./server.ts";
import type { Configuration } from "./server-process.ts";
import { tempDir } from "./temp.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const bun = join(project, "node_modules", ".bin", "bun");
/** An application may build its page first, on a busy machine. */
const startDeadlineMs = 120_000;
const stopDeadlineMs = 30_000;

export interface ExampleOptions {
  /** Scheme of the service in the connection string. */
  readonly scheme?: "http" | "https";
  /** Beside what every example is given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration file of tidewire in the example's folder, null where it needs none. */
  readonly config?: string | null;
  /** What is started in the example's folder. */
  readonly command?: readonly string[];
}

/** An application below `examples/`, unmodified, and a tidewire configured as its README says, both on free ports. */
export interface Example {
  /** `http://localhost:<port>`, the page. */
  readonly url: string;
  readonly server: Server;
  /** Everything the application wrote. */
  output(): string;
  /** Ends the application alone. */
  stopApp(): Promise<void>;
  /** Starts it again on the same port, with what it stored. */
  startApp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts `examples/<name>`. It gets `WebPubSubConnectionString`, `PORT`, and `DATA_DIR`, an empty folder; with https also
 * `NODE_EXTRA_CA_CERTS`.
 */
export async function startExample(name: string, options: ExampleOptions = {}): Promise<Example> {
  const { scheme = "http", config = "tidewire.yaml", command = [bun, "server.ts"] } = options;
  const folder = join(project, "examples", name);
  const port = await freePort();
  const configuration = config === null ? {} : (parse(readFileSync(join(folder, config), "utf8")) as Configuration);
  const server = await startServer(
    { ...configuration, service: { listen: [{ url: `${scheme}://localhost:0` }] } },
    { env: { PORT: String(port) } },
  );
  const [, authority = ""] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(server.output()) ?? [];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: tempDir(),
    PORT: String(port),
    DATA_DIR: tempDir(),
    WebPubSubConnectionString: server.connectionString,
    ...(authority === "" ? {} : { NODE_EXTRA_CA_CERTS: authority }),
    ...options.env,
  };
  const start = () => startProcess(command, { cwd: folder, env });
  let app = await start();
  return {
    url: app.url,
    server,
    output: () => app.output(),
    stopApp: () => app.stop(),
    async startApp() {
      app = await start();
    },
    async stop() {
      await app.stop();
      await server.stop();
    },
  };
}

export interface AppProcess {
  readonly url: string;
  output(): string;
  stop(): Promise<void>;
}

/**
 * Resolves once it has printed its address, `<Title>: http://localhost:<PORT>`; whatever runs beside it may have named others
 * before. Rejects with its output when it ends without.
 */
export async function startProcess(
  [program = "", ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<AppProcess> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const id = child.pid;
  if (id !== undefined) cleanUpLater("started", id);
  const exited = exitOf(child);
  let output = "";
  const address = Promise.withResolvers<string>();
  const line = new RegExp(`[A-Z][\\w ]*: (http://localhost:${options.env["PORT"] ?? ""})/?$`, "m");
  const collect = (text: string): void => {
    output += text;
    const [, found] = line.exec(output) ?? [];
    if (found !== undefined) address.resolve(found);
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  void exited.then(
    (code) => {
      if (id !== undefined) cleanUpLater("ended", id);
      address.reject(new Error(`the example ended with ${code}:\n${output}`));
    },
    (error: unknown) => address.reject(error as Error),
  );
  const url = await inTime(address.promise, `address of ${options.cwd}`, startDeadlineMs);
  return {
    url,
    output: () => output,
    async stop() {
      child.kill("SIGTERM");
      await inTime(exited, "end of the example after SIGTERM", stopDeadlineMs);
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}
