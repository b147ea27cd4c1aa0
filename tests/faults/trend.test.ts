import { expect, test } from "bun:test";
import { type Observation, trendOf } from "./trend.ts";

/** A generator of numbers between -1 and 1 that repeats itself. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (state / 2_147_483_648) * 2 - 1;
  };
}

function observe(slope: number, noiseOf: () => number): Observation[] {
  return Array.from({ length: 40 }, (_, index) => ({
    at: index / 120,
    value: 100 + (slope * index) / 120 + noiseOf(),
  }));
}

test("the slope of a line without noise is exact", () => {
  const { slope, low, high } = trendOf(observe(3, () => 0));
  expect(slope).toBeCloseTo(3, 9);
  expect(high - low).toBeCloseTo(0, 9);
});

test("the interval holds the true slope in about 95 of 100 cases", () => {
  const hits = Array.from({ length: 400 }, (_, seed) => trendOf(observe(3, noise(seed + 1)))).filter(
    ({ low, high }) => low <= 3 && 3 <= high,
  );
  expect(hits.length / 400).toBeGreaterThan(0.92);
  expect(hits.length / 400).toBeLessThan(1);
});

test("the interval is wider where neighbours are alike", () => {
  const independent = noise(7);
  const wandering = noise(7);
  let level = 0;
  const widthOf = ({ low, high }: { readonly low: number; readonly high: number }): number => high - low;
  const smooth = (): number => {
    level = 0.8 * level + 0.6 * wandering(); // the same variance
    return level;
  };
  expect(widthOf(trendOf(observe(0, smooth)))).toBeGreaterThan(1.5 * widthOf(trendOf(observe(0, independent))));
});

test("a growth far beyond the noise is not taken for none", () => {
  const { low } = trendOf(observe(30, noise(3)));
  expect(low).toBeGreaterThan(20);
});
