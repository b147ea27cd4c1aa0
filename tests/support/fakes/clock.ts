import type { Clock } from "../../../src/core/ports.ts";

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now = 1_795_226_000_000;

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
