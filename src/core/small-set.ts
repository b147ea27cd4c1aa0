const inlineSize = 8;

/**
 * A set that is nearly always tiny: the only item in a field, a few in one immutable array, a `Set` beyond that. A million
 * groups of one member then cost an object each instead of a hash table (H-60). Iteration may run while items come and go:
 * it sees the items of its start, or, for a large set, skips those removed meanwhile.
 */
export class SmallSet<T extends NonNullable<unknown>> {
  /** null: there is none, or there are several. */
  #only: T | null = null;
  /** null: there is at most one. An array has two at least; a `Set` stays one when it shrinks. */
  #several: readonly T[] | Set<T> | null = null;

  get size(): number {
    if (this.#several === null) return this.#only === null ? 0 : 1;
    return this.#several instanceof Set ? this.#several.size : this.#several.length;
  }

  has(item: T): boolean {
    if (this.#several === null) return this.#only === item;
    return this.#several instanceof Set ? this.#several.has(item) : this.#several.includes(item);
  }

  /** Returns false if it was there already. */
  add(item: T): boolean {
    if (this.has(item)) return false;
    const several = this.#several;
    if (several instanceof Set) {
      several.add(item);
    } else if (several !== null) {
      this.#several = several.length < inlineSize ? [...several, item] : new Set(several).add(item);
    } else if (this.#only === null) {
      this.#only = item;
    } else {
      this.#several = [this.#only, item];
      this.#only = null;
    }
    return true;
  }

  /** Returns false if it was not there. */
  delete(item: T): boolean {
    if (!this.has(item)) return false;
    const several = this.#several;
    if (several === null) {
      this.#only = null;
    } else if (several instanceof Set) {
      several.delete(item);
    } else {
      const left = several.filter((other) => other !== item);
      this.#only = left.length === 1 ? (left[0] ?? null) : null;
      this.#several = left.length === 1 ? null : left;
    }
    return true;
  }

  values(): Iterable<T> {
    return this.#several ?? (this.#only === null ? [] : [this.#only]);
  }
}
