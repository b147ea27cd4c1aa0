import type { LatencyLog } from "./latency-log.ts";
import { UnderWay } from "./under-way.ts";

/**
 * An open loop: work items at a fixed pace, whatever comes back. Each has a moment at which it is due, and delays count
 * from there: whoever stalls, server or generator, is not spared what was due meanwhile (coordinated omission).
 */
export class OpenLoop {
  readonly #step: (dueAt: number) => void;
  readonly #latencies: LatencyLog;
  readonly #underWay = new UnderWay();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #intervalMs = 0;
  #dueAt = 0;

  /** `step` makes one new work item; how late it was made is written down. */
  constructor(latencies: LatencyLog, step: (dueAt: number) => void) {
    this.#step = step;
    this.#latencies = latencies;
  }

  start(perSecond: number): void {
    this.#intervalMs = 1000 / perSecond;
    this.#dueAt = performance.now();
    this.#tick();
  }

  /** A work item has come back. */
  done(): void {
    this.#underWay.back();
  }

  /** Makes what is due, then nothing new; resolves when everything under way has come back. */
  stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#makeDue();
    return this.#underWay.settle();
  }

  #tick(): void {
    this.#makeDue();
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#dueAt - performance.now()));
  }

  #makeDue(): void {
    for (let now = performance.now(); this.#dueAt <= now; now = performance.now()) {
      this.#underWay.sent();
      this.#latencies.sent(this.#dueAt, now);
      this.#step(this.#dueAt);
      this.#dueAt += this.#intervalMs;
    }
  }
}
