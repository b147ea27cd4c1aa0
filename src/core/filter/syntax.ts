import type { FunctionName } from "./functions.ts";

/** Properties of a connection a filter can name; written in any case, kept in this spelling. */
export const identifiers = ["userId", "connectionId", "groups", "protocol"] as const;

/** A property of a connection. */
export type Identifier = (typeof identifiers)[number];

/** Comparison operators. The ordering ones take integers only. */
export const comparisonOperators = ["eq", "ne", "gt", "ge", "lt", "le"] as const;

/** `eq`, `ne` or an ordering operator. */
export type ComparisonOperator = (typeof comparisonOperators)[number];

/**
 * A filter as a tree. Parentheses are not kept. A chain such as `a or b or c` is one node with three operands, so that
 * hundreds of clauses do not make a deep tree; `(a or b) or c` is two nodes.
 */
export type Expression =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "identifier"; readonly name: Identifier }
  | { readonly kind: "not"; readonly operand: Expression }
  | ChainExpression
  | ComparisonExpression
  /** `item in groups` */
  | { readonly kind: "membership"; readonly item: Expression; readonly collection: Expression }
  | OneOfExpression
  | CallExpression;

/** Two or more operands joined by the same operator. */
export interface ChainExpression {
  readonly kind: "and" | "or";
  readonly operands: readonly Expression[];
}

/** `left eq right`; comparisons do not chain. */
export interface ComparisonExpression {
  readonly kind: "comparison";
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `item in ('a', 'b')` */
export interface OneOfExpression {
  readonly kind: "oneOf";
  readonly item: Expression;
  readonly options: readonly Expression[];
}

/** `name(args)`; the parser has checked the number of arguments. */
export interface CallExpression {
  readonly kind: "call";
  readonly name: FunctionName;
  readonly args: readonly Expression[];
}

/** Why a filter is refused: `subject` is the offending text, `detail` a sentence about it. */
export interface FilterFault {
  readonly subject: string;
  readonly detail: string;
}
