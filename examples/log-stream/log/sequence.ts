import type { Batch, NumberedLine } from "./lines.ts";

const maxStreams = 100;

/** What is new in a batch. */
export interface Progress {
  readonly lines: readonly NumberedLine[];
  /** The number this viewer joined the stream at, when this is the first of it. */
  readonly joinedAt: number | null;
  /** Lines that never came. */
  readonly missing: { readonly from: number; readonly to: number } | null;
}

/** Proves that nothing is missing: knows which line of each publisher must come next. */
export class Sequence {
  readonly #next = new Map<string, number>();

  accept({ stream, first, lines }: Batch): Progress {
    const expected = this.#next.get(stream);
    const from = expected ?? first;
    // A publisher that lost its connection for good repeats what it is not sure of.
    const fresh = lines.map((line, at) => ({ ...line, number: first + at })).filter(({ number }) => number >= from);
    if (fresh.length > 0) this.#remember(stream, first + lines.length);
    return {
      lines: fresh,
      joinedAt: expected === undefined ? first : null,
      missing: first > from ? { from, to: first - 1 } : null,
    };
  }

  /** Publishers come and go; those not heard of for longest are forgotten. */
  #remember(stream: string, next: number): void {
    this.#next.delete(stream);
    this.#next.set(stream, next);
    const [oldest] = this.#next.keys();
    if (this.#next.size > maxStreams && oldest !== undefined) this.#next.delete(oldest);
  }
}
