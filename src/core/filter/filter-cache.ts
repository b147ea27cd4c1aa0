import { type Filter, type FilterResult, parseFilter } from "./filter.ts";

/** Remembers parsed filters, because applications send the same few over and over. */
export interface FilterCache {
  /** Number of filters held. */
  readonly size: number;
  /** Same answer as `parseFilter`; refused filters are not kept. */
  parse(text: string): FilterResult;
}

// Ours: a compiled filter was measured at 20 to 60 bytes per character, so this is some 15 MB at most; the number of
// filters alone would not bound memory.
const MAX_CACHED_CHARACTERS = 262_144;

/**
 * Creates a cache of at most `capacity` filters and 262,144 characters of filter text, whichever is reached first; the
 * least recently used filters leave. A capacity of 0 keeps nothing.
 */
export function createFilterCache(capacity: number): FilterCache {
  // A Map iterates in insertion order, and every hit inserts again: the first entry is the least recently used.
  const filters = new Map<string, Filter>();
  let characters = 0;

  function add(filter: Filter): void {
    filters.set(filter.text, filter);
    characters += filter.text.length;
    for (const text of filters.keys()) {
      if (filters.size <= capacity && characters <= MAX_CACHED_CHARACTERS) return;
      filters.delete(text);
      characters -= text.length;
    }
  }

  return {
    get size() {
      return filters.size;
    },
    parse(text) {
      const known = filters.get(text);
      if (known !== undefined) {
        filters.delete(text);
        filters.set(text, known);
        return { ok: true, filter: known };
      }
      const parsed = parseFilter(text);
      if (parsed.ok) add(parsed.filter);
      return parsed;
    },
  };
}
