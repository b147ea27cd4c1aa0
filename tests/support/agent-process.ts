import { createInterface } from "node:readline";
import { fromLine, toLine } from "./agent-wire.ts";

/** What the test may ask for, by name. The arguments are those of the test's call. */
export type Commands = Readonly<Record<string, (...args: never[]) => unknown>>;

/**
 * The Node side of a `NodeAgent`: runs the commands that arrive as lines on standard input, each as soon as it arrives,
 * and answers on standard output. The process ends when standard input does.
 */
export function serve(commands: Commands): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void run(commands, line));
  lines.on("close", () => process.exit(0));
}

/** Tells the test of something that happened by itself; it lands in `NodeAgent.events`. */
export function report(event: unknown): void {
  process.stdout.write(`${toLine({ event })}\n`);
}

async function run(commands: Commands, line: string): Promise<void> {
  const { id, command, args } = fromLine(line) as { id: number; command: string; args: readonly unknown[] };
  try {
    const act = commands[command] as ((...all: readonly unknown[]) => unknown) | undefined;
    if (act === undefined) throw new Error(`no command ${command}`);
    process.stdout.write(`${toLine({ id, result: await act(...args) })}\n`);
  } catch (error) {
    process.stdout.write(`${toLine({ id, failure: describe(error) })}\n`);
  }
}

/** The error's own members that can travel: `statusCode`, `code` and the like, beside name and message. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: "NotAnError", message: String(error) };
  const plain = Object.entries(error).filter(([, value]) => isPlain(value));
  return { ...Object.fromEntries(plain), name: error.name, message: error.message };
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "function";
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
}
