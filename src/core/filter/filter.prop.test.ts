import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseFilter } from "./filter.ts";
import { parseExpression } from "./parser.ts";
import { printExpression } from "./printer.ts";
import { comparisonOperators, type Expression, identifiers } from "./syntax.ts";
import type { FilterSubject, Value } from "./values.ts";

const texts = fc.constantFrom("", "g", "h", "user1", "USER1", "it's", "r1", "\u00a0g ", "Straße", "İΣ", "\ud800x");

const subjects: fc.Arbitrary<FilterSubject> = fc.record({
  userId: fc.option(texts),
  connectionId: texts,
  protocol: fc.option(texts),
  groups: fc.uniqueArray(texts).map((names) => new Set(names)),
});

interface Trees {
  any: Expression;
  bool: Expression;
  text: Expression;
  int: Expression;
}

const identifierOf = (name: (typeof identifiers)[number]): Expression => ({ kind: "identifier", name });
const literalOf = (value: null | boolean | number | string): Expression => ({ kind: "literal", value });

/** Trees that are well typed for the most part: a slot of some type now and then gets an expression of any type. */
const trees = fc.letrec<Trees>((tie: fc.LetrecTypedTie<Trees>) => {
  const bool = tie("bool");
  const text = tie("text");
  const int = tie("int");
  const any = tie("any");
  const call = (name: (Expression & { kind: "call" })["name"], ...args: fc.Arbitrary<Expression>[]) =>
    fc.tuple(...args).map((given): Expression => ({ kind: "call", name, args: given }));
  const negation = bool.map((operand): Expression => ({ kind: "not", operand }));
  const seldomAny = (...usual: fc.Arbitrary<Expression>[]) =>
    fc.oneof({ depthSize: "small", withCrossShrink: true }, ...usual.map((arbitrary) => ({ arbitrary, weight: 8 })), {
      arbitrary: any,
      weight: 1,
    });
  return {
    bool: seldomAny(
      fc.boolean().map(literalOf),
      negation,
      fc
        .tuple(fc.constantFrom("and", "or"), fc.array(bool, { minLength: 2, maxLength: 4 }))
        .map(([kind, operands]): Expression => ({ kind, operands })),
      fc
        .tuple(fc.constantFrom(...comparisonOperators), int, int)
        .map(([operator, left, right]): Expression => ({ kind: "comparison", operator, left, right })),
      fc
        .tuple(fc.constantFrom("eq", "ne"), any, any)
        .map(([operator, left, right]): Expression => ({ kind: "comparison", operator, left, right })),
      fc
        .tuple(text, fc.oneof({ arbitrary: fc.constant(identifierOf("groups")), weight: 18 }, text, negation))
        .map(([item, collection]): Expression => ({ kind: "membership", item, collection })),
      fc
        .tuple(any, fc.array(any, { maxLength: 4 }))
        .map(([item, options]): Expression => ({ kind: "oneOf", item, options })),
      call("contains", text, text),
      call("startswith", text, text),
      call("endswith", text, text),
    ),
    text: seldomAny(
      texts.map(literalOf),
      fc.constantFrom("userId", "connectionId", "protocol").map(identifierOf),
      call("tolower", text),
      call("toupper", text),
      call("trim", text),
      call("concat", text, text),
      call("substring", text, int),
      call("substring", text, int, int),
    ),
    int: seldomAny(
      fc.integer({ min: -3, max: 6 }).map(literalOf),
      fc.integer().map(literalOf),
      call("length", text),
      fc.constant<Expression>({ kind: "call", name: "length", args: [identifierOf("groups")] }),
      call("indexof", text, text),
    ),
    any: fc.oneof(
      { depthSize: "small" },
      fc.constant(literalOf(null)),
      fc.constantFrom(...identifiers).map(identifierOf),
      bool,
      text,
      int,
    ),
  };
});

class Mismatch extends Error {}

/** The language once more, written as a plain walk over the tree that always evaluates every part. */
class Reference {
  readonly #subject: FilterSubject;
  readonly #isDummy: boolean;

  constructor(subject: FilterSubject | null) {
    this.#subject = subject ?? { userId: null, connectionId: "", protocol: null, groups: new Set<string>() };
    this.#isDummy = subject === null;
  }

  /** `error` stands for a type error anywhere in the tree. */
  verdict(tree: Expression): boolean | "error" {
    try {
      return this.#bool(tree);
    } catch (error) {
      if (error instanceof Mismatch) return "error";
      throw error;
    }
  }

