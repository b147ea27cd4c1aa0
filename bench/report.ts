import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Outcome, Scenario, Target } from "./scenario.ts";
import type { Figure } from "./statistics.ts";

/** Where and what was measured; figures mean nothing without it. */
export interface Circumstances {
  readonly date: string;
  /** Null outside of a git work tree; `+` behind it: with changes that are not committed. */
  readonly commit: string | null;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number };
  /** Load average of the last minute before the start: from about a half on, somebody else is at work too. */
  readonly loadBefore: number;
  readonly bun: string;
  readonly isShort: boolean;
}

type Verdict = "met" | "missed" | "none" | "generator-bound";

/** One outcome of a scenario as it is printed and kept. */
export interface Row extends Outcome {
  readonly id: string;
  readonly title: string;
  readonly ratio: number;
  /** `none`: nothing is demanded of it. */
  readonly verdict: Verdict;
}

const project = fileURLToPath(new URL("../", import.meta.url));

export function circumstances(isShort: boolean): Circumstances {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpu?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    loadBefore: loadavg()[0] ?? Number.NaN,
    bun: Bun.version,
    isShort,
  };
}

/** Holds an outcome against its targets. */
export function rowOf({ id, title }: Scenario, outcome: Outcome): Row {
  const { figure, baseline, targets, isGeneratorBound } = outcome;
  const ratio = figure.median / baseline.median;
  const isMet = targets.every(({ of, atLeast = -Infinity, atMost = Infinity }) => {
    const value = of === "ratio" ? ratio : figure.median;
    return value >= atLeast && value <= atMost;
  });
  return { id, title, ratio, verdict: isGeneratorBound ? "generator-bound" : verdictOf(targets, isMet), ...outcome };
}

/** The table as text, one line per scenario, notes below. */
export function table(rows: readonly Row[]): string {
  const header = ["", "scenario", "unit", "tidewire", "bare", "ratio", "target", "verdict"];
  const cells = rows.map((row) => [
    row.id,
    row.title,
    row.unit,
    figureText(row.figure),
    figureText(row.baseline),
    row.ratio.toFixed(2),
    row.targets.map(targetText).join(", "),
    row.verdict,
  ]);
  const notes = rows.flatMap(({ id, notes: own }) => own.map((note) => `${id}: ${note}`));
  return [...aligned([header, ...cells]), ...notes].join("\n");
}

/** Lines of cells, each column as wide as its widest cell. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(width(column))).join("  ");
  return rows.map((row) => line(row).trimEnd());
}

/** Keeps the outcome as JSON in bench/results/; returns the file's name. */
export function save(about: Circumstances, rows: readonly Row[]): string {
  return saveAs(about, "", { scenarios: rows });
}

/** As `save`, for any outcome; `suffix` ends the file's name. */
export function saveAs(about: Circumstances, suffix: string, outcome: object): string {
  const folder = join(project, "bench", "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${about.date.replaceAll(":", "-")}${suffix}.json`);
  writeFileSync(file, `${JSON.stringify({ ...about, ...outcome }, null, 2)}\n`);
  return file;
}

function verdictOf(targets: readonly Target[], isMet: boolean): Verdict {
  if (targets.length === 0) return "none";
  return isMet ? "met" : "missed";
}

export function figureText({ median, spread }: Figure): string {
  return `${numberText(median)} ±${Math.round(spread * 50)}%`;
}

function targetText({ of, atLeast, atMost }: Target): string {
  const bound = atLeast === undefined ? `≤ ${numberText(atMost ?? 0)}` : `≥ ${numberText(atLeast)}`;
  return of === "ratio" ? `${bound} × bare` : bound;
}

function numberText(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 2 : 0 });
}

function commit(): string | null {
  const git = (...args: readonly string[]): string | null => {
    const { success, stdout } = Bun.spawnSync(["git", ...args], { cwd: project, stderr: "ignore" });
    return success ? stdout.toString().trim() : null;
  };
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head === null) return null;
  return git("status", "--porcelain") === "" ? head : `${head}+`;
}
