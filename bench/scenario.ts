import type { Figure } from "./statistics.ts";

/** How long and how often; see options.ts. */
export interface Effort {
  readonly runs: number;
  readonly runMs: number;
  readonly warmUpMs: number;
}

/** What a scenario must reach (docs/spec/performance.md section 3). */
export interface Target {
  /** `figure`: in the scenario's unit; `ratio`: figure divided by the baseline's. */
  readonly of: "figure" | "ratio";
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What a scenario found. */
export interface Measurement {
  readonly figure: Figure;
  readonly baseline: Figure;
  /** Anything that limits what the figures say: runs thrown away, fewer connections than wanted. */
  readonly notes: readonly string[];
  /** Greatest part of a core that a generator needed in a run; null where it has nothing to do. */
  readonly generatorLoad: number | null;
  /** Whether the generator, not the server, was the limit in every run; the figures are then a lower bound. */
  readonly isGeneratorBound: boolean;
}

/** One row of the table: the service beside its bare baseline, in the same run. */
export interface Scenario {
  /** As in docs/spec/performance.md. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly targets: readonly Target[];
  measure(effort: Effort): Promise<Measurement>;
}
