import { UnderWay } from "./under-way.ts";

/** A closed loop: a new work item follows when one has come back, so that the same number is always under way. */
export class ClosedLoop {
  readonly #step: () => void;
  readonly #underWay = new UnderWay();
  #isOn = false;

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
    this.#underWay.back();
    if (this.#isOn) this.#next();
  }

  /** Makes no new work; resolves when everything under way has come back. */
  stop(): Promise<void> {
    this.#isOn = false;
    return this.#underWay.settle();
  }

  #next(): void {
    this.#underWay.sent();
    this.#step();
  }
}
