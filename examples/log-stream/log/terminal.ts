// What the two commands have in common.
import { parseArgs } from "node:util";

/** Where server.ts listens unless it is told otherwise. */
const defaultServer = `http://localhost:${process.env["PORT"] ?? 3004}`;

/** Reads `--name value` options, each of which may be given once, and what else is on the command line. */
export function readArguments(names: readonly string[], usage: string) {
  try {
    const options = Object.fromEntries(["server", ...names].map((name) => [name, { type: "string" as const }]));
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const { server = defaultServer, ...others } = values;
    if (!URL.canParse(server) || !/^https?:/.test(server)) throw new Error(`"${server}" is not an address`);
    return { server, values: others, positionals };
  } catch (error) {
    misused(`${(error as Error).message}\n${usage}`);
  }
}

export function misused(message: string): never {
  console.error(message);
  process.exit(2);
}

export function failed(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Why the connection could not be made, in words. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return typeof error === "string" ? error : "the connection could not be made";
}
