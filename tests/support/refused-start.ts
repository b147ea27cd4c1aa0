import { expect } from "bun:test";
import { inTime } from "./inbox.ts";
import { type Launch, launch } from "./server-process.ts";

const exitDeadlineMs = 30_000;

/**
 * Starts a server that must not start: it ends with exit code 2 and prints one line per problem and no stack trace.
 * Returns what it printed.
 */
export async function refusedStart(options: Launch): Promise<string> {
  const process = launch(options);
  try {
    expect(await inTime(process.exited, "end of a server that must not start", exitDeadlineMs)).toBe(2);
  } finally {
    if (!process.hasExited) process.kill("SIGKILL");
  }
  expect(process.output).not.toMatch(/^\s+at /m);
  return process.output;
}

/** A configuration that would start on a free port, with these settings of `service` beside it. */
export const minimal = (service: Readonly<Record<string, unknown>> = {}) => ({
  service: { listen: [{ url: "http://127.0.0.1:0" }], keys: { primary: "k".repeat(32) }, ...service },
});
