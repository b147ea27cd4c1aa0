import { fromLine, toLine } from "./agent-wire.ts";
import { Inbox, inTime } from "./inbox.ts";
import { NodeProgram, type NodeProgramOptions } from "./node-program.ts";

const callDeadlineMs = 60_000;

type Details = Readonly<Record<string, unknown>>;

interface Answer {
  readonly result?: unknown;
  readonly failure?: Details;
}

/** What went wrong inside the Node process: name, message and plain members of the error thrown there. */
class AgentError extends Error {
  readonly details: Details;

  constructor(details: Details) {
    super(`${String(details["name"])}: ${String(details["message"])}`);
    this.name = "AgentError";
    this.details = details;
  }
}

/**
 * A real Node process whose script calls `serve` of agent-process.ts. Calls wait up to 60 s, which includes the start of
 * the process; what the script reports by itself waits in `events`.
 */
export class NodeAgent {
  readonly #program: NodeProgram;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;

  readonly events = new Inbox<Details>();

  constructor(script: URL, options: Omit<NodeProgramOptions, "onLine"> = {}) {
    this.#program = new NodeProgram(script, { ...options, onLine: (line) => this.#receive(line) });
    void this.#program.exited.then(
      (code) => this.#giveUp(`the Node process ended with ${code}`),
      (error: unknown) => this.#giveUp(String(error)),
    );
  }

  /** Runs one command in the process; rejects with an `AgentError` where it failed there. */
  async call(command: string, ...args: readonly unknown[]): Promise<unknown> {
    if (this.#program.hasExited) throw new Error(`the Node process has ended:\n${this.#program.complaints}`);
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    this.#program.write(toLine({ id, command, args }));
    try {
      const { result, failure } = await inTime(answer.promise, `answer to ${command}`, callDeadlineMs);
      if (failure !== undefined) throw new AgentError(failure);
      return result;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Ends the process; rejects if it does not end cleanly. */
  async stop(): Promise<void> {
    await this.#program.endInput();
  }

  #receive(line: string): void {
    const { id, event, ...answer } = fromLine(line) as Answer & { readonly id?: number; readonly event?: Details };
    if (event !== undefined) this.events.push(event);
    else this.#waiting.get(id ?? 0)?.resolve(answer);
  }

  #giveUp(why: string): void {
    for (const answer of this.#waiting.values()) answer.reject(new Error(`${why}:\n${this.#program.complaints}`));
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
