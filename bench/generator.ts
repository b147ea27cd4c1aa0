import { fileURLToPath } from "node:url";
import type { Job, Order, Report, Run } from "./load/job.ts";

const program = fileURLToPath(new URL("load/generator.process.ts", import.meta.url));

/** Time to sign tokens and open connections, on a machine that is very busy. */
const readyDeadlineMs = 120_000;
/** Time beyond a run in which everything under way has to come back. */
const runDeadlineMs = 30_000;

/** A load generator in a process of its own, ready to run. */
export interface Generator {
  /** Keeps up the load for this long, at a fixed pace or as a closed loop, and tells what came of it. One run at a time. */
  run(runMs: number, perSecond?: number): Promise<Run>;
  /** Ends it, and with it its connections. */
  stop(): Promise<void>;
}

/** Starts a generator; resolves when its connections stand. */
async function startGenerator(job: Job): Promise<Generator> {
  let answered: Pick<PromiseWithResolvers<Report>, "resolve" | "reject"> | null = null;
  let isOver = false;
  const child = Bun.spawn([process.execPath, program], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (report: Report) => answered?.resolve(report),
    onExit: () => {
      isOver = true;
      answered?.reject(endedEarly());
    },
  });
  const kill = (): void => child.kill("SIGKILL");
  process.once("exit", kill);
  const ask = async (message: Job | Order, withinMs: number): Promise<Report> => {
    if (isOver) throw endedEarly();
    const { promise, resolve, reject } = Promise.withResolvers<Report>();
    answered = { resolve, reject };
    const deadline = setTimeout(
      () => reject(new Error("messages or answers were lost: the load stands still")),
      withinMs,
    );
    child.send(message);
    return promise.finally(() => clearTimeout(deadline));
  };
  const stop = async (): Promise<void> => {
    answered = null;
    kill();
    await child.exited;
    process.off("exit", kill);
  };
  try {
    await ask(job, readyDeadlineMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async run(runMs, perSecond) {
      const report = await ask({ runMs, perSecond: perSecond ?? null }, runMs + runDeadlineMs);
      if (report.kind !== "run") throw new Error("the load generator answered out of turn");
      return report.run;
    },
    stop,
  };
}

/** Starts several that make the same load together, for servers that outrun one; they count throughput only. */
export async function startGenerators(job: Omit<Job, "share">, parts: number): Promise<Generator> {
  const starting = Array.from({ length: parts }, (_, part) => startGenerator({ ...job, share: { part, parts } }));
  const started = await Promise.all(starting);
  const [only] = started;
  if (only !== undefined && parts === 1) return only;
  return {
    run: async (runMs, perSecond) => together(await Promise.all(started.map((each) => each.run(runMs, perSecond)))),
    stop: async () => void (await Promise.all(started.map((each) => each.stop()))),
  };
}

/** One run of several generators; each read the clocks for itself, at nearly the same time. */
function together(runs: readonly Run[]): Run {
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  return {
    count: sum(({ count }) => count),
    wallMs: sum(({ wallMs }) => wallMs) / runs.length,
    serverCpuMs: sum(({ serverCpuMs }) => serverCpuMs) / runs.length,
    generatorCpuMs: Math.max(...runs.map(({ generatorCpuMs }) => generatorCpuMs)),
    latency: null,
  };
}

/** It has said why on stderr. */
function endedEarly(): Error {
  return new Error("the load generator ended early");
}
