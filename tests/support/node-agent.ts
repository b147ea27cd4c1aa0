import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { fromLine, toLine } from "./agent-wire.ts";
import { Inbox, inTime } from "./inbox.ts";

const pinnedNode = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
const callDeadlineMs = 20_000;
const stopDeadlineMs = 10_000;

export interface AgentOptions {
  readonly args?: readonly string[];
  /** Environment beside PATH and HOME; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

type Details = Readonly<Record<string, unknown>>;

interface Answer {
  readonly result?: unknown;
  readonly failure?: Details;
}

/** What went wrong inside the Node process: name, message and plain members of the error thrown there. */
export class AgentError extends Error {
  readonly details: Details;

  constructor(details: Details) {
    super(`${String(details["name"])}: ${String(details["message"])}`);
    this.name = "AgentError";
    this.details = details;
  }
}

/**
 * A real Node process (the tests themselves run in Bun) whose script calls `serve` of agent-process.ts. Calls wait up to
 * 20 s, which includes the start of the process; what the script reports by itself waits in `events`.
 */
export class NodeAgent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #exited: Promise<number | null>;
  #lastId = 0;
  #complaints = "";

  readonly events = new Inbox<Details>();

  /** Starts `script`, the URL of a TypeScript file that Node can strip. */
  constructor(script: URL, { args = [], env = {} }: AgentOptions = {}) {
    const child = spawn(process.env["TIDEWIRE_TEST_NODE"] ?? pinnedNode, [fileURLToPath(script), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const killAtExit = (): void => void child.kill("SIGKILL");
    process.once("exit", killAtExit);
    this.#exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        process.off("exit", killAtExit);
        this.#giveUp(code);
        resolve(code);
      });
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#receive(line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
  }

  /** Runs one command in the process; rejects with an `AgentError` where it failed there. */
  async call(command: string, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#child.exitCode !== null) throw this.#ended(this.#child.exitCode);
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    this.#child.stdin?.write(`${toLine({ id, command, args })}\n`);
    try {
      const { result, failure } = await inTime(answer.promise, `answer to ${command} ${this.#complaints}`, callDeadlineMs);
      if (failure !== undefined) throw new AgentError(failure);
      return result;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Ends the process; rejects if it had ended by itself or does not end cleanly. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const code = await inTime(this.#exited, "end of the Node process", stopDeadlineMs);
    if (code !== 0) throw this.#ended(code);
  }

  #receive(line: string): void {
    const { id, event, ...answer } = fromLine(line) as Answer & { readonly id?: number; readonly event?: Details };
    if (event !== undefined) this.events.push(event);
    else this.#waiting.get(id ?? 0)?.resolve(answer);
  }

  #giveUp(code: number | null): void {
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended(code));
  }

  #ended(code: number | null): Error {
    return new Error(`the Node process ended with ${code}:\n${this.#complaints}`);
  }
}

/** The details of the error a call failed with; rejects if it did not fail. */
export async function failureOf(call: Promise<unknown>): Promise<Details> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("value" in outcome) throw new Error(`it succeeded: ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof AgentError)) throw outcome.error;
  return outcome.error.details;
}
