/** One observation; `at` in hours. */
export interface Observation {
  readonly at: number;
  readonly value: number;
}

/** A straight line through observations, per hour, with the interval that holds its slope in 95 of 100 cases. */
export interface Trend {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Least squares. Resident memory saws up and down, so neighbouring residuals are alike and the textbook interval would be too
 * narrow; it is widened as if there were only n·(1−r)/(1+r) observations, r being the correlation of neighbours.
 * Needs at least eight observations.
 */
export function trendOf(observations: readonly Observation[]): Trend {
  const count = observations.length;
  if (count < 8) throw new Error("too few observations for a trend");
  const meanAt = mean(observations.map(({ at }) => at));
  const meanValue = mean(observations.map(({ value }) => value));
  const spread = sum(observations.map(({ at }) => (at - meanAt) ** 2));
  const slope = sum(observations.map(({ at, value }) => (at - meanAt) * (value - meanValue))) / spread;
  const residuals = observations.map(({ at, value }) => value - meanValue - slope * (at - meanAt));
  const squares = sum(residuals.map((residual) => residual ** 2));
  const neighbours = sum(residuals.slice(1).map((residual, index) => residual * (residuals[index] ?? 0)));
  const correlation = squares === 0 ? 0 : Math.min(Math.max(neighbours / squares, 0), 0.9);
  const effective = Math.max((count * (1 - correlation)) / (1 + correlation), 4);
  const error = Math.sqrt(squares / (effective - 2) / (spread * (effective / count)));
  const margin = error * studentFactor(effective - 2);
  return { slope, low: slope - margin, high: slope + margin };
}

/** The 97.5 % point of Student's distribution to 3 % from two degrees of freedom on (Cornish-Fisher expansion). */
function studentFactor(freedom: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
