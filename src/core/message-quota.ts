import type { Clock, Scheduler } from "./ports.ts";

const dayMs = 86_400_000;

export interface MessageQuotaOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Messages per day (UTC), each started 2 KiB of outbound traffic; 0: unlimited. Read at each use. */
  limit(): number;
  /** Called once per day at most, at the end of the turn in which the limit was passed. */
  exceeded(): void;
}

/** The daily quota of outbound messages (management 12). Counting is an addition; nothing is remembered over a restart. */
export class MessageQuota {
  readonly #options: MessageQuotaOptions;
  #day = -1;
  #used = 0;
  #isExceeded = false;

  constructor(options: MessageQuotaOptions) {
    this.#options = options;
  }

  count(messages: number): void {
    const limit = this.#options.limit();
    if (limit === 0) return;
    this.#turnOver();
    this.#used += messages;
    if (this.#isExceeded || this.#used <= limit) return;
    this.#isExceeded = true;
    // What follows closes connections, and this may be called while one of them is being written to.
    this.#options.scheduler.afterTurn(() => this.#options.exceeded());
  }

  /** Seconds until messages are allowed again; 0 while they are. */
  secondsToWait(): number {
    if (this.#options.limit() === 0) return 0;
    this.#turnOver();
    return this.#isExceeded ? Math.ceil((dayMs - (this.#options.clock.now() % dayMs)) / 1000) : 0;
  }

  #turnOver(): void {
    const day = Math.floor(this.#options.clock.now() / dayMs);
    if (day === this.#day) return;
    this.#day = day;
    this.#used = 0;
    this.#isExceeded = false;
  }
}
