/**
 * One token. `end` is the offset behind its last character. A `symbol` is a character of its own or, as the last token
 * before the end, a string whose closing quote is missing; `end` has an empty text.
 */
export interface Token {
  readonly kind: "word" | "number" | "string" | "symbol" | "end";
  readonly text: string;
  readonly end: number;
}

// A number takes everything glued to it, so that decimals, dates and suffixes such as `5L` are one unsupported token.
// The look-ahead behind a string keeps `'it''s` from being read as the string `'it'` and a rest.
const TOKEN =
  /(?<space>\p{White_Space}+)|(?<word>[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\p{Pc}\p{Cf}]*)|(?<number>[+-]?\d[\w.:+-]*)|(?<string>'[^']*(?:''[^']*)*'(?!'))|(?<symbol>'[^]*|[^])/gu;

/** Splits a filter into tokens, the last being `end`. Takes any text, never fails, in time linear in its length. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const kind = kindOf(match.groups ?? {});
    if (kind !== "space") tokens.push({ kind, text: match[0], end: match.index + match[0].length });
  }
  tokens.push({ kind: "end", text: "", end: text.length });
  return tokens;
}

function kindOf({ space, word, number, string }: Record<string, string | undefined>): Token["kind"] | "space" {
  if (space !== undefined) return "space";
  if (word !== undefined) return "word";
  if (number !== undefined) return "number";
  return string === undefined ? "symbol" : "string";
}
