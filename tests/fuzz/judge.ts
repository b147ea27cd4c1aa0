import type { FuzzTarget } from "./target.ts";

/** What an input may take of the thread's own time (H-13). The usual one takes microseconds, the longest some milliseconds. */
export const requiredMs = 50;
/** In every test run: a slow machine is not a slow decoder, and a decoder that is not linear takes seconds. */
export const patientMs = 10 * requiredMs;
const attempts = 3;

/** What an input shows. */
export interface Verdict {
  /** That of the outcome. */
  readonly kind: string;
  /** null: as it should be. */
  readonly problem: string | null;
}

/**
 * Decodes an input: it must become what the decoder promises, and that within `maxMs` in one of three attempts.
 * Time that other threads had the processor for does not count: a busy machine is not a slow decoder.
 */
export function judge(target: FuzzTarget, input: Uint8Array, maxMs: number): Verdict {
  let fastest = Number.POSITIVE_INFINITY;
  try {
    for (let attempt = 1; ; attempt++) {
      const start = process.threadCpuUsage();
      const decoded = target.decode(input);
      const { user, system } = process.threadCpuUsage(start);
      fastest = Math.min(fastest, (user + system) / 1000);
      if (fastest <= maxMs) return { kind: decoded.kind, problem: decoded.problem() };
      if (attempt === attempts) return { kind: decoded.kind, problem: `took ${fastest.toFixed(0)} ms` };
    }
  } catch (error) {
    return { kind: "thrown", problem: `threw ${Bun.inspect(error)}` };
  }
}
