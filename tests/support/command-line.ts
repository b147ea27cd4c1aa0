import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTime } from "./inbox.ts";
import { cleanUpLater } from "./reaper.ts";
import { tempDir } from "./temp.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const bun = join(project, "node_modules", ".bin", "bun");
const main = join(project, "src", "cli", "main.ts");
/** A busy machine takes seconds to start a process. */
const deadlineMs = 60_000;

export interface CommandLineOptions {
  /** Environment beside PATH and HOME; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the command reads; without it its input is at its end at once. */
  readonly input?: string;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tidewire …` in a process of its own until it ends. */
export async function tidewire(args: readonly string[], options: CommandLineOptions = {}): Promise<CommandResult> {
  const command = startTidewire(args, options);
  command.endInput(options.input ?? "");
  return command.ended();
}

/** Starts `tidewire …` and leaves its input open. */
export function startTidewire(args: readonly string[], options: CommandLineOptions = {}): RunningCommand {
  return new RunningCommand(args, options);
}

/** A command that runs until it is told to end. */
export class RunningCommand {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #watchers = new Set<() => void>();
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], { env = {}, cwd }: CommandLineOptions) {
    const home = tempDir();
    const child = spawn(bun, [main, ...args], {
      cwd: cwd ?? home,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const id = child.pid;
    if (id !== undefined) cleanUpLater("started", id);
    this.#exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (id !== undefined) cleanUpLater("ended", id);
        resolve(code);
        this.#notify();
      });
    });
    child.stdin?.on("error", () => {}); // a command that does not read its input ends before it is written
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#notify();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#notify();
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Types a line. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endInput(text = ""): void {
    this.#child.stdin?.end(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the match once its standard output has it; rejects when the command ends before. */
  written(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.#stdout);
  }

  /** As `written`, for what it says on the side. */
  announced(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.#stderr);
  }

  async #found(pattern: RegExp, text: () => string): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(text());
      if (match !== null) found.resolve(match);
      else if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        found.reject(new Error(`the command ended without writing ${pattern}:\n${this.#stdout}${this.#stderr}`));
    };
    this.#watchers.add(look);
    look();
    try {
      return await inTime(found.promise, `${pattern} in the command's output`, deadlineMs);
    } finally {
      this.#watchers.delete(look);
    }
  }

  /** Resolves with everything it wrote once it has ended. */
  async ended(): Promise<CommandResult> {
    const exitCode = await inTime(this.#exited, "end of the command", deadlineMs);
    return { exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  #notify(): void {
    for (const look of this.#watchers) look();
  }
}
