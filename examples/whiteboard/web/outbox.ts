// What was drawn here and is not known to be stored. It survives a cut connection and a reload, and is sent again until the
// application has answered; ids made here keep the same shape from being stored twice.
import type { Answer } from "../messages.ts";
import { parseShape, type Shape } from "../shape.ts";

type Item =
  | { readonly event: "shape"; readonly data: Shape }
  | { readonly event: "undo"; readonly data: { readonly id: string } };

/** After the application could not take something. */
const retryMs = 2000;

export interface OutboxOptions {
  readonly board: string;
  /** Resolves when the application has answered; rejects when it is not known whether it got it. */
  readonly send: (event: string, data: object) => Promise<void>;
  readonly changed: () => void;
}

export class Outbox {
  readonly #key: string;
  readonly #options: OutboxOptions;
  #waiting: Item[];
  /** Stored under this number, which has not come back to this page yet. */
  #stored: { readonly shape: Shape; readonly number: number }[] = [];
  #isSending = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#key = `whiteboard.outbox.${options.board}`;
    this.#waiting = restore(this.#key);
  }

  get waiting(): readonly Item[] {
    return this.#waiting;
  }

  /** What has to be shown although the board does not have it yet. */
  shapes(): Shape[] {
    const undone = new Set(this.undone());
    const waiting = this.#waiting.flatMap((item) => (item.event === "shape" ? [item.data] : []));
    return [...this.#stored.map(({ shape }) => shape), ...waiting].filter(({ id }) => !undone.has(id));
  }

  undone(): string[] {
    return this.#waiting.flatMap((item) => (item.event === "undo" ? [item.data.id] : []));
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#changed();
    void this.flush();
  }

  /** Sends what waits, one after the other; called again when the connection is back. */
  async flush(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    clearTimeout(this.#retry);
    try {
      for (let item = this.#waiting[0]; item !== undefined; item = this.#waiting[0]) {
        await this.#options.send(item.event, item.data);
        // Its answer came before; where it did not, sending it for ever would not help.
        this.#drop(item);
      }
    } catch {
      // Not acknowledged: it stays, the page says so, and it is sent again.
      this.#retry = setTimeout(() => void this.flush(), retryMs);
    } finally {
      this.#isSending = false;
    }
  }

  answered(answer: Answer): void {
    const item = this.#waiting.find(({ event, data }) => event === answer.event && data.id === answer.id);
    if (item === undefined) return;
    if (answer.kind === "done" && item.event === "shape") {
      this.#stored.push({ shape: item.data, number: answer.number });
    }
    this.#drop(item);
  }

  /** The board has everything up to this number. */
  arrived(latest: number): void {
    this.#stored = this.#stored.filter(({ number }) => number > latest);
  }

  #drop(item: Item): void {
    this.#waiting = this.#waiting.filter((each) => each !== item);
    this.#changed();
  }

  #changed(): void {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#waiting));
    } catch {
      // Full or forbidden: then it survives a cut connection, but no reload.
    }
    this.#options.changed();
  }
}

function restore(key: string): Item[] {
  try {
    const items = JSON.parse(sessionStorage.getItem(key) ?? "[]") as Item[];
    return items.filter(({ event, data }) => event === "undo" || parseShape(data) !== null);
  } catch {
    return [];
  }
}