  #bool(tree: Expression): boolean {
    const value = this.#value(tree);
    if (typeof value !== "boolean") throw new Mismatch();
    return value;
  }

  #int(tree: Expression): number {
    const value = this.#value(tree);
    if (typeof value !== "number") throw new Mismatch();
    return value;
  }

  #text(tree: Expression): string | null {
    const value = this.#value(tree);
    if (value !== null && typeof value !== "string") throw new Mismatch();
    return value;
  }

  #orderable(tree: Expression): number | null {
    if (tree.kind === "identifier") throw new Mismatch();
    const value = this.#value(tree);
    if (value !== null && typeof value !== "number") throw new Mismatch();
    return value;
  }

  #value(tree: Expression): Value {
    switch (tree.kind) {
      case "literal":
        return tree.value;
      case "identifier":
        return this.#subject[tree.name];
      case "not":
        return !this.#bool(tree.operand);
      case "and":
        return tree.operands.map((each) => this.#bool(each)).reduce((left, right) => left && right);
      case "or":
        return tree.operands.map((each) => this.#bool(each)).reduce((left, right) => left || right);
      case "comparison":
        return this.#comparison(tree);
      case "membership": {
        const item = this.#value(tree.item);
        const collection = this.#value(tree.collection);
        if (typeof collection !== "object" || collection === null) throw new Mismatch();
        return typeof item === "string" && collection.has(item);
      }
      case "oneOf": {
        const item = this.#value(tree.item);
        return tree.options.map((each) => this.#value(each)).some((option) => option === item);
      }
      case "call":
        return this.#call(tree);
    }
  }

  #comparison({ operator, left, right }: Expression & { kind: "comparison" }): boolean {
    if (operator === "eq") return this.#value(left) === this.#value(right);
    if (operator === "ne") return this.#value(left) !== this.#value(right);
    const a = this.#orderable(left);
    const b = this.#orderable(right);
    if (a === null || b === null) return false;
    return { gt: a > b, ge: a >= b, lt: a < b, le: a <= b }[operator];
  }

  #call({ name, args }: Expression & { kind: "call" }): Value {
    const [first, second, third] = args;
    if (first === undefined) throw new Error("generated without arguments");
    if (name === "length") return this.#length(first);
    const text = this.#text(first);
    if (name === "tolower" || name === "toupper" || name === "trim") return text === null ? null : mappings[name](text);
    if (second === undefined) throw new Error("generated without second argument");
    if (name === "substring") return this.#substring(text, [second, third]);
    const part = this.#text(second);
    if (name === "concat") return text === null && part === null ? null : `${text ?? ""}${part ?? ""}`;
    const position = text === null || part === null ? -1 : searches[name](text, part);
    return name === "indexof" ? position : position >= 0;
  }

  #length(tree: Expression): number | null {
    const value = this.#value(tree);
    if (value === null) return null;
    if (typeof value === "string") return value.length;
    if (typeof value !== "object") throw new Mismatch();
    return value.size;
  }

  #substring(text: string | null, [from, count]: [Expression, Expression | undefined]): string | null {
    const start = this.#int(from);
    const length = count === undefined ? null : this.#int(count);
    if (this.#isDummy) return "";
    if (text === null || start < 0 || start > text.length) return null;
    if (length === null) return text.substring(start);
    return length < 0 || start + length > text.length ? null : text.substring(start, start + length);
  }
}

const mappings = {
  tolower: (text: string) => Array.from(text, (each) => (each === "İ" ? each : each.toLowerCase())).join(""),
  toupper: (text: string) => Array.from(text, (each) => (each === "ß" ? each : each.toUpperCase())).join(""),
  trim: (text: string) => text.replace(/^\s+/u, "").replace(/\s+$/u, ""),
};

/** Offset of the occurrence each function looks for, -1 for none. */
const searches = {
  indexof: firstOccurrence,
  contains: firstOccurrence,
  startswith: (text: string, part: string) => (text.slice(0, part.length) === part ? 0 : -1),
  endswith: (text: string, part: string) => {
    const start = text.length - part.length;
    return start >= 0 && text.slice(start) === part ? start : -1;
  },
};

function firstOccurrence(text: string, part: string): number {
  for (let start = 0; start + part.length <= text.length; start++) {
    if (text.slice(start, start + part.length) === part) return start;
  }
  return -1;
}

test("R-98 R-99 evaluation agrees with a plain reference interpreter", () => {
  const met = { refused: 0, error: 0, selected: 0, missed: 0 };
  fc.assert(
    fc.property(trees.bool, fc.array(subjects, { minLength: 1, maxLength: 4 }), (tree, some) => {
      const result = parseFilter(printExpression(tree));
      if (!result.ok) {
        met.refused++;
        expect({ message: result.message, verdict: new Reference(null).verdict(tree) }).toMatchObject({
          verdict: "error",
        });
        return;
      }
      expect(new Reference(null).verdict(tree)).not.toBe("error");
      for (const subject of some) {
        const verdict = new Reference(subject).verdict(tree);
        met[verdict === "error" ? "error" : verdict ? "selected" : "missed"]++;
        expect(result.filter.matches(subject)).toBe(verdict === true);
      }
    }),
    { numRuns: 3000 },
  );
  // A generator that never reaches one of the outcomes would prove little.
  expect(Math.min(...Object.values(met))).toBeGreaterThan(20);
});

test("parse(print(tree)) gives the tree", () => {
  fc.assert(
    fc.property(trees.any, (tree) => {
      expect(parseExpression(printExpression(tree))).toEqual({ ok: true, expression: tree });
    }),
    { numRuns: 1000 },
  );
});

const tokens = fc.constantFrom(
  ..."( ) , / : $ - ' '' 'a' 'it''s' null true 5 -5 1.5 5L and or not in eq ne gt le".split(" "),
  ..."userId USERID groups protocol name length( substring( concat( tolower( x( \u2003 \ud800".split(" "),
);

test("R-99 any text is either parsed or refused, and what is parsed never throws", () => {
  const input = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(tokens, { maxLength: 30 }).map((some) => some.join(" ")),
  );
  fc.assert(
    fc.property(input, subjects, (text, subject) => {
      const result = parseFilter(text);
      if (result.ok) expect(result.filter.matches(subject)).toBeBoolean();
      else expect(result.message).toMatch(/^Invalid syntax for '[^]*': [^]* \(Parameter 'filter'\)$/);
    }),
    { numRuns: 5000 },
  );
});
