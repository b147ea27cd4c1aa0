import { type ChildProcess, spawn } from "node:child_process";
import { inTime } from "./inbox.ts";
import { cleanUpLater } from "./reaper.ts";

/** A broker in a process of its own. */
export interface BrokerProcess {
  /** Stops it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Starts a program and waits until it has written `ready`; it ends at the latest with the test process. */
export async function startBroker(
  command: readonly [string, ...string[]],
  { ready, withinMs = 20_000 }: { readonly ready: RegExp; readonly withinMs?: number },
): Promise<BrokerProcess> {
  const [program, ...args] = command;
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  if (child.pid !== undefined) cleanUpLater("started", child.pid);
  let output = "";
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => {
      if (child.pid !== undefined) cleanUpLater("ended", child.pid);
      resolve();
    });
  });
  const isReady = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-20_000);
      if (ready.test(output)) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then(() => reject(new Error(`${program} ended:\n${output}`)));
    child.once("error", reject);
  });
  await inTime(isReady, `start of ${program}`, withinMs).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    async kill() {
      child.kill("SIGKILL");
      await inTime(exited, `end of ${program}`);
    },
  };
}
