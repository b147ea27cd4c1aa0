import { fileURLToPath } from "node:url";
import type { Job, Order, Report, Run } from "./load/job.ts";

const program = fileURLToPath(new URL("load/generator.process.ts", import.meta.url));

/** Time to sign tokens and open connections, on a machine that is very busy. */
const readyDeadlineMs = 120_000;
/** Time beyond a run in which everything under way has to come back. */
const runDeadlineMs = 30_000;

/** A load generator in a process of its own, ready to run. */
export interface Generator {
  /** Keeps up the load for this long and tells what came of it. One run at a time. */
  run(runMs: number): Promise<Run>;
  /** Ends it, and with it its connections. */
  stop(): Promise<void>;
}

/** Starts a generator; resolves when its connections stand. */
export async function startGenerator(job: Job): Promise<Generator> {
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
    async run(runMs) {
      const report = await ask({ runMs }, runMs + runDeadlineMs);
      if (report.kind !== "run") throw new Error("the load generator answered out of turn");
      return report.run;
    },
    stop,
  };
}

/** It has said why on stderr. */
function endedEarly(): Error {
  return new Error("the load generator ended early");
}
