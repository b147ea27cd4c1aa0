import type { HubName } from "./names.ts";

interface Place<Item> {
  readonly hub: HubName;
  readonly name: string;
  readonly item: Item;
}

/** What a collector was offered: the page, the number of all, and whether some belong behind the page. */
export interface Collected<Item> {
  readonly items: readonly Place<Item>[];
  readonly total: number;
  readonly hasMore: boolean;
}

/**
 * Picks one page, in the order of hub and name, out of items that come in any order, and holds no more than that: sorting
 * everything for each page would hold up everybody (H-61). An item that is offered twice is in the page once.
 */
export class PageCollector<Item> {
  readonly #limit: number;
  readonly #after: { readonly hub: string; readonly name: string } | null;
  readonly #page: Place<Item>[] = [];
  #total = 0;

  constructor(top: number, after: { readonly hub: string; readonly name: string } | null) {
    // One more than the page holds tells whether there is a next page.
    this.#limit = top + 1;
    this.#after = after;
  }

  offer(hub: HubName, name: string, item: Item): void {
    this.#total += 1;
    const after = this.#after;
    if (after !== null && !isBehind(hub, name, after)) return;
    const page = this.#page;
    const last = page[page.length - 1];
    if (page.length === this.#limit && last !== undefined && !isBehind(last.hub, last.name, { hub, name })) return;
    const at = placeOf(page, hub, name);
    const there = page[at];
    if (there?.name === name && there.hub === hub) {
      page[at] = { hub, name, item };
      this.#total -= 1;
      return;
    }
    page.splice(at, 0, { hub, name, item });
    if (page.length > this.#limit) page.pop();
  }

  result(): Collected<Item> {
    const items = this.#page.slice(0, this.#limit - 1);
    return { items, total: this.#total, hasMore: this.#page.length === this.#limit };
  }
}

/** Whether a name of a hub comes after another. */
function isBehind(hub: string, name: string, other: { readonly hub: string; readonly name: string }): boolean {
  return hub === other.hub ? name > other.name : hub > other.hub;
}

/** The first place that is not before this name. */
function placeOf<Item>(page: readonly Place<Item>[], hub: string, name: string): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = page[middle];
    if (there !== undefined && isBehind(hub, name, there)) low = middle + 1;
    else high = middle;
  }
  return low;
}
