import type { AckId } from "./names.ts";

/** Digits at the end of an id that a number holds exactly, even with one added. */
const exactDigits = 15;

/**
 * The ack ids of a connection's successful requests; the oldest is forgotten beyond the capacity (C-33, C-35). Clients
 * count, so they are kept as runs of ids that follow one another and came in this order: nearly always a single one, where
 * a set of 1,000 strings costs 100 KB and, with many connections, 1 µs of cache misses per request. A client that does not
 * count makes `has` linear in the capacity: about 4 µs for 1,000.
 */
export class AckMemory {
  // Run by run, oldest first; the arrays beside one another, because looking through objects took several times as long.
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  /** The digits in front of those numbers, the same in all of a run. */
  readonly #heads: string[] = [];
  #size = 0;

  has(id: AckId): boolean {
    const tail = tailOf(id);
    const firsts = this.#firsts;
    const lasts = this.#lasts;
    for (let run = 0; run < firsts.length; run++) {
      // Whether it lies between both, as one comparison: of random ids, the processor foresees neither of two.
      const isWithin = (tail - (firsts[run] ?? 0)) * ((lasts[run] ?? 0) - tail) >= 0;
      if (isWithin && headOf(id) === this.#heads[run]) return true;
    }
    return false;
  }

  /** `id`: not remembered yet. */
  remember(id: AckId, capacity: number): void {
    const tail = tailOf(id);
    const head = headOf(id);
    const newest = this.#firsts.length - 1;
    if (tail - 1 === this.#lasts[newest] && head === this.#heads[newest]) {
      this.#lasts[newest] = tail;
    } else {
      this.#firsts.push(tail);
      this.#lasts.push(tail);
      this.#heads.push(head);
    }
    this.#size += 1;
    while (this.#size > capacity) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [first] = this.#firsts;
    if (first === undefined) return;
    this.#size -= 1;
    if (first === this.#lasts[0]) for (const ends of [this.#firsts, this.#lasts, this.#heads]) ends.shift();
    else this.#firsts[0] = first + 1;
  }
}

function headOf(id: AckId): string {
  return id.length <= exactDigits ? "" : id.slice(0, -exactDigits);
}

function tailOf(id: AckId): number {
  return Number(id.slice(-exactDigits));
}
