import type { Scheduler } from "../../../src/core/ports.ts";
import type { FakeClock } from "./clock.ts";

/** Beyond, `setTimeout` does not wait at all. */
const longestTimerMs = 2_147_483_647;

interface Timer {
  due: number;
  readonly every: number | null;
  readonly callback: () => void;
}

/** Timers that follow a fake clock, and event-loop turns that end when a test says so. */
export class FakeScheduler implements Scheduler {
  readonly #clock: FakeClock;
  readonly #timers = new Set<Timer>();
  #turn: (() => void)[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** Timers that have not fired, been cancelled or ended. */
  get timerCount(): number {
    return this.#timers.size;
  }

  get hasTurn(): boolean {
    return this.#turn.length > 0;
  }

  afterTurn(callback: () => void): void {
    this.#turn.push(callback);
  }

  every(ms: number, callback: () => void): () => void {
    return this.#add({ due: this.#clock.now() + ms, every: ms, callback });
  }

  after(ms: number, callback: () => void): () => void {
    if (ms > longestTimerMs) throw new Error(`a real timer of ${ms} ms fires at once`);
    return this.#add({ due: this.#clock.now() + ms, every: null, callback });
  }

  /** Ends one turn; what its callbacks schedule belongs to the next. */
  endTurn(): void {
    const callbacks = this.#turn;
    this.#turn = [];
    for (const callback of callbacks) callback();
  }

  /** Ends turns until nothing waits for the end of one. */
  settle(): void {
    while (this.hasTurn) this.endTurn();
  }

  /** Moves the clock, firing timers in the order they are due and ending turns in between. */
  advance(ms: number): void {
    const end = this.#clock.now() + ms;
    for (;;) {
      this.settle();
      const next = [...this.#timers]
        .filter(({ due }) => due <= end)
        .sort((left, right) => left.due - right.due)
        .at(0);
      if (next === undefined) break;
      this.#clock.advance(Math.max(0, next.due - this.#clock.now()));
      if (next.every === null) this.#timers.delete(next);
      else next.due += next.every;
      next.callback();
    }
    this.#clock.advance(end - this.#clock.now());
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}
