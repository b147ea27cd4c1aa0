import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Inbox, inTime } from "../support/inbox.ts";
import { cleanUpLater } from "../support/reaper.ts";

const deadlineMs = 60_000; // a JVM on a busy machine

export interface ProgramOptions {
  readonly cwd: string;
  /** All of its environment beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program of an example, of whatever language, that writes lines. */
export class Program {
  readonly #child: ChildProcess;
  #complaints = "";

  /** Lines of standard output that nobody took yet. */
  readonly lines = new Inbox<string>();
  /** Exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;

  constructor([program = "", ...args]: readonly string[], { cwd, env = {} }: ProgramOptions) {
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const id = child.pid;
    if (id !== undefined) cleanUpLater("started", id);
    createInterface({ input: child.stdout }).on("line", (line) => this.lines.push(line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (id !== undefined) cleanUpLater("ended", id);
        resolve(code);
      });
    });
  }

  /** What it wrote to standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Takes the line; rejects with what came instead. */
  async line(text: string): Promise<void> {
    const taken = this.lines.take({ what: `line "${text}"`, withinMs: deadlineMs, where: (line) => line === text });
    await taken.catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#complaints}`);
    });
  }

  /** Its exit code, when it ends by itself. */
  ended(withinMs = deadlineMs): Promise<number | null> {
    return inTime(this.exited, `end of the program; it wrote:\n${this.#complaints}`, withinMs);
  }

  /** Ends it by SIGTERM; harmless when it has ended. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return inTime(this.exited, "end of the program after SIGTERM", deadlineMs);
  }
}
