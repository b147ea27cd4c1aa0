import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Inbox, inTime } from "./inbox.ts";

const pinnedNode = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
const stopDeadlineMs = 30_000;

export interface NodeProgramOptions {
  readonly args?: readonly string[];
  /** Environment beside PATH and HOME; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the lines of standard output as they come; default: they wait in `lines`. */
  readonly onLine?: (line: string) => void;
}

/**
 * A real Node process, since the tests themselves run in Bun: the pinned Node, or that of TIDEWIRE_TEST_NODE. Killed at
 * the latest when the test process ends.
 */
export class NodeProgram {
  readonly #child: ChildProcess;
  #complaints = "";

  /** Lines of standard output that nobody took yet. */
  readonly lines = new Inbox<string>();
  /** Exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;

  /** Starts `script`, the URL of a JavaScript or TypeScript file. */
  constructor(script: URL, { args = [], env = {}, onLine }: NodeProgramOptions = {}) {
    const child = spawn(process.env["TIDEWIRE_TEST_NODE"] ?? pinnedNode, [fileURLToPath(script), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const killAtExit = (): void => void child.kill("SIGKILL");
    process.once("exit", killAtExit);
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        process.off("exit", killAtExit);
        resolve(code);
      });
    });
    createInterface({ input: child.stdout }).on("line", onLine ?? ((line) => this.lines.push(line)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
    child.stdin.on("error", () => child.kill("SIGKILL")); // it ended while it was being written to
  }

  /** What it wrote to standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Writes a line to its standard input. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves when it ended by itself with code 0. */
  async finished(): Promise<void> {
    const code = await inTime(this.exited, "end of the Node process", stopDeadlineMs);
    if (code !== 0) throw new Error(`the Node process ended with ${code}:\n${this.#complaints}`);
  }

  /** Closes its standard input, upon which it has to end. */
  async endInput(): Promise<void> {
    this.#child.stdin?.end();
    await this.finished();
  }

  /** Ends it by SIGTERM; harmless when it has ended. */
  async terminate(): Promise<void> {
    this.#child.kill("SIGTERM");
    await inTime(this.exited, "end of the Node process after SIGTERM", stopDeadlineMs);
  }
}
