/** A closed loop in a generator: makes work while it is on, and counts what came back. */
export interface Load {
  /** What the scenario counts, since the start. */
  readonly count: number;
  /** Starts making work. */
  resume(): Promise<void>;
  /** Makes no new work; resolves when everything under way has come back. */
  pause(): Promise<void>;
}

/** The on/off switch of a closed loop; counts the work items under way, so that it can tell when all have come back. */
export class ClosedLoop {
  readonly #step: () => void;
  #isOn = false;
  #idle: (() => void) | null = null;
  #busy = 0;

  /** `step` makes one new work item. */
  constructor(step: () => void) {
    this.#step = step;
  }

  /** Switches on with this many work items under way. */
  start(items: number): void {
    this.#isOn = true;
    for (let item = 0; item < items; item++) this.#next();
  }

  /** A work item has come back; the next one follows unless the loop is off. */
  done(): void {
    this.#busy -= 1;
    if (this.#isOn) this.#next();
    else if (this.#busy === 0) this.#idle?.();
  }

  stop(): Promise<void> {
    this.#isOn = false;
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #next(): void {
    this.#busy += 1;
    this.#step();
  }
}
