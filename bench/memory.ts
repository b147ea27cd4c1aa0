import { startGenerators } from "./generator.ts";
import type { Workload } from "./load/job.ts";
import { descriptorLimit, settledBytes } from "./process-stats.ts";
import type { Effort, Measurement } from "./scenario.ts";
import { type Baseline, type RunningServer, startBaseline, startService } from "./server.ts";
import { summarize } from "./statistics.ts";

/** Descriptors a process needs besides its connections. */
const spareDescriptors = 200;

/**
 * Measures resident memory per idle connection, in kilobytes of 1,024: memory of a fresh server before and after its
 * clients came, each time when it has settled. Nothing asks the server to collect garbage.
 */
export async function measureIdleMemory(wanted: number, baseline: Baseline, effort: Effort): Promise<Measurement> {
  const connections = possibleConnections(wanted);
  const workload: Workload = { kind: "idle", connections };
  const runs = memoryRuns(effort);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < runs; run++) {
    ours.push(await kilobytesPerConnection(() => startService(), workload, connections));
    bare.push(await kilobytesPerConnection(() => startBaseline(baseline, null), workload, connections));
  }
  return {
    figure: summarize(ours),
    baseline: summarize(bare),
    notes: connections < wanted ? [`${connections} connections: no more descriptors (ulimit -Hn)`] : [],
    generatorLoad: null,
    isGeneratorBound: false,
  };
}

/** Fewer runs than elsewhere: they differ by one percent. */
export function memoryRuns(effort: Effort): number {
  return Math.ceil(effort.runs / 2);
}

/** As many connections as wanted, or as one process may hold. */
export function possibleConnections(wanted: number): number {
  return Math.min(wanted, descriptorLimit() - spareDescriptors);
}

/** Resident memory that a fresh server needs for each of the connections a workload opens. */
export async function kilobytesPerConnection(
  startServer: () => Promise<RunningServer>,
  workload: Workload,
  connections: number,
): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const server = await startServer();
  cleanup.defer(() => server.stop());
  const { endpoint } = server;
  const before = await settledBytes(endpoint.pid);
  const generator = await startGenerators({ endpoint, workload }, 1);
  cleanup.defer(() => generator.stop());
  const after = await settledBytes(endpoint.pid);
  await generator.run(0); // rejects if it lost a connection meanwhile
  return (after - before) / 1024 / connections;
}
