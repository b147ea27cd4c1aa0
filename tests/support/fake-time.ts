import type { Clock, Scheduler } from "../../src/core/ports.ts";
import { defaultDeadlineMs, inTime } from "./inbox.ts";

interface Timer {
  readonly at: number;
  readonly ms: number;
  readonly callback: () => void;
}

/** A clock that stands still, and timers that fire only when the test lets time pass. */
export class FakeTime implements Clock, Scheduler {
  #now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  readonly #timers = new Set<Timer>();
  readonly #waiters = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }

  every(ms: number, callback: () => void): () => void {
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel = this.after(ms, () => {
        arm();
        callback();
      });
    };
    arm();
    return () => cancel();
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, ms, callback };
    this.#timers.add(timer);
    for (const wake of this.#waiters) wake();
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }

  /** Waits until a timer is running that fires in exactly `ms`, at most `withinMs` of real time, and lets it fire. */
  async elapse(ms: number, withinMs = defaultDeadlineMs): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      const timer = [...this.#timers].find(({ at }) => at - this.#now === ms);
      if (timer !== undefined) resolve();
    };
    this.#waiters.add(look);
    look();
    try {
      await inTime(promise, `timer in ${ms} ms`, withinMs);
      this.advance(ms);
    } finally {
      this.#waiters.delete(look);
    }
  }

  /** Lengths of the timers that run. */
  get running(): readonly number[] {
    return [...this.#timers].map(({ ms }) => ms);
  }
}
