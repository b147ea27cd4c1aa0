import { type Generator, startGenerators } from "./generator.ts";
import type { Run, Workload } from "./load/job.ts";
import type { Effort } from "./scenario.ts";
import { type Baseline, type RunningServer, startBaseline, startHandler, startService } from "./server.ts";

/** The service and its bare baseline under loads that differ only in what a bare server cannot do. */
export interface Comparison {
  readonly baseline: Baseline;
  readonly workload: Workload;
  readonly bareWorkload?: Workload;
  /** Processes that make the load together; default 1. */
  readonly generators?: number;
  /** Whether there is an event handler that echoes. */
  readonly hasHandler?: boolean;
}

/** Both under way, each with its load. */
export interface Sides {
  readonly ours: Generator;
  readonly bare: Generator;
}

/** Starts both and warms them up; `cleanup` ends them. */
export async function startSides(
  cleanup: AsyncDisposableStack,
  { baseline, workload, bareWorkload = workload, generators = 1, hasHandler = false }: Comparison,
  { warmUpMs }: Effort,
): Promise<Sides> {
  const start = async (startServer: () => Promise<RunningServer>, load: Workload): Promise<Generator> => {
    const server = await startServer();
    cleanup.defer(() => server.stop());
    const generator = await startGenerators({ endpoint: server.endpoint, workload: load }, generators);
    cleanup.defer(() => generator.stop());
    return generator;
  };
  const handler = hasHandler ? await startHandler() : null;
  cleanup.defer(async () => handler?.stop());
  const handlerPort = handler?.endpoint.port ?? null;
  const ours = await start(() => startService(handlerPort), workload);
  const bare = await start(() => startBaseline(baseline, handlerPort), bareWorkload);
  await warmUp(ours, warmUpMs);
  await warmUp(bare, warmUpMs);
  return { ours, bare };
}

/**
 * Runs a load until the server has compiled what the load needs, which takes its CPU time rather than the clock's: the
 * given time, and up to three times of it while the server has had little of a busy core or little to do.
 */
async function warmUp(generator: Generator, warmUpMs: number): Promise<void> {
  let cpuMs = 0;
  for (let step = 0; step < 6 && (step < 2 || cpuMs < warmUpMs * 0.6); step++) {
    cpuMs += (await generator.run(warmUpMs / 2)).serverCpuMs;
  }
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
