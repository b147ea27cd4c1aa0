import { fileURLToPath } from "node:url";
import type { Job, Order, Report, Run } from "./load/job.ts";

const program = fileURLToPath(new URL("load/generator.process.ts", import.meta.url));

/** A load generator in a process of its own, ready to run. */
export interface Generator {
  /** Keeps up the load for this long and tells what came of it. One run at a time. */
  run(runMs: number): Promise<Run>;
  /** Ends it, and with it its connections. */
  stop(): Promise<void>;
}

/** Starts a generator; resolves when its connections stand. */
export async function startGenerator(job: Job): Promise<Generator> {
  let answered: PromiseWithResolvers<Report> | null = null;
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
  const ask = (message: Job | Order): Promise<Report> => {
    if (isOver) return Promise.reject(endedEarly());
    answered = Promise.withResolvers();
    child.send(message);
    return answered.promise;
  };
  const stop = async (): Promise<void> => {
    answered = null;
    kill();
    await child.exited;
    process.off("exit", kill);
  };
  try {
    await ask(job);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async run(runMs) {
      const report = await ask({ runMs });
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
