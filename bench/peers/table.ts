import { aligned, figureText } from "../report.ts";
import type { PeerScenario } from "./scenarios.ts";
import type { Contestant, Result, Results } from "./side-by-side.ts";

/** A scenario and what came of it. */
export interface Measured {
  readonly scenario: PeerScenario;
  readonly results: Results;
}

/**
 * One line per peer, one column per scenario: the figure, its spread, and in brackets the figure as a multiple of the
 * first peer's. Problems and notes stand below.
 */
export function peerTable(contestants: readonly Contestant[], measured: readonly Measured[]): string {
  const [first] = contestants;
  const header = ["", "version", ...measured.map(({ scenario: { id, unit } }) => `${id} ${unit}`)];
  const rows = contestants.map(({ peer, installed }) => [
    peer.name,
    installed.version,
    ...measured.map(({ results }) => cell(results.get(peer.name), results.get(first?.peer.name ?? ""))),
  ]);
  const notes = measured.flatMap(({ scenario, results }) =>
    [...results].flatMap(([name, result]) =>
      "problem" in result
        ? [`${scenario.id}: ${name} could not be measured: ${result.problem}`]
        : result.notes.map((note) => `${scenario.id}: ${note}`),
    ),
  );
  return [...aligned([header, ...rows]), ...new Set(notes)].join("\n");
}

function cell(result: Result | undefined, reference: Result | undefined): string {
  if (result === undefined || "problem" in result) return "failed";
  if (result.isGeneratorBound) return "generator-bound";
  const text = figureText(result.figure);
  if (result === reference || reference === undefined || "problem" in reference) return text;
  return `${text} (${(result.figure.median / reference.figure.median).toFixed(2)} ×)`;
}
