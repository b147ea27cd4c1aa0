import { describe, expect, test } from "bun:test";
import { junitCounts, mayHold, parseSelection, suites, titlePattern } from "./suites.ts";

describe("parseSelection", () => {
  test("takes suites and words in any order", () => {
    const selection = parseSelection(["C-31", "--suite", "conformance", "--suite=e2e", "fence"]);
    if (typeof selection === "string") throw new Error(selection);
    expect(selection.suites.map((suite) => suite.name)).toEqual(["conformance", "e2e"]);
    expect(selection.words).toEqual(["C-31", "fence"]);
  });

  test("without arguments means every suite", () => {
    expect(parseSelection([])).toEqual({ suites, words: [] });
  });

  test("refuses unknown suites and options", () => {
    expect(parseSelection(["--suite", "nope"])).toContain('no suite "nope"');
    expect(parseSelection(["--suite"])).toContain('no suite ""');
    expect(parseSelection(["--watch"])).toContain("--watch");
  });
});

describe("titlePattern", () => {
  test("an id is matched whole", () => {
    const pattern = new RegExp(titlePattern(["C-3"]) ?? "");
    expect(pattern.test("C-3 joinGroup")).toBe(true);
    expect(pattern.test("C-31 joinGroup")).toBe(false);
  });

  test("other words are matched as they are written", () => {
    const pattern = new RegExp(titlePattern(["a.b", "C-1"]) ?? "");
    expect(pattern.test("role a.b allows")).toBe(true);
    expect(pattern.test("role axb allows")).toBe(false);
    expect(pattern.test("C-1 x")).toBe(true);
  });

  test("no words, no pattern", () => {
    expect(titlePattern([])).toBeNull();
  });
});

test("mayHold spares a suite only if none of its files has the wanted id", () => {
  expect(mayHold('test("C-31 x")', ["C-3"])).toBe(false);
  expect(mayHold('test("C-3 x")', ["C-3"])).toBe(true);
  expect(mayHold("test(name)", ["fence"])).toBe(true);
  expect(mayHold("", [])).toBe(true);
});

describe("junitCounts", () => {
  test("reads the totals", () => {
    const xml = '<?xml?>\n<testsuites name="bun test" tests="5" assertions="1" failures="1" skipped="2" time="0.1">';
    expect(junitCounts(xml)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test("a report without totals is no report", () => {
    expect(junitCounts("")).toBeNull();
    expect(junitCounts('<testsuites name="x">')).toBeNull();
  });
});
