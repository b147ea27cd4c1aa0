import { describe, expect, test } from "bun:test";
import { parseFilter } from "./filter.ts";
import type { FilterSubject } from "./values.ts";

const JSON_PROTOCOL = "json.webpubsub.azure.v1";

const subjects = {
  anonymous: connection({ userId: null }),
  user1: connection({ userId: "user1", protocol: JSON_PROTOCOL, groups: new Set(["g"]) }),
  USER1: connection({ userId: "USER1", groups: new Set(["g", "h"]) }),
  quoted: connection({ userId: "user'1", groups: new Set(["G"]) }),
};

type SubjectName = keyof typeof subjects;

function connection(properties: Partial<FilterSubject>): FilterSubject {
  return { connectionId: "c1", userId: null, protocol: null, groups: new Set<string>(), ...properties };
}

function selected(text: string): readonly string[] {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(result.message);
  return Object.entries(subjects).flatMap(([name, subject]) => (result.filter.matches(subject) ? [name] : []));
}

function messageOf(text: string): string {
  const result = parseFilter(text);
  return result.ok ? "accepted" : result.message;
}

function refusal(subject: string, detail: string): string {
  return `Invalid syntax for '${subject}': ${detail} (Parameter 'filter')`;
}

function nested(open: string, { times, inner = "true" }: { times: number; inner?: string }): string {
  return open.repeat(times) + inner + (open.endsWith("(") ? ")".repeat(times) : "");
}

const everybody: readonly SubjectName[] = ["anonymous", "user1", "USER1", "quoted"];

const selections: readonly (readonly [filter: string, expected: readonly SubjectName[]])[] = [
  ["userId eq null", ["anonymous"]],
  ["userId ne null", ["user1", "USER1", "quoted"]],
  ["userId eq 'user1'", ["user1"]],
  ["userId eq 'user''1'", ["quoted"]],
  ["USERID eq 'user1' and ConnectionID eq 'c1'", ["user1"]],
  ["tolower(userId) eq 'user1'", ["user1", "USER1"]],
  ["toupper(userId) eq 'USER1'", ["user1", "USER1"]],
  ["startswith(userId,'us')", ["user1", "quoted"]],
  ["endswith(userId,'1')", ["user1", "USER1", "quoted"]],
  ["contains(userId,'''')", ["quoted"]],
  ["contains(userId,null)", []],
  ["length(userId) gt 3", ["user1", "USER1", "quoted"]],
  ["length(userId) le 5", ["user1", "USER1"]],
  ["length(userId) lt 6 or length(userId) gt 5", ["user1", "USER1", "quoted"]],
  ["not (length(userId) gt 5)", ["anonymous", "user1", "USER1"]],
  ["userId in ('user1','x')", ["user1"]],
  ["userId in ('x',,tolower(userId),)", ["anonymous", "user1", "quoted"]],
  ["userId in ()", []],
  ["userId in (null)", ["anonymous"]],
  ["'g' in groups", ["user1", "USER1"]],
  ["'g'in groups", ["user1", "USER1"]],
  ["not ('g' in groups)", ["anonymous", "quoted"]],
  ["not('g' in groups)", ["anonymous", "quoted"]],
  ["userId in groups", []],
  ["5 in groups", []],
  ["length(groups) ge 2", ["USER1"]],
  ["length(groups) eq 0", ["anonymous"]],
  ["indexof(userId,'r1') ge 0", ["user1"]],
  ["indexof(userId,'r1') eq -1", ["anonymous", "USER1", "quoted"]],
  ["substring(userId,0,4) eq 'user'", ["user1", "quoted"]],
  ["substring(userId,5) eq ''", ["user1", "USER1"]],
  ["substring(userId,6) eq null", ["anonymous", "user1", "USER1"]],
  ["substring(userId,-1) eq null", everybody],
  ["substring(userId,0,-1) eq null", everybody],
  ["substring('abc',1,3) eq null", everybody],
  ["concat(userId,'x') eq 'user1x'", ["user1"]],
  ["concat(userId,null) eq userId", everybody],
  ["concat(userId,'x') eq 'x'", ["anonymous"]],
  ["trim(' \t\u0085\u2003a \u00a0') eq 'a'", everybody],
  ["trim('\ufeff') eq ''", []],
  ["toupper('ßıé') eq 'ßıÉ' and tolower('İΑΣ') eq 'İας'", []],
  ["toupper('ßıé') eq 'ßıÉ' and tolower('İΑΣ') eq 'İασ'", everybody],
  [`protocol eq '${JSON_PROTOCOL}'`, ["user1"]],
  ["protocol eq null", ["anonymous", "USER1", "quoted"]],
  ["protocol eq userId", ["anonymous"]],
  ["groups eq groups", everybody],
  ["groups ne null", everybody],
  ["1 eq '1'", []],
  ["1 ne '1'", everybody],
  ["0 eq false", []],
  ["-2147483648 lt +2147483647", everybody],
  ["-0 eq 0", everybody],
  ["null gt 1 or null le null", []],
  ["true", everybody],
  ["false", []],
  ["not not true", everybody],
  ["true eq not false", everybody],
  ["\tlength (\nuserId ) eq 5\u00a0", ["user1", "USER1"]],
];

