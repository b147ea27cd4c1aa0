import type { Backplane } from "../core/ports.ts";

/** The backplane of a single node: there is nobody else, so nothing is ever lost, unknown elsewhere, or down. */
export function createInProcessBackplane(): Backplane {
  return {
    publish: () => "done",
    ask: () => Promise.resolve({ kind: "outcome", outcome: "unknown" }),
    askAll: () => Promise.resolve([]),
  };
}
