import { greatestLoad, judge } from "./judge.ts";
import type { Run } from "./load/job.ts";
import type { Effort, Measurement, Metric, Outcome } from "./scenario.ts";
import { type Comparison, runInTurn, type Sides, startSides } from "./sides.ts";
import { summarize } from "./statistics.ts";

/** What a throughput scenario compares, and what must come of it. */
export interface ThroughputComparison extends Comparison {
  readonly metric: Metric;
}

/** Measures counts per CPU-second of the server process, for the service and its baseline. */
export async function measureThroughput(
  { metric, ...comparison }: ThroughputComparison,
  effort: Effort,
): Promise<readonly Outcome[]> {
  await using cleanup = new AsyncDisposableStack();
  const sides = await startSides(cleanup, comparison, effort);
  const { measurement } = await compareThroughput(sides, effort);
  return [{ ...metric, ...measurement }];
}

/** As `measureThroughput`, on servers that are under way; tells the service's count per second of the clock as well. */
export async function compareThroughput(
  sides: Sides,
  effort: Effort,
): Promise<{ readonly measurement: Measurement; readonly perSecond: number }> {
  const { ours, bare } = await runInTurn(sides, effort);
  const service = judge("service", ours, (run) => [run]);
  const reference = judge("baseline", bare, (run) => [run]);
  return {
    measurement: {
      figure: summarize(service.items.map(perCpuSecond)),
      baseline: summarize(reference.items.map(perCpuSecond)),
      notes: [...service.notes, ...reference.notes],
      generatorLoad: greatestLoad([...ours, ...bare]),
      isGeneratorBound: service.isGeneratorBound || reference.isGeneratorBound,
    },
    perSecond: summarize(service.items.map(({ count, wallMs }) => (count * 1000) / wallMs)).median,
  };
}

/** What a run achieved per second of the server's CPU time. */
export function perCpuSecond({ count, serverCpuMs }: Run): number {
  return (count * 1000) / serverCpuMs;
}
