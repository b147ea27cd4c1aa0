import { expect, test } from "bun:test";
import { isJson, maxDepth, scanObject } from "./json-scanner.ts";

/** Members as [name source, value source], or null if the text is refused. */
function members(text: string): [string, string][] | null {
  const scanner = scanObject(text);
  const found: [string, string][] = [];
  let step = scanner?.next() ?? "invalid";
  while (scanner !== null && step === "member") {
    found.push([text.slice(scanner.nameStart, scanner.nameEnd), text.slice(scanner.valueStart, scanner.valueEnd)]);
    step = scanner.next();
  }
  return step === "end" ? found : null;
}

function nested(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth);
}

test.each(["1", " null\n", '"a"', "[]", '[{"a":[1,2]}]', '{"a":1} ', "-0.5e3", nested(maxDepth, "[", "]")])(
  "C-89 JSON: %j",
  (text) => {
    expect(isJson(text)).toBe(true);
  },
);

test.each(["", " ", "1 2", "{", '{"a":1}x', "nul", "[1,]", "\ufeff1", "01", '"', nested(maxDepth + 1, "[", "]")])(
  "C-89 not JSON: %j",
  (text) => {
    expect(isJson(text)).toBe(false);
  },
);

test("C-45 members are shown as exactly their source text, in order, duplicates too", () => {
  const text = '\r\n{ "a" :\t1.0e+2 ,"b":{"x": [1 , 2]},"a":"\\u0041\\/" , "":null}\t ';
  expect(members(text)).toEqual([
    ['"a"', "1.0e+2"],
    ['"b"', '{"x": [1 , 2]}'],
    ['"a"', '"\\u0041\\/"'],
    ['""', "null"],
  ]);
});

test.each(["{}", " {\n} ", '{"__proto__":{"__proto__":1}}', '{"a":"\u2028\ud800é\u007f"}', '{"a":-0.0E-0}'])(
  "H-23 accepted: %j",
  (text) => {
    expect(members(text)).not.toBeNull();
  },
);

test.each(
  [
    ["", " ", "[]", "1", '"a"', "null", "{", "}", "{]", "{}{}", "{}x", "\ufeff{}", "\u00a0{}", "x{}"],
    ["{,}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', '{"a":1;"b":2}', "{a:1}", "{'a':1}", '{"a":1', '{"a'],
    ['{"a":[}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 2]}', '{"a":[1}', '{"a":{}', '{"a":{]}}'],
    ['{"a":01}', '{"a":-}', '{"a":+1}', '{"a":.5}', '{"a":1.}', '{"a":1e}', '{"a":1e+}', '{"a":0x1}', '{"a":-01}'],
    ['{"a":NaN}', '{"a":Infinity}', '{"a":True}', '{"a":tru}', '{"a":nullx}', '{"a":undefined}', '{"a":truefalse}'],
    ['{"a":"\n"}', '{"a":"\u0000"}', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\\u12g4"}', '{"a":"\\', '{"a":"\\"}'],
    ['{"\\x":1}', '{"a\n":1}', '{/**/"a":1}', '{"a":1}//', '{"a":1 /* b */}', '{"\\u00":1}', '{"a":"\\u 123"}'],
  ].flat(),
)("C-57 refused: %j", (text) => {
  expect(members(text)).toBeNull();
});

test("H-23 64 open containers are accepted, one more is refused, and 100,000 do not exhaust the stack", () => {
  const inside = maxDepth - 1;
  expect(members(`{"a":${nested(inside, "[", "]")}}`)).not.toBeNull();
  expect(members(`{"a":${nested(inside + 1, "[", "]")}}`)).toBeNull();
  expect(members(`${'{"a":'.repeat(maxDepth)}1${"}".repeat(maxDepth)}`)).not.toBeNull();
  expect(members(`${'{"a":'.repeat(maxDepth + 1)}1${"}".repeat(maxDepth + 1)}`)).toBeNull();
  expect(members(`{"a":${nested(100_000, "[", "]")}}`)).toBeNull();
  expect(members(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`)).toBeNull();
  expect(members(`{"a":[${"[],".repeat(1000)}{}],"b":${nested(inside, "[", "]")}}`)).not.toBeNull();
});
