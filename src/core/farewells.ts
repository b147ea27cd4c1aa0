/**
 * What others have to be told of connections that ended: only when all that end together are out of sight, and one after the
 * other. Telling may end the next connection, whose queue is full; told from within, a thousand of them would be a thousand
 * calls deep, each with everybody still there to be told in vain.
 */
export class Farewells {
  #due: (() => void)[] = [];
  #isUnderWay = false;

  /** Tells, or has it told at the end of the change that is under way. */
  add(tell: () => void): void {
    this.#due.push(tell);
    this.after(nothing);
  }

  /** Makes a change that may end connections, then tells of all of them. */
  after(change: () => void): void {
    if (this.#isUnderWay) {
      change();
      return;
    }
    this.#isUnderWay = true;
    try {
      change();
      while (this.#due.length > 0) {
        const due = this.#due;
        this.#due = [];
        for (const tell of due) tell();
      }
    } finally {
      this.#isUnderWay = false;
    }
  }
}

function nothing(): void {}
