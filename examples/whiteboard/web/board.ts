// What is on the board, as far as this page knows. Messages and history may come in any order, twice, or not at all: only
// the next number is applied, and whoever sees a later one asks for the history.
import type { BoardMessage, History } from "../messages.ts";
import type { Shape } from "../shape.ts";

type NumberedMessage = Exclude<BoardMessage, { kind: "people" | "latest" }>;

interface Placed {
  readonly author: string;
  readonly shape: Shape;
}

export class Board {
  /** Everything up to this number has been applied. */
  latest = 0;
  /** Counts what cannot be painted by adding to the picture. */
  revision = 0;
  /** A map keeps the order of insertion, which is the order of the numbers. */
  readonly #shapes = new Map<string, Placed>();
  /** Messages whose turn has not come. */
  readonly #early = new Map<number, NumberedMessage>();
  /** Shapes that were undone here, while the application does not know yet. */
  readonly #hidden = new Set<string>();

  has(id: string): boolean {
    return this.#shapes.has(id);
  }

  /** In the order in which they are painted. */
  shapes(): Shape[] {
    return [...this.#shapes.values()].map(({ shape }) => shape).filter(({ id }) => !this.#hidden.has(id));
  }

  /** Id of the newest shape of somebody, among those that can be seen. */
  lastOf(author: string): string | null {
    const own = [...this.#shapes].filter(([id, placed]) => placed.author === author && !this.#hidden.has(id));
    return own.at(-1)?.[0] ?? null;
  }

  hide(id: string): void {
    this.#hidden.add(id);
    this.revision += 1;
  }

  show(id: string): void {
    this.#hidden.delete(id);
    this.revision += 1;
  }

  /**
   * Applies a message when it is the next one; one that came before is dropped. False when something is missing before it: it
   * is applied once the history has filled the gap.
   */
  take(message: NumberedMessage): boolean {
    this.#early.set(message.number, message);
    this.#applyInOrder();
    return this.latest >= message.number;
  }

  /** Takes the answer to a question for everything after `after`. */
  load(history: History, after: number): void {
    // Messages were faster. (A board with lower numbers than before is another one, and does count.)
    if (history.latest >= after && history.latest <= this.latest) return;
    if (history.reset) {
      this.#shapes.clear();
      this.revision += 1;
    }
    for (const { number, id, author, shape } of history.entries) {
      if (!history.reset && number <= this.latest) continue;
      if (shape === null) this.#remove(id);
      else this.#shapes.set(id, { author, shape });
    }
    this.latest = history.latest;
    this.#applyInOrder();
  }

  #applyInOrder(): void {
    for (let next = this.#early.get(this.latest + 1); next !== undefined; next = this.#early.get(this.latest + 1)) {
      this.#apply(next);
      this.latest = next.number;
    }
    for (const number of this.#early.keys()) if (number <= this.latest) this.#early.delete(number);
  }

  #apply(message: NumberedMessage): void {
    switch (message.kind) {
      case "shape":
        this.#shapes.set(message.shape.id, message);
        return;
      case "removed":
        this.#remove(message.id);
        return;
      case "cleared":
        this.#shapes.clear();
        this.#hidden.clear();
        this.revision += 1;
        return;
    }
  }

  #remove(id: string): void {
    this.#shapes.delete(id);
    this.#hidden.delete(id);
    this.revision += 1;
  }
}
