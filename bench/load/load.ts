import type { LatencyLog } from "./latency-log.ts";

/** Load that a generator makes. */
export interface Load {
  /** What the scenario counts, since the start. */
  readonly count: number;
  /** Where its delays are written down; absent: it only counts. */
  readonly latencies?: LatencyLog;
  /** Starts making work, as a closed loop. */
  resume(): Promise<void>;
  /** Starts making work, this many items per second whatever comes back; absent: it knows no open loop. */
  resumeAt?(perSecond: number): void;
  /** Makes no new work; resolves when everything under way has come back. */
  pause(): Promise<void>;
}