describe("selection", () => {
  test.each(selections)("R-98 R-51 %j", (filter, expected) => {
    expect(selected(filter)).toEqual(expected);
  });

  test("R-98 `a or b and c` groups as `a or (b and c)`", () => {
    expect(selected("true or true and false")).toEqual(everybody);
    expect(selected("(true or true) and false")).toEqual([]);
    expect(selected("'g' in groups or userId eq null and false")).toEqual(["user1", "USER1"]);
    expect(selected("'h' in groups or 'g' in groups and not (userId eq 'USER1')")).toEqual(["user1", "USER1"]);
  });

  test("R-98 a type error met only for a real connection selects nothing there and does not throw", () => {
    expect(selected("tolower(userId) gt 5 or true")).toEqual(["anonymous"]);
    expect(selected("true or tolower(userId) gt 5")).toEqual(["anonymous"]);
    expect(selected("not (contains(length(userId),'a'))")).toEqual(["anonymous"]);
    expect(selected("null in (tolower(userId) gt 5, null)")).toEqual(["anonymous"]);
  });

  test("the text of a filter is kept as written", () => {
    const result = parseFilter(" USERID  eq null ");
    expect(result.ok && result.filter.text).toBe(" USERID  eq null ");
  });
});

const refusals: readonly (readonly [filter: string, message: string])[] = [
  ["not length(userId) gt 5", refusal("not length(userId)", "Type 'null', expect 'bool'.")],
  ["userId gt 'a'", refusal("userId gt 'a'", "Type 'string', expect 'int'.")],
  ["null gt 'a'", refusal("null gt 'a'", "Type 'string', expect 'int'.")],
  ["userId", refusal("userId", "Type 'string', expect 'bool'.")],
  ["groups", refusal("groups", "Type 'collection', expect 'bool'.")],
  ["length(groups)", refusal("length(groups)", "Type 'int', expect 'bool'.")],
  ["name eq 'x'", refusal("name", "Token 'name' is not supported.")],
  ["groups/any(g: g eq 'x')", refusal("groups/any(g: g eq 'x')", syntaxError(7, "groups/any(g: g eq 'x')"))],
  ["1.5 eq 1.5", refusal("1.5", "Token '1.5' is not supported.")],
  ["2147483648 eq 1", refusal("2147483648", "Token '2147483648' is not supported.")],
  ["5L eq 5", refusal("5L", "Token '5L' is not supported.")],
  ["2020-01-01T00:00:00Z eq 1", refusal("2020-01-01T00:00:00Z", "Token '2020-01-01T00:00:00Z' is not supported.")],
  ["length(userId) add 1 eq 2", refusal("length(userId) add 1 eq 2", syntaxError(18, "length(userId) add 1 eq 2"))],
  ["constructor('a')", refusal("constructor", "Token 'constructor' is not supported.")],
  ["Contains(userId,'a')", refusal("Contains", "Token 'Contains' is not supported.")],
  ["userId EQ 'x'", refusal("userId EQ 'x'", syntaxError(9, "userId EQ 'x'"))],
  ["$it eq 1", refusal("$it eq 1", syntaxError(1, "$it eq 1"))],
  ["- 1 eq 1", refusal("- 1 eq 1", syntaxError(1, "- 1 eq 1"))],
  ["1 eq 1 eq true", refusal("1 eq 1 eq true", syntaxError(9, "1 eq 1 eq true"))],
  ["true and and true", refusal("true and and true", syntaxError(12, "true and and true"))],
  ["name and", refusal("name and", syntaxError(8, "name and"))],
  ["(true", refusal("(true", syntaxError(5, "(true"))],
  ["true)", refusal("true)", syntaxError(5, "true)"))],
  ["'a''b", refusal("'a''b", syntaxError(5, "'a''b"))],
  ["true 'a''b", refusal("true 'a''b", syntaxError(10, "true 'a''b"))],
  ["", refusal("", syntaxError(0, ""))],
  ["  ", refusal("  ", syntaxError(2, "  "))],
  ["length()", refusal("length()", "Invalid token 'length()'.")],
  ["substring('a', 1, 2, 3) eq 'b'", refusal("substring('a',1,2,3)", "Invalid token 'substring('a',1,2,3)'.")],
  ["concat('a',) eq 'a'", refusal("concat('a',) eq 'a'", syntaxError(12, "concat('a',) eq 'a'"))],
  ["length(5) eq 1", refusal("length(5)", "Type 'int', expect 'string'.")],
  ["substring(userId, null) eq ''", refusal("substring(userId,null)", "Type 'null', expect 'int'.")],
  ["substring(5, 1) eq ''", refusal("substring(5,1)", "Type 'int', expect 'string'.")],
  ["'x' in userId", refusal("'x' in userId", "Type 'string', expect 'collection'.")],
  ["true or 5", refusal("true or 5", "Type 'int', expect 'bool'.")],
  ["true and false and 'a' and true", refusal("true and false and 'a'", "Type 'string', expect 'bool'.")],
  ["not (1 eq 1 and null)", refusal("(1 eq 1) and null", "Type 'null', expect 'bool'.")],
];

