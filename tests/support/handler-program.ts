import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Inbox } from "./inbox.ts";

/** An event handler in a process of its own, in another language. */
export interface HandlerProgram {
  /** `http://127.0.0.1:<port>`, which the program printed first. */
  readonly url: string;
  /** What it printed since: one line per event. */
  readonly lines: Inbox<string>;
  stop(): Promise<void>;
}

const startDeadlineMs = 60_000; // a JVM that compiles its source first, on a busy machine

/** Starts `command` with a file of `tests/support/handlers/`; it is killed at the latest when the test process ends. */
export async function startHandlerProgram(command: string, file: string): Promise<HandlerProgram> {
  const path = fileURLToPath(new URL(`./handlers/${file}`, import.meta.url));
  const child = spawn(command, [path], { stdio: ["ignore", "pipe", "inherit"] });
  const killAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = new Inbox<string>();
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    process.off("exit", killAtExit);
  };
  try {
    const url = await lines.take({ what: `URL printed by ${file}`, withinMs: startDeadlineMs });
    return { url, lines, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
