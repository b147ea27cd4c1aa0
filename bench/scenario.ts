import type { Figure } from "./statistics.ts";

/** How long and how often; see options.ts. */
export interface Effort {
  readonly runs: number;
  readonly runMs: number;
  readonly warmUpMs: number;
}

/** What a scenario must reach (docs/spec/performance.md section 3). */
export interface Target {
  /** `figure`: in the metric's unit; `ratio`: figure divided by the baseline's. */
  readonly of: "figure" | "ratio";
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What is measured, and what it must be; without targets it is told for information. */
export interface Metric {
  readonly unit: string;
  readonly targets: readonly Target[];
}

/** What was found: the service beside its bare baseline, in the same run. */
export interface Measurement {
  readonly figure: Figure;
  readonly baseline: Figure;
  /** Anything that limits what the figures say: runs thrown away, fewer connections than wanted. */
  readonly notes: readonly string[];
  /** Greatest part of a core that a generator process needed in a run; null where it has nothing to do. */
  readonly generatorLoad: number | null;
  /** Whether the generator, not the server, was the limit in every run; the figures then say nothing. */
  readonly isGeneratorBound: boolean;
}

/** One row of the table. */
export interface Outcome extends Metric, Measurement {}

/** One scenario of docs/spec/performance.md; a row for each thing it measures. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  measure(effort: Effort): Promise<readonly Outcome[]>;
}