function syntaxError(position: number, filter: string): string {
  return `Syntax error at position ${position} in '${filter}'.`;
}

describe("refusal", () => {
  test("R-97 `invalid filter` is refused with the text the official clients expect", () => {
    expect(messageOf("invalid filter")).toBe(
      "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')",
    );
  });

  test.each(refusals)("R-99 %j", (filter, message) => {
    expect(messageOf(filter)).toBe(message);
  });

  test("R-99 nesting is limited to 100 levels of parentheses, calls, lists and `not`", () => {
    for (const [open, inner] of [["("], ["not "], ["trim(", "'a'"]] as const) {
      const prefix = open === "trim(" ? "'a' eq " : "";
      expect(messageOf(prefix + nested(open, { times: 100, inner: inner ?? "true" }))).toBe("accepted");
      const tooDeep = prefix + nested(open, { times: 101, inner: inner ?? "true" });
      expect(messageOf(tooDeep)).toBe(refusal(tooDeep, "The filter is nested deeper than 100 levels."));
    }
    expect(messageOf(nested("(", { times: 200 }))).toStartWith("Invalid syntax for ");
    expect(messageOf(nested("true in (", { times: 100 }))).toBe("accepted");
    expect(messageOf(nested("true in (", { times: 101 }))).toStartWith("Invalid syntax for ");
  });

  test("R-99 a filter of 16,384 characters is the longest accepted; a longer one is not repeated in full", () => {
    const text = `true or '${"x".repeat(16_350)}' eq`;
    expect(messageOf(`${text} 1`.padEnd(16_384))).toBe("accepted");
    expect(messageOf(`${text} 1`.padEnd(16_385))).toBe(
      refusal(`${text.slice(0, 100)}...`, "The filter is longer than 16384 characters."),
    );
  });
});

describe("long chains", () => {
  test("R-100 300 `or` clauses are accepted and evaluated", () => {
    const result = parseFilter(Array.from({ length: 300 }, (_, index) => `'g${index}' in groups`).join(" or "));
    if (!result.ok) throw new Error(result.message);
    expect(result.filter.matches(connection({ groups: new Set(["g299"]) }))).toBe(true);
    expect(result.filter.matches(connection({ groups: new Set(["g300"]) }))).toBe(false);
  });

  test("R-100 the longest chains that fit are neither too deep nor too slow to print in a message", () => {
    expect(selected(`${"true and ".repeat(1819)}true`)).toEqual(everybody);
    const message = messageOf(`${"true and ".repeat(1819)}null`);
    expect(message).toStartWith("Invalid syntax for 'true and true and ");
    expect(message).toEndWith("true and null': Type 'null', expect 'bool'. (Parameter 'filter')");
  });

  test("R-98 lists nested in lists evaluate each item once", () => {
    // Twice per level would be 2^89 evaluations.
    const lists = `${"(".repeat(89)}userId${" in (userId,'user1' in groups,false))".repeat(89)}`;
    expect(selected(lists)).toEqual(everybody);
  });
});
