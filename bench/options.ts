import { parseArgs } from "node:util";
import type { Effort } from "./scenario.ts";

/** What the command line asks for. */
export type Options =
  | { readonly ok: true; readonly only: readonly string[] | null; readonly isShort: boolean; readonly effort: Effort }
  | { readonly ok: false; readonly problem: string };

/** docs/spec/performance.md section 4. */
export const full: Effort = { runs: 5, runMs: 5000, warmUpMs: 2000 };
/** Ratios only: enough to see whether a change broke something. */
export const short: Effort = { runs: 2, runMs: 1000, warmUpMs: 1500 };

/** Reads `--only P1,P6` and `--short`; `known` are the scenario ids there are. */
export function readOptions(args: readonly string[], known: readonly string[]): Options {
  let values: { readonly only?: string; readonly short?: boolean };
  try {
    ({ values } = parseArgs({ args: [...args], options: { only: { type: "string" }, short: { type: "boolean" } } }));
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
  const only = values.only?.split(",").map((id) => id.trim().toUpperCase()) ?? null;
  const unknown = only?.find((id) => !known.includes(id));
  if (unknown !== undefined) return { ok: false, problem: `no scenario ${unknown}; there are ${known.join(", ")}` };
  const isShort = values.short === true;
  return { ok: true, only, isShort, effort: isShort ? short : full };
}
