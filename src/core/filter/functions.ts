import { toLowerInvariant, toUpperInvariant, trimWhiteSpace } from "./text.ts";
import type { TypeName, Value } from "./values.ts";

/** Types a place in an expression takes; the first one is named when another comes. */
export type AcceptedTypes = readonly [TypeName, ...(readonly TypeName[])];

/** How a function is called and what it computes. */
export interface FunctionRow {
  /** Accepted types of each parameter, in order. */
  readonly parameters: readonly AcceptedTypes[];
  /** Parameters beyond this number are optional. */
  readonly required: number;
  /** Every type a call can yield. */
  readonly yields: readonly TypeName[];
  /** Pure; gets arguments of accepted types only, null for an omitted one. */
  readonly apply: (first: Value, second: Value, third: Value) => Value;
}

const STRING = ["string", "null"] as const;
const MEASURABLE = ["string", "collection", "null"] as const;
const INT = ["int"] as const;

/**
 * The functions of the filter language. Comparison of texts is ordinal throughout, where the hosted service uses
 * culture rules for `startswith`, `endswith` and `indexof`: the specification asks for ordinal.
 * @spec R-98
 */
export const functions = {
  length: { parameters: [MEASURABLE], required: 1, yields: ["int", "null"], apply: lengthOf },
  tolower: mapping(toLowerInvariant),
  toupper: mapping(toUpperInvariant),
  trim: mapping(trimWhiteSpace),
  contains: predicate((text, part) => text.includes(part)),
  startswith: predicate((text, part) => text.startsWith(part)),
  endswith: predicate((text, part) => text.endsWith(part)),
  indexof: {
    parameters: [STRING, STRING],
    required: 2,
    yields: ["int"],
    apply: (text, part) => (typeof text === "string" && typeof part === "string" ? text.indexOf(part) : -1),
  },
  concat: {
    parameters: [STRING, STRING],
    required: 2,
    yields: ["string", "null"],
    apply: (head, tail) => (typeof head === "string" && typeof tail === "string" ? head + tail : (head ?? tail)),
  },
  substring: { parameters: [STRING, INT, INT], required: 2, yields: ["string", "null"], apply: substringOf },
} as const satisfies Record<string, FunctionRow>;

/** A function of the language. */
export type FunctionName = keyof typeof functions;

/** Whether a word names a function; names are lower case and case-sensitive. */
export function isFunctionName(word: string): word is FunctionName {
  return Object.hasOwn(functions, word);
}

function mapping(map: (text: string) => string): FunctionRow {
  return {
    parameters: [STRING],
    required: 1,
    yields: ["string", "null"],
    apply: (text) => (typeof text === "string" ? map(text) : null),
  };
}

function predicate(holds: (text: string, part: string) => boolean): FunctionRow {
  return {
    parameters: [STRING, STRING],
    required: 2,
    yields: ["bool"],
    apply: (text, part) => typeof text === "string" && typeof part === "string" && holds(text, part),
  };
}

function lengthOf(value: Value): Value {
  if (typeof value === "string") return value.length;
  return value !== null && typeof value === "object" ? value.size : null;
}

function substringOf(text: Value, start: Value, count: Value): Value {
  if (typeof text !== "string" || typeof start !== "number") return null;
  const end = typeof count === "number" ? start + count : text.length;
  return start >= 0 && start <= end && end <= text.length ? text.slice(start, end) : null;
}
