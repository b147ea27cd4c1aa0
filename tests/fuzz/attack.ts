import { Worker } from "node:worker_threads";
import { generatedSeeds, readCorpus } from "./corpus.ts";
import { inputAt, type Material } from "./mutator.ts";
import type { FuzzTarget } from "./target.ts";

/** No progress for so long is a hang; far above what `judge` allows, which it sees itself. */
const stalledMs = 60_000;
const lookEveryMs = 1000;

export interface AttackOptions {
  readonly seed: number;
  /** It ends when either is used up. */
  readonly inputs: number;
  readonly ms: number;
  /** What one input may take; see `judge`. */
  readonly maxMs: number;
}

/** For the thread; plain data. */
export interface Assignment extends AttackOptions {
  readonly target: string;
  readonly material: Material;
  /** Index of the input under way, shared. */
  readonly progress: Uint32Array;
}

/** From the thread. */
export interface Report {
  readonly tried: number;
  /** How many inputs had which outcome. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly finding: { readonly index: number; readonly problem: string } | null;
}

export interface AttackResult extends Report {
  /** The input of the finding. */
  readonly input: Uint8Array | null;
}

/** Attacks a decoder in a thread of its own, so that even a decoder that never returns is found and stopped. */
export async function attack(target: FuzzTarget, options: AttackOptions): Promise<AttackResult> {
  const material: Material = {
    seeds: (await readCorpus(target)).map(({ bytes }) => bytes),
    bigSeeds: generatedSeeds(target).map(({ bytes }) => bytes),
    dictionary: target.dictionary,
    isText: target.isText,
  };
  const progress = new Uint32Array(new SharedArrayBuffer(Uint32Array.BYTES_PER_ELEMENT));
  const assignment: Assignment = { ...options, target: target.name, material, progress };
  const worker = new Worker(new URL("./attack.process.ts", import.meta.url), { workerData: assignment });
  try {
    const report = await Promise.race([reportOf(worker), stallOf(progress, worker)]);
    const { finding } = report;
    return { ...report, input: finding === null ? null : inputAt(material, options.seed, finding.index) };
  } finally {
    await worker.terminate();
  }
}

function reportOf(worker: Worker): Promise<Report> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

/** Never settles while there is progress. */
function stallOf(progress: Uint32Array, worker: Worker): Promise<Report> {
  return new Promise((resolve) => {
    let last = -1;
    let since = performance.now();
    const timer = setInterval(() => {
      const index = Atomics.load(progress, 0);
      if (index !== last) [last, since] = [index, performance.now()];
      else if (performance.now() - since > stalledMs) {
        clearInterval(timer);
        resolve({ tried: index + 1, kinds: {}, finding: { index, problem: `hung for ${stalledMs} ms` } });
      }
    }, lookEveryMs);
    worker.once("exit", () => clearInterval(timer));
  });
}
