import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** `settled`: after a full garbage collection. */
export type ProbeQuestion = "now" | "settled";

/** What a probe says of the heap of its process. */
export interface HeapFigures {
  /** Of its process since the start, all threads. */
  readonly cpuMicroseconds: number;
  /** Objects and what they hold outside of the heap proper, such as the bytes of buffers and long strings. */
  readonly heapBytes: number;
  /** Number of objects by the engine's name of their type; those count that no collection has found dead yet. */
  readonly objects: Readonly<Record<string, number>>;
}

/** The near end of a probe in a server; one question at a time. */
export class Probe {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async ask(question: ProbeQuestion): Promise<HeapFigures> {
    const answered = once(this.#child, "message");
    this.#child.send(question);
    const [figures] = (await answered) as [HeapFigures];
    return figures;
  }
}
