import { parseArgs } from "node:util";
import { full, short } from "../options.ts";
import type { Effort } from "../scenario.ts";

/** What the command line asks for. */
export type PeerOptions =
  | {
      readonly ok: true;
      readonly scenarios: readonly string[];
      readonly peers: readonly string[];
      readonly isShort: boolean;
      readonly effort: Effort;
    }
  | { readonly ok: false; readonly problem: string };

/** What there is to choose from. */
export interface Choice {
  readonly scenarios: readonly string[];
  readonly peers: readonly string[];
}

/** Reads `--only P1,P5`, `--peers ws,nats` and `--short`. The first peer is always there: the others are held against it. */
export function readPeerOptions(args: readonly string[], choice: Choice): PeerOptions {
  let values: { readonly only?: string; readonly peers?: string; readonly short?: boolean };
  try {
    const options = { only: { type: "string" }, peers: { type: "string" }, short: { type: "boolean" } } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
  const scenarios = values.only?.split(",").map((id) => id.trim().toUpperCase()) ?? choice.scenarios;
  const named = values.peers?.split(",").map((name) => name.trim().toLowerCase()) ?? choice.peers;
  const unknown =
    scenarios.find((id) => !choice.scenarios.includes(id)) ?? named.find((name) => !choice.peers.includes(name));
  if (unknown !== undefined) {
    const known = `${choice.scenarios.join(", ")}; ${choice.peers.join(", ")}`;
    return { ok: false, problem: `no scenario or peer ${unknown}; there are ${known}` };
  }
  const peers = choice.peers.filter((name, index) => index === 0 || named.includes(name));
  const isShort = values.short === true;
  return { ok: true, scenarios, peers, isShort, effort: isShort ? short : full };
}
