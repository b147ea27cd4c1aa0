import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultDeadlineMs, inTime } from "./inbox.ts";
import { cleanUpLater } from "./reaper.ts";
import { tempDir } from "./temp.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const bun = join(project, "node_modules", ".bin", "bun");

/** A configuration as its file holds it; see docs/configuration.md. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface Launch {
  /** Command of tidewire; default `start`. */
  readonly command?: string;
  /** Written to the configuration file: as JSON, or text as it is. Null: started without `--config`. */
  readonly config: Configuration | string | null;
  /** Further arguments of the command. */
  readonly args?: readonly string[];
  /** Environment beside PATH and HOME; nothing else is inherited, so no variable of the caller configures the server. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder for the configuration file, HOME and data; default: a new one. Give it to start on what an earlier server left. */
  readonly folder?: string;
}

/** Starts `tidewire start` and returns at once; the process is killed at the latest when the test process ends. */
export function launch(options: Launch): ServerProcess {
  return new ServerProcess(options);
}

/** A started server process, ready or not. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #output = "";
  #stdout = "";

  readonly folder: string;
  readonly configFile: string;
  /** Exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;

  constructor({ command: name = "start", config, args = [], env = {}, folder = tempDir() }: Launch) {
    this.folder = folder;
    this.configFile = join(folder, "tidewire.json");
    if (config !== null) this.writeConfig(config);
    const command = [
      "--max-http-header-size=65536",
      "src/cli/main.ts",
      name,
      ...(config === null ? [] : ["--config", this.configFile]),
      ...args,
    ];
    const child = spawn(bun, command, {
      cwd: project,
      env: { PATH: process.env["PATH"] ?? "", HOME: this.folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const id = child.pid;
    if (id !== undefined) cleanUpLater("started", id);
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (id !== undefined) cleanUpLater("ended", id);
        resolve(code);
        this.#notify();
      });
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#collect(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#collect(text));
  }

  /** Everything it wrote so far, standard output and logs, in order of arrival. */
  get output(): string {
    return this.#output;
  }

  /** What it wrote to standard output alone. */
  get stdout(): string {
    return this.#stdout;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  writeConfig(config: Configuration | string): void {
    writeFileSync(this.configFile, typeof config === "string" ? config : JSON.stringify(config, null, 2));
  }

  /** Resolves with the match once the output has it behind character `from`; rejects when the process ends before. */
  async written(
    pattern: RegExp,
    options: { readonly from?: number; readonly withinMs?: number } = {},
  ): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(this.#output.slice(options.from ?? 0));
      if (match !== null) found.resolve(match);
      else if (this.hasExited)
        found.reject(
          new Error(`the server ended (${this.#child.exitCode}) without writing ${pattern}:\n${this.#output}`),
        );
    };
    this.#watchers.add(look);
    look();
    try {
      return await inTime(found.promise, `${pattern} in the server's output`, options.withinMs ?? defaultDeadlineMs);
    } finally {
      this.#watchers.delete(look);
    }
  }

  #collect(text: string): void {
    this.#output += text;
    this.#notify();
  }

  #notify(): void {
    for (const look of this.#watchers) look();
  }
}
