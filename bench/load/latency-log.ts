import type { Latency } from "./job.ts";

/** Delays of one run, counted from the moment at which something was due. */
export class LatencyLog {
  #from = Number.POSITIVE_INFINITY;
  #delays: number[] = [];
  #lateness: number[] = [];

  /** Begins a run: what was due before this moment does not count, what is due later does, whenever it arrives. */
  start(from: number): void {
    this.#from = from;
    this.#delays = [];
    this.#lateness = [];
  }

  /** The generator has sent what was due. */
  sent(dueAt: number, at: number): void {
    if (dueAt >= this.#from) this.#lateness.push(at - dueAt);
  }

  /** What was due has come back. */
  received(dueAt: number, at: number): void {
    if (dueAt >= this.#from) this.#delays.push(at - dueAt);
  }

  /** Sums up the run; null when nothing came back in it. */
  summary(): Latency | null {
    const delays = this.#delays.toSorted((a, b) => a - b);
    if (delays.length === 0) return null;
    const lateness = this.#lateness.toSorted((a, b) => a - b);
    return {
      samples: delays.length,
      p50Ms: percentile(delays, 50),
      p99Ms: percentile(delays, 99),
      maxMs: percentile(delays, 100),
      lateP99Ms: percentile(lateness, 99),
    };
  }
}

/** The least value that is not below this percentage of all (nearest rank); 0 of nothing. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0;
}
