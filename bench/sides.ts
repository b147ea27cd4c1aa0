import { type Generator, startGenerators } from "./generator.ts";
import type { Run, Workload } from "./load/job.ts";
import type { Effort } from "./scenario.ts";
import { type Baseline, type RunningServer, startBaseline, startService } from "./server.ts";

/** The service and its bare baseline under loads that differ only in what a bare server cannot do. */
export interface Comparison {
  readonly baseline: Baseline;
  readonly workload: Workload;
  readonly bareWorkload?: Workload;
  /** Processes that make the load together; default 1. */
  readonly generators?: number;
}

/** Both under way, each with its load. */
export interface Sides {
  readonly ours: Generator;
  readonly bare: Generator;
}

/** Starts both and warms them up; `cleanup` ends them. */
export async function startSides(
  cleanup: AsyncDisposableStack,
  { baseline, workload, bareWorkload = workload, generators = 1 }: Comparison,
  { warmUpMs }: Effort,
): Promise<Sides> {
  const start = async (startServer: () => Promise<RunningServer>, load: Workload): Promise<Generator> => {
    const server = await startServer();
    cleanup.defer(() => server.stop());
    const generator = await startGenerators({ endpoint: server.endpoint, workload: load }, generators);
    cleanup.defer(() => generator.stop());
    return generator;
  };
  const ours = await start(startService, workload);
  const bare = await start(() => startBaseline(baseline), bareWorkload);
  await ours.run(warmUpMs);
  await bare.run(warmUpMs);
  return { ours, bare };
}

/** Runs both in turn, so that whatever else the machine does meets both. */
export async function runInTurn(
  { ours, bare }: Sides,
  { runs, runMs }: Effort,
  perSecond?: number,
): Promise<{ readonly ours: readonly Run[]; readonly bare: readonly Run[] }> {
  const found = { ours: [] as Run[], bare: [] as Run[] };
  for (let run = 0; run < runs; run++) {
    found.ours.push(await ours.run(runMs, perSecond));
    found.bare.push(await bare.run(runMs, perSecond));
  }
  return found;
}
