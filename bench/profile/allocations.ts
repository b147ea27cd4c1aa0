import { type Generator, startGenerators } from "../generator.ts";
import type { Workload } from "../load/job.ts";
import type { HeapFigures, Probe } from "../probe.ts";
import { startProbedService } from "../server.ts";
import { handlerFor } from "./handler.ts";

const warmUpMs = 2000;
/** Between two looks at the heap; short, so that most pairs have no collection between them. */
const pauseMs = 20;

/** What one delivery, request or connect costs. */
export interface Allocations {
  readonly microseconds: number;
  /** New objects by type, most first. */
  readonly objects: readonly (readonly [type: string, each: number])[];
}

/** Measures the service under a load, and counts new objects between two looks at its heap; see `HeapFigures`. */
export async function allocationsOf(workload: Workload, runMs: number): Promise<Allocations> {
  await using cleanup = new AsyncDisposableStack();
  const server = await startProbedService({ handlerPort: await handlerFor(workload, cleanup) });
  cleanup.defer(() => server.stop());
  const generator = await startGenerators({ endpoint: server.endpoint, workload }, 1);
  cleanup.defer(() => generator.stop());
  await generator.run(warmUpMs);
  const { count, serverCpuMs } = await generator.run(runMs);
  const microseconds = (serverCpuMs * 1000) / count;
  const { growth, cpuMicroseconds } = await greatestGrowth(server.probe, generator, runMs);
  return {
    microseconds,
    objects: growth.map(([type, objects]) => [type, (objects * microseconds) / cpuMicroseconds] as const),
  };
}

/** Looks at the heap again and again during a run; the pair with the greatest growth had no collection in between. */
async function greatestGrowth(probe: Probe, generator: Generator, runMs: number): Promise<Growth> {
  let isOver = false;
  const run = generator.run(runMs).finally(() => {
    isOver = true;
  });
  let best: Growth = { growth: [], total: 0, cpuMicroseconds: 1 };
  while (!isOver) {
    const before = await probe.ask("now");
    await Bun.sleep(pauseMs);
    const grown = growthOf(before, await probe.ask("now"));
    if (grown.total / grown.cpuMicroseconds > best.total / best.cpuMicroseconds) best = grown;
  }
  await run;
  return best;
}

interface Growth {
  readonly growth: readonly (readonly [type: string, objects: number])[];
  readonly total: number;
  readonly cpuMicroseconds: number;
}

function growthOf(before: HeapFigures, after: HeapFigures): Growth {
  const growth = Object.entries(after.objects)
    .map(([type, objects]) => [type, objects - (before.objects[type] ?? 0)] as const)
    .sort(([, left], [, right]) => right - left);
  const total = growth.reduce((sum, [, objects]) => sum + objects, 0);
  return { growth, total, cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds };
}
