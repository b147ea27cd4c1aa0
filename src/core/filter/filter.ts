import { compileFilter, dummySubject, TypeMismatch } from "./compile.ts";
import { parseExpression } from "./parser.ts";
import type { FilterFault } from "./syntax.ts";
import type { FilterSubject } from "./values.ts";

/** A checked OData filter, ready to be asked about any number of connections. Immutable; may be shared and cached. */
export interface Filter {
  /** The filter as it was written. */
  readonly text: string;
  /**
   * Whether the filter selects a connection. Never throws. An expression whose types suit the dummy connection but not
   * this one, such as `tolower(userId) gt 5` for a user who has an id, selects nothing: the request was accepted and
   * other connections may match, so there is nobody left to tell.
   */
  matches(subject: FilterSubject): boolean;
}

/** `message` is the whole text of the 400 answer, `Invalid syntax for '<text>': <detail> (Parameter 'filter')`. */
export type FilterResult =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly message: string };

/**
 * Parses a filter, checks its types once against a dummy connection (anonymous, in no group, no protocol) and compiles
 * it. A filter that is wrong only for anonymous users is therefore refused for everybody.
 *
 * Never throws. The empty text is a syntax error: callers treat an absent, null or empty filter as "all" beforehand.
 * Limits: 100 levels of nesting, 16,384 characters; the number of clauses is free.
 * @spec R-97 R-98 R-99 R-100
 */
export function parseFilter(text: string): FilterResult {
  const parsed = parseExpression(text);
  if (!parsed.ok) return refusal(parsed.fault);
  const evaluate = compileFilter(parsed.expression);
  const verdict = evaluate(dummySubject);
  if (verdict instanceof TypeMismatch) return refusal(verdict.describe());
  return { ok: true, filter: { text, matches: (subject) => evaluate(subject) === true } };
}

function refusal({ subject, detail }: FilterFault): FilterResult {
  return { ok: false, message: `Invalid syntax for '${subject}': ${detail} (Parameter 'filter')` };
}
