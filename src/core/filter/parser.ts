import { functions, isFunctionName } from "./functions.ts";
import { type Token, tokenize } from "./lexer.ts";
import { printExpression } from "./printer.ts";
import {
  type CallExpression,
  type ComparisonOperator,
  comparisonOperators,
  type Expression,
  type FilterFault,
  type Identifier,
  identifiers,
} from "./syntax.ts";

/** Deepest nesting of parentheses, lists, function calls and `not`; the hosted service's parser has the same limit. */
const MAX_FILTER_DEPTH = 100;

/** Longest filter in UTF-16 units, the specification's recommendation; in a query the request line is shorter. */
const MAX_FILTER_LENGTH = 16_384;

// An overlong filter is not repeated in full in its error message.
const OVERLONG_EXCERPT_LENGTH = 100;

const NULL: Expression = { kind: "literal", value: null };
const RESERVED: ReadonlySet<string> = new Set(["and", "or", "not", "in", ...comparisonOperators]);
const IDENTIFIERS: ReadonlyMap<string, Identifier> = new Map(identifiers.map((name) => [name.toLowerCase(), name]));
const KEYWORD_LITERALS: ReadonlyMap<string, null | boolean> = new Map([
  ["null", null],
  ["true", true],
  ["false", false],
]);
const INTEGER = /^[+-]?\d+$/;

/** A tree whose types are not checked yet, or why there is none. */
type ParseResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: FilterFault };

/**
 * Reads a filter into a tree without judging types. Never throws.
 *
 * `not` binds tightest, then comparisons and `in` (which do not chain), then `and`, then `or`. Chains of `and` and `or`
 * may be as long as the text allows. A syntax fault wins over an unknown name or literal, wherever the two stand.
 * @spec R-97 R-99 R-100
 */
export function parseExpression(text: string): ParseResult {
  if (text.length > MAX_FILTER_LENGTH) {
    const detail = `The filter is longer than ${MAX_FILTER_LENGTH} characters.`;
    return { ok: false, fault: { subject: `${text.slice(0, OVERLONG_EXCERPT_LENGTH)}...`, detail } };
  }
  return new Parser(text).parse();
}

