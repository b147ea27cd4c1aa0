/** One group-name pattern of a `…Groups.<pattern>` role (client-protocols 4.1). */
export interface GroupPattern {
  /** The whole name must match; linear in name length times pattern length. */
  matches(name: string): boolean;
  /** The pattern as text; put together when asked for, and not kept (P10). */
  readonly source: string;
}

const maxPatternLength = 1024;
const maxStars = 5;
const maxWildcards = 5;

/** What stands between two literal runs: nothing more, one non-dot character, or a run of non-dot or of any characters. */
type Token =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "segment" }
  | { readonly kind: "any" };

/**
 * Parses a pattern: `?` is one character except a dot, `*` any number of them, `**` any number of any characters, and
 * `\` escapes `*`, `?` and `\`. Returns null for an invalid one: empty, over 1024 characters, over 5 stars or 5
 * wildcards, or a `\` before anything else (C-40, C-41).
 */
export function parseGroupPattern(source: string): GroupPattern | null {
  if (source.length === 0 || source.length > maxPatternLength) return null;
  const tokens: Token[] = [];
  let literal = "";
  let stars = 0;
  let wildcards = 0;
  const wildcard = (token: Token): void => {
    if (literal !== "") tokens.push({ kind: "literal", text: literal });
    literal = "";
    tokens.push(token);
    wildcards += 1;
  };
  for (let index = 0; index < source.length; index++) {
    const char = source.charAt(index);
    if (char === "\\") {
      index += 1;
      const escaped = source.charAt(index);
      if (escaped !== "*" && escaped !== "?" && escaped !== "\\") return null;
      literal += escaped;
    } else if (char === "?") {
      wildcard({ kind: "one" });
    } else if (char === "*") {
      let run = 1;
      while (source.charAt(index + run) === "*") run += 1;
      stars += run;
      index += run - 1;
      wildcard({ kind: run === 1 ? "segment" : "any" });
    } else {
      literal += char;
    }
  }
  if (stars > maxStars || wildcards > maxWildcards) return null;
  if (literal !== "") tokens.push({ kind: "literal", text: literal });
  return new TokenPattern(tokens);
}

class TokenPattern implements GroupPattern {
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  matches(name: string): boolean {
    return matchTokens(this.#tokens, name);
  }

  get source(): string {
    return this.#tokens.map(sourceOf).join("");
  }
}

function sourceOf(token: Token): string {
  switch (token.kind) {
    case "literal":
      return token.text.replace(/[*?\\]/g, "\\$&");
    case "one":
      return "?";
    case "segment":
      return "*";
    case "any":
      return "**";
  }
}

/** Follows all positions the tokens can have reached at once, so that no pattern can make it backtrack. */
function matchTokens(tokens: readonly Token[], name: string): boolean {
  let reached: number[] = [0];
  for (const token of tokens) {
    reached = step(token, name, reached);
    if (reached.length === 0) return false;
  }
  return reached[reached.length - 1] === name.length;
}

/** Positions reachable from the ascending `from` through one token, ascending and distinct. */
function step(token: Token, name: string, from: readonly number[]): number[] {
  const next: number[] = [];
  switch (token.kind) {
    case "literal":
      for (const at of from) if (name.startsWith(token.text, at)) next.push(at + token.text.length);
      return next;
    case "one":
      for (const at of from) if (at < name.length && name.charAt(at) !== ".") next.push(at + 1);
      return next;
    case "any":
      for (let at = from[0] ?? 0; at <= name.length; at++) next.push(at);
      return next;
    case "segment": {
      let covered = -1;
      for (const start of from) {
        if (start <= covered) continue; // an earlier run holds it, and ends at the same dot
        for (let at = start; at <= name.length; at++) {
          next.push(at);
          covered = at;
          if (name.charAt(at) === ".") break;
        }
      }
      return next;
    }
  }
}
