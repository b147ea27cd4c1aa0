import { greatestLoad, judge } from "./judge.ts";
import type { Run, Workload } from "./load/job.ts";
import type { Effort, Metric, Outcome } from "./scenario.ts";
import type { Baseline } from "./server.ts";
import { runInTurn, type Sides, startSides } from "./sides.ts";
import { summarize } from "./statistics.ts";
import { perCpuSecond } from "./throughput.ts";

/** The same work at several sizes. */
export interface GrowthComparison {
  readonly metric: Metric;
  readonly baseline: Baseline;
  readonly sizes: readonly number[];
  /** What a size counts. */
  readonly of: string;
  readonly workload: (size: number) => Workload;
}

/** One run at each size. */
type Round = readonly Run[];

/**
 * Measures how much more CPU time an item costs at the dearest size than at the cheapest. Servers of all sizes are under
 * way together and take turns, run by run.
 */
export async function measureGrowth(
  { metric, baseline, sizes, of, workload }: GrowthComparison,
  effort: Effort,
): Promise<readonly Outcome[]> {
  await using cleanup = new AsyncDisposableStack();
  const all: Sides[] = [];
  for (const size of sizes) all.push(await startSides(cleanup, { baseline, workload: workload(size) }, effort));
  const ours: Round[] = [];
  const bare: Round[] = [];
  for (let round = 0; round < effort.runs; round++) {
    const found = [];
    for (const sides of all) found.push(await runInTurn(sides, { ...effort, runs: 1 }));
    ours.push(found.flatMap((each) => each.ours));
    bare.push(found.flatMap((each) => each.bare));
  }
  const service = judge("service", ours, (round) => round);
  const reference = judge("baseline", bare, (round) => round);
  return [
    {
      ...metric,
      figure: summarize(service.items.map(growth)),
      baseline: summarize(reference.items.map(growth)),
      notes: [
        `service: ${costs(sizes, service.items)} ${of}`,
        `baseline: ${costs(sizes, reference.items)} ${of}`,
        ...service.notes,
        ...reference.notes,
      ],
      generatorLoad: greatestLoad([...ours, ...bare].flat()),
      isGeneratorBound: service.isGeneratorBound || reference.isGeneratorBound,
    },
  ];
}

function growth(round: Round): number {
  const each = round.map(costMicroseconds);
  return Math.max(...each) / Math.min(...each);
}

function costMicroseconds(run: Run): number {
  return 1_000_000 / perCpuSecond(run);
}

/** What an item cost at each size. */
function costs(sizes: readonly number[], rounds: readonly Round[]): string {
  return sizes
    .map((size, index) => {
      const { median } = summarize(rounds.flatMap((round) => round.slice(index, index + 1)).map(costMicroseconds));
      return `${median.toFixed(2)} µs at ${size.toLocaleString("en-US")}`;
    })
    .join(", ");
}
