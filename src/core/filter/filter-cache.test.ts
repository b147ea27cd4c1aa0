import { expect, test } from "bun:test";
import { createFilterCache, type FilterCache } from "./filter-cache.ts";

function filterOf(cache: FilterCache, text: string): unknown {
  const result = cache.parse(text);
  return result.ok ? result.filter : null;
}

test("a parsed filter is reused", () => {
  const cache = createFilterCache(2);
  expect(filterOf(cache, "userId eq 'a'")).toBe(filterOf(cache, "userId eq 'a'"));
  expect(filterOf(cache, "userId eq 'a'")).not.toBe(filterOf(cache, "userId eq 'b'"));
});

test("the least recently used filter leaves first", () => {
  const cache = createFilterCache(2);
  const first = filterOf(cache, "1 eq 1");
  const second = filterOf(cache, "2 eq 2");
  filterOf(cache, "1 eq 1");
  filterOf(cache, "3 eq 3");
  expect(cache.size).toBe(2);
  expect(filterOf(cache, "1 eq 1")).toBe(first);
  expect(filterOf(cache, "2 eq 2")).not.toBe(second);
});

test("a refused filter answers as from parseFilter and is not kept", () => {
  const cache = createFilterCache(2);
  expect(cache.parse("(")).toEqual({
    ok: false,
    message: "Invalid syntax for '(': Syntax error at position 1 in '('. (Parameter 'filter')",
  });
  expect(cache.size).toBe(0);
});

test("long filters are bounded by their total length", () => {
  const cache = createFilterCache(1000);
  for (let index = 0; index < 20; index++) filterOf(cache, `${index} eq '${"x".repeat(16_370)}'`);
  expect(cache.size).toBe(16);
});

test("a capacity of 0 keeps nothing and still parses", () => {
  const cache = createFilterCache(0);
  expect(cache.parse("true").ok).toBe(true);
  expect(cache.size).toBe(0);
});
