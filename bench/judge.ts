import type { Run } from "./load/job.ts";

/** A generator that needs this part of a core may have been the limit (docs/spec/performance.md section 4). */
const saturated = 0.95;
/** Timers have a grain of a millisecond; a generator that is later than this and makes up half of a delay is the delay. */
const graceMs = 2;

/** The runs that say something about the server. */
export interface Judged {
  /** All of them when the generator was the limit in each. */
  readonly runs: readonly Run[];
  readonly notes: readonly string[];
  readonly isGeneratorBound: boolean;
}

/** Throws away the runs in which the generator was the limit. */
export function judge(side: string, runs: readonly Run[]): Judged {
  const good = runs.filter((run) => loadOf(run) < saturated && !isLate(run));
  const isGeneratorBound = good.length === 0;
  const thrownAway = runs.length - good.length;
  const notes =
    thrownAway === 0
      ? []
      : [`${side}: generator-bound in ${thrownAway} of ${runs.length} runs${isGeneratorBound ? "" : ", thrown away"}`];
  return { runs: isGeneratorBound ? runs : good, notes, isGeneratorBound };
}

/** The part of a core that the generator needed. */
export function loadOf({ generatorCpuMs, wallMs }: Run): number {
  return generatorCpuMs / wallMs;
}

function isLate({ latency }: Run): boolean {
  return latency !== null && latency.lateP99Ms > Math.max(graceMs, latency.p99Ms / 2);
}
