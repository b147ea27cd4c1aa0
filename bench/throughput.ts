import { type Generator, startGenerator } from "./generator.ts";
import type { Run, Workload } from "./load/job.ts";
import type { Effort, Measurement } from "./scenario.ts";
import { type Baseline, type RunningServer, startBaseline, startService } from "./server.ts";
import { summarize } from "./statistics.ts";

/** A generator that needs this part of a core may have been the limit (docs/spec/performance.md section 4). */
const saturated = 0.95;

/** Two workloads that differ only in what a bare server cannot do. */
export interface Comparison {
  readonly baseline: Baseline;
  readonly workload: Workload;
  readonly bareWorkload?: Workload;
}

interface Side {
  readonly server: RunningServer;
  readonly generator: Generator;
}

/**
 * Measures the service and its baseline, run by run in turn, so that whatever else the machine does meets both. The
 * figures are counts per CPU-second of the server process.
 */
export async function measureThroughput(comparison: Comparison, effort: Effort): Promise<Measurement> {
  const { baseline, workload, bareWorkload = workload } = comparison;
  await using sides = new AsyncDisposableStack();
  const ours = await startSide(sides, startService, workload);
  const bare = await startSide(sides, () => startBaseline(baseline), bareWorkload);
  await ours.generator.run(effort.warmUpMs);
  await bare.generator.run(effort.warmUpMs);
  const oursRuns: Run[] = [];
  const bareRuns: Run[] = [];
  for (let run = 0; run < effort.runs; run++) {
    oursRuns.push(await ours.generator.run(effort.runMs));
    bareRuns.push(await bare.generator.run(effort.runMs));
  }
  const service = judge("service", oursRuns);
  const reference = judge("baseline", bareRuns);
  return {
    figure: summarize(service.figures),
    baseline: summarize(reference.figures),
    notes: [...service.notes, ...reference.notes],
    generatorLoad: Math.max(...[...oursRuns, ...bareRuns].map(loadOf)),
    isGeneratorBound: service.isGeneratorBound || reference.isGeneratorBound,
  };
}

async function startSide(
  sides: AsyncDisposableStack,
  startServer: () => Promise<RunningServer>,
  workload: Workload,
): Promise<Side> {
  const server = await startServer();
  sides.defer(() => server.stop());
  const generator = await startGenerator({ endpoint: server.endpoint, workload });
  sides.defer(() => generator.stop());
  return { server, generator };
}

/** Throws away the runs in which the generator was the limit, unless it was in all of them. */
function judge(
  side: string,
  runs: readonly Run[],
): { readonly figures: readonly number[]; readonly notes: readonly string[]; readonly isGeneratorBound: boolean } {
  const good = runs.filter((run) => loadOf(run) < saturated);
  const isGeneratorBound = good.length === 0;
  const counted = isGeneratorBound ? runs : good;
  const thrownAway = runs.length - good.length;
  const notes =
    thrownAway === 0
      ? []
      : [`${side}: generator-bound in ${thrownAway} of ${runs.length} runs${isGeneratorBound ? "" : ", thrown away"}`];
  return { figures: counted.map((run) => (run.count * 1000) / run.serverCpuMs), notes, isGeneratorBound };
}

/** The part of a core that the generator needed. */
function loadOf({ generatorCpuMs, wallMs }: Run): number {
  return generatorCpuMs / wallMs;
}
