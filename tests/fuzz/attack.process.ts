// The thread of `attack`: decodes one input after the other until it finds something or comes to its end.
import { parentPort, workerData } from "node:worker_threads";
import type { Assignment, Report } from "./attack.ts";
import { judge } from "./judge.ts";
import { inputAt } from "./mutator.ts";
import { fuzzTargets } from "./targets.ts";

function work({ target: name, material, seed, inputs, ms, maxMs, progress }: Assignment): Report {
  const target = fuzzTargets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const end = performance.now() + ms;
  const kinds: Record<string, number> = {};
  let index = 0;
  for (; index < inputs && performance.now() < end; index++) {
    Atomics.store(progress, 0, index);
    const { kind, problem } = judge(target, inputAt(material, seed, index), maxMs);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (problem !== null) return { tried: index + 1, kinds, finding: { index, problem } };
  }
  return { tried: index, kinds, finding: null };
}

parentPort?.postMessage(work(workerData as Assignment));