/**
 * Recursive descent. The first syntax fault moves the cursor to the end token for good, where every loop and every
 * descent stops by itself, so no step has to pass the fault on.
 */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  #index = 0;
  #depth = 0;
  #syntaxFault: FilterFault | null = null;
  #meaningFault: FilterFault | null = null;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
    this.#end = { kind: "end", text: "", end: text.length };
  }

  parse(): ParseResult {
    const expression = this.#or();
    if (this.#current.kind !== "end") this.#failAtCurrent();
    const fault = this.#syntaxFault ?? this.#meaningFault;
    return fault === null ? { ok: true, expression } : { ok: false, fault };
  }

  get #current(): Token {
    return this.#tokens[this.#index] ?? this.#end;
  }

  #or(): Expression {
    return this.#chain("or", () => this.#and());
  }

  #and(): Expression {
    return this.#chain("and", () => this.#comparison());
  }

  #chain(operator: "and" | "or", parseOperand: () => Expression): Expression {
    const first = parseOperand();
    if (!this.#at("word", operator)) return first;
    const operands = [first];
    while (this.#take("word", operator)) operands.push(parseOperand());
    return { kind: operator, operands };
  }

  #comparison(): Expression {
    const left = this.#unary();
    const operator = this.#takeComparisonOperator();
    if (operator !== null) return { kind: "comparison", operator, left, right: this.#unary() };
    if (!this.#take("word", "in")) return left;
    if (this.#at("symbol", "(")) return { kind: "oneOf", item: left, options: this.#list() };
    return { kind: "membership", item: left, collection: this.#unary() };
  }

  #takeComparisonOperator(): ComparisonOperator | null {
    const operator = comparisonOperators.find((candidate) => this.#at("word", candidate)) ?? null;
    if (operator !== null) this.#index++;
    return operator;
  }

  #unary(): Expression {
    if (!this.#take("word", "not")) return this.#primary();
    return this.#nested(() => ({ kind: "not", operand: this.#unary() }), NULL);
  }

  #primary(): Expression {
    const token = this.#current;
    switch (token.kind) {
      case "string":
        this.#index++;
        return { kind: "literal", value: token.text.slice(1, -1).replaceAll("''", "'") };
      case "number":
        this.#index++;
        return this.#integer(token.text);
      case "word":
        if (RESERVED.has(token.text)) return this.#failAtCurrent();
        this.#index++;
        return this.#name(token.text);
      case "symbol":
        return this.#take("symbol", "(") ? this.#parenthesized() : this.#failAtCurrent();
      case "end":
        return this.#failAtCurrent();
    }
  }

  #parenthesized(): Expression {
    return this.#nested(() => {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }, NULL);
  }

  #integer(text: string): Expression {
    const value = Number(text);
    const isInt32 = INTEGER.test(text) && value >= -(2 ** 31) && value < 2 ** 31;
    return isInt32 ? { kind: "literal", value: value | 0 } : this.#unsupported(text);
  }

  #name(word: string): Expression {
    const keyword = KEYWORD_LITERALS.get(word);
    if (keyword !== undefined) return { kind: "literal", value: keyword };
    if (this.#take("symbol", "(")) return this.#call(word);
    const name = IDENTIFIERS.get(word.toLowerCase());
    return name === undefined ? this.#unsupported(word) : { kind: "identifier", name };
  }

  #call(word: string): Expression {
    const args = this.#nested(() => this.#arguments(), []);
    if (!isFunctionName(word)) return this.#unsupported(word);
    const call: CallExpression = { kind: "call", name: word, args };
    const { required, parameters } = functions[word];
    if (args.length < required || args.length > parameters.length) {
      const printed = printExpression(call);
      this.#meaningFault ??= { subject: printed, detail: `Invalid token '${printed}'.` };
    }
    return call;
  }

  #arguments(): readonly Expression[] {
    if (this.#take("symbol", ")")) return [];
    const args = [this.#or()];
    while (this.#take("symbol", ",")) args.push(this.#or());
    this.#expect(")");
    return args;
  }

  /** The list behind `in`; unlike the arguments of a function it may have empty items, which count for nothing. */
  #list(): readonly Expression[] {
    this.#expect("(");
    return this.#nested(() => {
      const options: Expression[] = [];
      do {
        if (!this.#at("symbol", ",") && !this.#at("symbol", ")")) options.push(this.#or());
      } while (this.#take("symbol", ","));
      this.#expect(")");
      return options;
    }, []);
  }

  #nested<Result>(parseInner: () => Result, fallback: Result): Result {
    if (this.#depth === MAX_FILTER_DEPTH) {
      this.#fail(`The filter is nested deeper than ${MAX_FILTER_DEPTH} levels.`);
      return fallback;
    }
    this.#depth++;
    const inner = parseInner();
    this.#depth--;
    return inner;
  }

  #at(kind: "word" | "symbol", text: string): boolean {
    return this.#current.kind === kind && this.#current.text === text;
  }

  #take(kind: "word" | "symbol", text: string): boolean {
    const isThere = this.#at(kind, text);
    if (isThere) this.#index++;
    return isThere;
  }

  #expect(symbol: string): void {
    if (!this.#take("symbol", symbol)) this.#failAtCurrent();
  }

  /** The position is the end of the unexpected token: 14 in `invalid filter`. R-97 */
  #failAtCurrent(): Expression {
    return this.#fail(`Syntax error at position ${this.#current.end} in '${this.#text}'.`);
  }

  #fail(detail: string): Expression {
    this.#syntaxFault ??= { subject: this.#text, detail };
    this.#index = this.#tokens.length;
    return NULL;
  }

  #unsupported(printed: string): Expression {
    this.#meaningFault ??= { subject: printed, detail: `Token '${printed}' is not supported.` };
    return NULL;
  }
}
