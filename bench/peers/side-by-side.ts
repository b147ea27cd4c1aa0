import { type Generator, startGenerators } from "../generator.ts";
import { greatestLoad, judge } from "../judge.ts";
import type { Run, Workload } from "../load/job.ts";
import { kilobytesPerConnection, memoryRuns, possibleConnections } from "../memory.ts";
import type { Effort } from "../scenario.ts";
import { type Figure, summarize } from "../statistics.ts";
import { perCpuSecond } from "../throughput.ts";
import type { Installed, Peer } from "./peer.ts";
import type { PeerScenario } from "./scenarios.ts";

/** A peer that is there. */
export interface Contestant {
  readonly peer: Peer;
  readonly installed: Installed;
}

/** How one peer did in one scenario. */
export type Result =
  | {
      readonly figure: Figure;
      /** Anything that limits what the figure says. */
      readonly notes: readonly string[];
      /** Greatest part of a core that the generator needed; null where it has nothing to do. */
      readonly generatorLoad: number | null;
      /** The generator was the limit in every run: the figure says nothing. */
      readonly isGeneratorBound: boolean;
    }
  /** It could not be measured. */
  | { readonly problem: string };

/** Results by the peers' names. */
export type Results = ReadonlyMap<string, Result>;

/** Measures a scenario for everybody, run by run in turn, so that whatever else the machine does meets all of them. */
export function measureAll(
  scenario: PeerScenario,
  contestants: readonly Contestant[],
  effort: Effort,
): Promise<Results> {
  return scenario.load.kind === "idle"
    ? memory(scenario.load.connections, contestants, effort)
    : throughput(scenario, contestants, effort);
}

async function throughput(
  { load }: PeerScenario,
  contestants: readonly Contestant[],
  { runs, runMs, warmUpMs }: Effort,
): Promise<Results> {
  await using cleanup = new AsyncDisposableStack();
  const start = async ({ peer, installed }: Contestant): Promise<Generator> => {
    const server = await installed.start();
    cleanup.defer(() => server.stop());
    const workload: Workload = { kind: "peer", dialect: peer.dialect, load };
    const generator = await startGenerators({ endpoint: server.endpoint, workload }, 1);
    cleanup.defer(() => generator.stop());
    await generator.run(warmUpMs);
    return generator;
  };
  const generators = await inTurn(contestants, start);
  const found = new Map<string, Run[]>(contestants.map(({ peer }) => [peer.name, []]));
  for (let round = 0; round < runs; round++) {
    for (const { peer } of contestants) {
      const generator = generators.get(peer.name);
      if (generator === undefined || "problem" in generator) continue;
      try {
        found.get(peer.name)?.push(await generator.run(runMs));
      } catch (error) {
        generators.set(peer.name, { problem: reason(error) });
      }
    }
  }
  return new Map(
    contestants.map(({ peer: { name } }) => {
      const generator = generators.get(name) ?? { problem: "it did not start" };
      return [name, "problem" in generator ? generator : resultOf(name, found.get(name) ?? [])];
    }),
  );
}

function resultOf(name: string, runs: readonly Run[]): Result {
  const { items, notes, isGeneratorBound } = judge(name, runs, (run) => [run]);
  return { figure: summarize(items.map(perCpuSecond)), notes, generatorLoad: greatestLoad(runs), isGeneratorBound };
}

/** As P10 of `npm run bench`: a fresh server for each run. */
async function memory(wanted: number, contestants: readonly Contestant[], effort: Effort): Promise<Results> {
  const connections = possibleConnections(wanted);
  const notes = connections < wanted ? [`${connections} connections: no more descriptors (ulimit -Hn)`] : [];
  return inTurn(contestants, async ({ peer, installed }) => {
    const workload: Workload = { kind: "peer", dialect: peer.dialect, load: { kind: "idle", connections } };
    const figures: number[] = [];
    for (let run = 0; run < memoryRuns(effort); run++) {
      figures.push(await kilobytesPerConnection(() => installed.start(), workload, connections));
    }
    return { figure: summarize(figures), notes, generatorLoad: null, isGeneratorBound: false };
  });
}

/** Does something for one peer after the other; what fails for one does not concern the others. */
async function inTurn<Value>(
  contestants: readonly Contestant[],
  work: (contestant: Contestant) => Promise<Value>,
): Promise<Map<string, Value | { readonly problem: string }>> {
  const values = new Map<string, Value | { readonly problem: string }>();
  for (const contestant of contestants) {
    try {
      values.set(contestant.peer.name, await work(contestant));
    } catch (error) {
      values.set(contestant.peer.name, { problem: reason(error) });
    }
  }
  return values;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
