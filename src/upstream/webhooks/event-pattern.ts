import { type GroupPattern, parseGroupPattern } from "../../core/pattern.ts";

/** A parsed `userEventPattern`. */
export interface EventPattern {
  /** Compares ignoring case; takes any event name. */
  matches(event: string): boolean;
}

/**
 * Parses `*` or a comma list of names; items are trimmed, empty ones match nothing. Returns what is wrong as text.
 *
 * There is no negation. Wildcards inside an item are a fault unless `globs` is on, which gives them the grammar of
 * wildcard group roles (event-handlers 2.3).
 * @spec E-5 E-6
 */
export function parseEventPattern(source: string, globs: boolean): EventPattern | string {
  const names = new Set<string>();
  const patterns: GroupPattern[] = [];
  let isAll = false;
  for (const raw of source.split(",")) {
    const item = raw.trim().toLowerCase();
    if (item === "") continue;
    if (item.includes("!")) return "must not contain !, patterns cannot be negated";
    if (item === "*") {
      isAll = true;
    } else if (!/[*?\\]/.test(item)) {
      names.add(item);
    } else if (globs) {
      const pattern = parseGroupPattern(item);
      if (pattern === null) return `has the invalid pattern ${JSON.stringify(item)}`;
      patterns.push(pattern);
    } else {
      return "must be * or plain event names separated by commas";
    }
  }
  return {
    matches(event) {
      if (isAll) return true;
      const name = event.toLowerCase();
      return names.has(name) || patterns.some((pattern) => pattern.matches(name));
    },
  };
}
