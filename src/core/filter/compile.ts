import { type AcceptedTypes, type FunctionRow, functions } from "./functions.ts";
import { printExpression } from "./printer.ts";
import type {
  CallExpression,
  ChainExpression,
  ComparisonExpression,
  Expression,
  FilterFault,
  Identifier,
  OneOfExpression,
} from "./syntax.ts";
import { equals, type FilterSubject, type TypeName, typeName, type Value } from "./values.ts";

/** A value of the wrong type met while evaluating; it takes the place of the result of the whole filter. */
export class TypeMismatch {
  readonly #context: () => Expression;
  readonly #actual: TypeName;
  readonly #expected: TypeName;

  constructor(context: () => Expression, types: { readonly actual: TypeName; readonly expected: TypeName }) {
    this.#context = context;
    this.#actual = types.actual;
    this.#expected = types.expected;
  }

  /** Printed on demand only: most mismatches are met per connection and reported to nobody. */
  describe(): FilterFault {
    return {
      subject: printExpression(this.#context()),
      detail: `Type '${this.#actual}', expect '${this.#expected}'.`,
    };
  }
}

/** A compiled expression; never throws. */
export type Evaluate = (subject: FilterSubject) => Value | TypeMismatch;

/** The connection a filter is checked against before use; `substring` yields "" for it. */
export const dummySubject: FilterSubject = {
  connectionId: "",
  userId: null,
  protocol: null,
  groups: { has: () => false, size: 0 },
};

type EvaluateSafely = (subject: FilterSubject) => Value;

/**
 * A compiled part of an expression. It is safe when no subject whatever can make it yield a TypeMismatch; only then may an
 * operator around it skip checks and stop at the first operand that decides.
 */
type Compiled = { readonly yields: readonly TypeName[] } & (
  | { readonly isSafe: true; readonly evaluate: EvaluateSafely }
  | { readonly isSafe: false; readonly evaluate: Evaluate }
);

interface Expectation {
  readonly accepted: AcceptedTypes;
  /** The expression the message shows; made on demand, because a long chain has a different one per operand. */
  readonly context: () => Expression;
}

const BOOL = ["bool"] as const;
const INT_OR_NULL = ["int", "null"] as const;
const COLLECTION = ["collection"] as const;

/**
 * Turns a tree into one function that yields a bool, or the mismatch that keeps it from doing so. Evaluation is pure
 * and behaves as if both sides of `and` and `or` were always evaluated.
 * @spec R-98 R-99
 */
export function compileFilter(expression: Expression): Evaluate {
  return operand(expression, { accepted: BOOL, context: () => expression }).evaluate;
}

function compile(expression: Expression): Compiled {
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      return { isSafe: true, yields: [typeName(value)], evaluate: () => value };
    }
    case "identifier":
      return compileIdentifier(expression.name);
    case "not": {
      const inner = operand(expression.operand, { accepted: BOOL, context: () => expression });
      return apply([inner], { yields: BOOL, apply: (value) => value === false });
    }
    case "and":
    case "or":
      return compileChain(expression);
    case "comparison":
      return compileComparison(expression);
    case "membership": {
      const collection = operand(expression.collection, { accepted: COLLECTION, context: () => expression });
      return apply([compile(expression.item), collection], { yields: BOOL, apply: isMember });
    }
    case "oneOf":
      return compileOneOf(expression);
    case "call":
      return compileCall(expression);
  }
}

function compileIdentifier(name: Identifier): Compiled {
  switch (name) {
    case "userId":
      return { isSafe: true, yields: ["string"], evaluate: (subject) => subject.userId };
    case "connectionId":
      return { isSafe: true, yields: ["string"], evaluate: (subject) => subject.connectionId };
    case "protocol":
      return { isSafe: true, yields: ["string"], evaluate: (subject) => subject.protocol };
    case "groups":
      return { isSafe: true, yields: COLLECTION, evaluate: (subject) => subject.groups };
  }
}

/** Compiles an operand and, unless every type it can yield is accepted, wraps it in a check of each value. */
function operand(expression: Expression, { accepted, context }: Expectation): Compiled {
  const inner = compile(expression);
  if (inner.yields.every((type) => accepted.includes(type))) return inner;
  return {
    isSafe: false,
    yields: inner.yields,
    evaluate: (subject) => {
      const value = inner.evaluate(subject);
      if (value instanceof TypeMismatch) return value;
      // The user id of an anonymous connection is a string without a value, not a null.
      const actual = expression.kind === "identifier" && value === null ? "string" : typeName(value);
      return accepted.includes(actual) ? value : new TypeMismatch(context, { actual, expected: accepted[0] });
    },
  };
}

/** How an operator works: lazily on operands that cannot fail, or on the values of all of them. */
interface Operation {
  readonly yields: readonly TypeName[];
  readonly lazily: (operands: readonly EvaluateSafely[]) => EvaluateSafely;
  readonly onValues: (values: readonly Value[]) => Value;
}

