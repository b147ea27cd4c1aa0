const inlineSize = 8;

/**
 * A set that is nearly always tiny: a few items in one immutable array, a `Set` beyond that. A million groups of one
 * member then cost an array each instead of a hash table (H-60). Iteration may run while items come and go: it sees
 * the items of its start, or, for a large set, skips those removed meanwhile.
 */
export class SmallSet<T> {
  #items: readonly T[] | Set<T> = [];

  get size(): number {
    return this.#items instanceof Set ? this.#items.size : this.#items.length;
  }

  has(item: T): boolean {
    return this.#items instanceof Set ? this.#items.has(item) : this.#items.includes(item);
  }

  /** Returns false if it was there already. */
  add(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) {
      const before = items.size;
      return items.add(item).size > before;
    }
    if (items.includes(item)) return false;
    this.#items = items.length < inlineSize ? [...items, item] : new Set(items).add(item);
    return true;
  }

  /** Returns false if it was not there. */
  delete(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) return items.delete(item);
    if (!items.includes(item)) return false;
    this.#items = items.filter((other) => other !== item);
    return true;
  }

  values(): Iterable<T> {
    return this.#items;
  }
}
