import type { Run } from "./load/job.ts";

/** A generator that needs this part of a core may have been the limit (docs/spec/performance.md section 4). */
const saturated = 0.95;
/** Timers have a grain of a millisecond; a generator that is later than this and makes up half of a delay is the delay. */
const graceMs = 2;

/** What says something about the server. */
export interface Judged<Item> {
  /** All of them when the generator was the limit in each. */
  readonly items: readonly Item[];
  readonly notes: readonly string[];
  readonly isGeneratorBound: boolean;
}

/** Throws away the items in one of whose runs the generator was the limit. */
export function judge<Item>(
  side: string,
  items: readonly Item[],
  runsOf: (item: Item) => readonly Run[],
): Judged<Item> {
  const good = items.filter((item) => !runsOf(item).some(isGeneratorBound));
  const isBound = good.length === 0;
  const thrownAway = items.length - good.length;
  const notes =
    thrownAway === 0
      ? []
      : [`${side}: generator-bound in ${thrownAway} of ${items.length} runs${isBound ? "" : ", thrown away"}`];
  return { items: isBound ? items : good, notes, isGeneratorBound: isBound };
}

/** The greatest part of a core that a generator needed. */
export function greatestLoad(runs: readonly Run[]): number {
  return Math.max(...runs.map(loadOf));
}

function isGeneratorBound(run: Run): boolean {
  const { latency } = run;
  const isLate = latency !== null && latency.lateP99Ms > Math.max(graceMs, latency.p99Ms / 2);
  return isLate || loadOf(run) >= saturated;
}

function loadOf({ generatorCpuMs, wallMs }: Run): number {
  return generatorCpuMs / wallMs;
}
