import { greatestLoad, judge } from "./judge.ts";
import type { Latency, Run } from "./load/job.ts";
import type { Effort, Measurement } from "./scenario.ts";
import { runInTurn, type Sides } from "./sides.ts";
import { summarize } from "./statistics.ts";

/** What half and 99 of 100 stay below, in milliseconds. */
export interface Percentiles {
  readonly p50: Measurement;
  readonly p99: Measurement;
}

/**
 * Measures delays, at a fixed pace (an open loop, corrected for coordinated omission) or, without one, as the workload's
 * closed loop goes. The baseline gets the same pace as the service.
 */
export async function compareLatency(sides: Sides, effort: Effort, perSecond?: number): Promise<Percentiles> {
  const { ours, bare } = await runInTurn(sides, effort, perSecond);
  const service = judge("service", ours, (run) => [run]);
  const reference = judge("baseline", bare, (run) => [run]);
  const measurement = (of: (latency: Latency) => number): Measurement => ({
    figure: summarize(service.items.map((run) => of(latencyOf(run)))),
    baseline: summarize(reference.items.map((run) => of(latencyOf(run)))),
    notes: [...service.notes, ...reference.notes],
    generatorLoad: greatestLoad([...ours, ...bare]),
    isGeneratorBound: service.isGeneratorBound || reference.isGeneratorBound,
  });
  return { p50: measurement(({ p50Ms }) => p50Ms), p99: measurement(({ p99Ms }) => p99Ms) };
}

function latencyOf({ latency }: Run): Latency {
  if (latency === null) throw new Error("nothing came back in a run, so no delay is known");
  return latency;
}
