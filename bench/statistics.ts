/** One figure taken several times. */
export interface Figure {
  readonly median: number;
  /** Distance between the least and the greatest run, as a part of the median. */
  readonly spread: number;
  readonly runs: readonly number[];
}

/** Sums up runs; there must be at least one. */
export function summarize(runs: readonly number[]): Figure {
  const sorted = runs.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  const spread = ((sorted.at(-1) ?? Number.NaN) - (sorted[0] ?? Number.NaN)) / median;
  return { median, spread, runs };
}
