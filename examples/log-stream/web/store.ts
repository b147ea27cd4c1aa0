// The lines a page keeps, and those of them that the filters let through.
import { type Level, levels, type NumberedLine } from "../log/lines.ts";

/** A line, or a remark of the page between the lines. */
export type Entry = { readonly id: number } & (
  | { readonly kind: "line"; readonly line: NumberedLine }
  | { readonly kind: "note"; readonly text: string; readonly isBad: boolean }
);

export interface Filter {
  readonly levels: ReadonlySet<Level>;
  /** Empty: all of them. */
  readonly source: string;
  /** What a line must contain, whatever its case. */
  readonly search: string;
}

const maxEntries = 10_000;
const maxSources = 50;

export class Store {
  #entries: Entry[] = [];
  #shown: Entry[] = [];
  #filter: Filter = { levels: new Set(levels), source: "", search: "" };
  #nextId = 1;
  readonly sources = new Set<string>();
  readonly counts: Record<Level, number> = { debug: 0, info: 0, warn: 0, error: 0 };
  /** Lines that came, those that are no longer kept included. */
  received = 0;

  get filter(): Filter {
    return this.#filter;
  }

  get shown(): readonly Entry[] {
    return this.#shown;
  }

  get kept(): number {
    return levels.reduce((sum, level) => sum + this.counts[level], 0);
  }

  setFilter(change: Partial<Filter>): void {
    this.#filter = { ...this.#filter, ...change };
    this.#shown = this.#entries.filter((entry) => this.#passes(entry));
  }

  /** The newest entry, 0 while there is none. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  /** Returns how many entries went from the start of what is shown, to make room. */
  note(text: string, isBad = false): number {
    return this.#add([{ id: this.#nextId++, kind: "note", text, isBad }]);
  }

  /** As `note`. */
  add(lines: readonly NumberedLine[]): number {
    for (const { source, level } of lines) {
      if (this.sources.size < maxSources) this.sources.add(source);
      this.counts[level] += 1;
    }
    this.received += lines.length;
    return this.#add(lines.map((line) => ({ id: this.#nextId++, kind: "line", line })));
  }

  #add(entries: readonly Entry[]): number {
    this.#entries.push(...entries);
    this.#shown.push(...entries.filter((entry) => this.#passes(entry)));
    for (const entry of this.#entries.splice(0, this.#entries.length - maxEntries)) {
      if (entry.kind === "line") this.counts[entry.line.level] -= 1;
    }
    const oldest = this.#entries[0]?.id ?? 0;
    const firstKept = this.#shown.findIndex(({ id }) => id >= oldest);
    return this.#shown.splice(0, firstKept === -1 ? this.#shown.length : firstKept).length;
  }

  #passes(entry: Entry): boolean {
    const { source, search, levels: wanted } = this.#filter;
    if (entry.kind === "note") return true;
    const { line } = entry;
    if (!wanted.has(line.level) || (source !== "" && line.source !== source)) return false;
    return search === "" || matchesOf(line.text, search).length > 0;
  }
}

/** Where `search` occurs in `text`, as start and end; case does not matter. */
export function matchesOf(text: string, search: string): readonly (readonly [start: number, end: number])[] {
  const pattern = new RegExp(search.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&"), "giu");
  return [...text.matchAll(pattern)].map((match) => [match.index, match.index + match[0].length]);
}
