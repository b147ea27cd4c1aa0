import type { LatencyLog } from "./latency-log.ts";

/** Load that a generator makes. */
export interface Load {
  /** What the scenario counts, since the start. */
  readonly count: number;
  /** Where its delays are written down; absent: it counts only, and knows no open loop. */
  readonly latencies?: LatencyLog;
  /** Starts making work: this many items per second whatever comes back, or, null, as its closed loop does. */
  resume(perSecond: number | null): Promise<void>;
  /** Makes no new work; resolves when everything under way has come back. */
  pause(): Promise<void>;
}