/** Joins operands; the first mismatch among them is the result. */
function combine(operands: readonly Compiled[], { yields, lazily, onValues }: Operation): Compiled {
  const safe = operands.flatMap((each) => (each.isSafe ? [each.evaluate] : []));
  if (safe.length === operands.length) return { isSafe: true, yields, evaluate: lazily(safe) };
  const evaluations = operands.map((each) => each.evaluate);
  return {
    isSafe: false,
    yields,
    evaluate: (subject) => {
      const values: Value[] = [];
      for (const evaluate of evaluations) {
        const value = evaluate(subject);
        if (value instanceof TypeMismatch) return value;
        values.push(value);
      }
      return onValues(values);
    },
  };
}

/** Applies a function of one to three parameters to as many operands. */
function apply(operands: readonly Compiled[], row: Pick<FunctionRow, "apply" | "yields">): Compiled {
  const compute = row.apply;
  return combine(operands, {
    yields: row.yields,
    // One closure per number of operands: this runs for every recipient of a filtered publication.
    lazily: ([a = constantNull, b, c]) => {
      if (b === undefined) return (subject) => compute(a(subject), null, null);
      if (c === undefined) return (subject) => compute(a(subject), b(subject), null);
      return (subject) => compute(a(subject), b(subject), c(subject));
    },
    onValues: ([a = null, b = null, c = null]) => compute(a, b, c),
  });
}

function constantNull(): Value {
  return null;
}

function compileChain({ kind, operands }: ChainExpression): Compiled {
  const decisive = kind === "or";
  const compiled = operands.map((each, index) => {
    // A chain groups to the left: the message shows the failing operand with all that stands before it.
    const context = (): Expression => ({ kind, operands: operands.slice(0, Math.max(2, index + 1)) });
    return operand(each, { accepted: BOOL, context });
  });
  return combine(compiled, {
    yields: BOOL,
    lazily: (evaluations) => (subject) => {
      for (const evaluate of evaluations) if (evaluate(subject) === decisive) return decisive;
      return !decisive;
    },
    onValues: (values) => values.includes(decisive) === decisive,
  });
}

function compileComparison(expression: ComparisonExpression): Compiled {
  const { operator, left, right } = expression;
  if (operator === "eq") return apply([compile(left), compile(right)], { yields: BOOL, apply: equals });
  if (operator === "ne") return apply([compile(left), compile(right)], { yields: BOOL, apply: differs });
  const expectation = { accepted: INT_OR_NULL, context: () => expression };
  const holds = orderings[operator];
  return apply([operand(left, expectation), operand(right, expectation)], {
    yields: BOOL,
    apply: (a, b) => typeof a === "number" && typeof b === "number" && holds(a, b),
  });
}

const orderings = {
  gt: (left: number, right: number) => left > right,
  ge: (left: number, right: number) => left >= right,
  lt: (left: number, right: number) => left < right,
  le: (left: number, right: number) => left <= right,
} as const;

function differs(left: Value, right: Value): boolean {
  return !equals(left, right);
}

function isMember(item: Value, collection: Value): boolean {
  return typeof item === "string" && collection !== null && typeof collection === "object" && collection.has(item);
}

function compileOneOf({ item, options }: OneOfExpression): Compiled {
  // Literals, the usual case, cost one look-up however many they are.
  const literals = new Set<Value>(options.flatMap((each) => (each.kind === "literal" ? [each.value] : [])));
  const computed = options.filter((each) => each.kind !== "literal").map(compile);
  return combine([compile(item), ...computed], {
    yields: BOOL,
    lazily:
      ([evaluateItem = constantNull, ...others]) =>
      (subject) => {
        const value = evaluateItem(subject);
        return literals.has(value) || others.some((evaluate) => equals(value, evaluate(subject)));
      },
    onValues: ([value = null, ...others]) => literals.has(value) || others.some((other) => equals(value, other)),
  });
}

function compileCall(call: CallExpression): Compiled {
  const row: FunctionRow = functions[call.name];
  const operands = row.parameters.flatMap((accepted, index) => {
    const argument = call.args[index];
    return argument === undefined ? [] : [operand(argument, { accepted, context: () => call })];
  });
  const compiled = apply(operands, row);
  return call.name === "substring" ? emptyOnDummy(compiled) : compiled;
}

/** Positions that suit real users would be out of range for the dummy connection's empty texts. */
function emptyOnDummy(compiled: Compiled): Compiled {
  if (compiled.isSafe) {
    return { ...compiled, evaluate: (subject) => (subject === dummySubject ? "" : compiled.evaluate(subject)) };
  }
  return {
    ...compiled,
    evaluate: (subject) => {
      const value = compiled.evaluate(subject);
      return subject === dummySubject && !(value instanceof TypeMismatch) ? "" : value;
    },
  };
}
