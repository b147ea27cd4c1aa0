import { existsSync } from "node:fs";
import { join } from "node:path";

/** A program outside npm's packages, or one that an npm install script places, that a suite needs. */
export type Need = "node" | "chromium" | "nats" | "kafka" | "maven" | "python" | "postgres";

/** One folder of tests, run by a process of its own. */
export interface Suite {
  readonly name: string;
  readonly folders: readonly string[];
  readonly needs: readonly Need[];
  /** Default limit of one test; a test may set its own. */
  readonly testTimeoutMs: number;
}

/** Long enough for the slowest property on a busy machine. */
export const unitTimeoutMs = 60_000;

/** In the order they run: the quick ones first. */
export const suites: readonly Suite[] = [
  { name: "unit", folders: ["src", "tooling", "portal"], needs: [], testTimeoutMs: unitTimeoutMs },
  { name: "contract", folders: ["tests/contract"], needs: [], testTimeoutMs: 60_000 },
  { name: "fuzz", folders: ["tests/fuzz"], needs: [], testTimeoutMs: 120_000 },
  { name: "conformance", folders: ["tests/conformance"], needs: [], testTimeoutMs: 90_000 },
  { name: "nats", folders: ["tests/nats"], needs: ["nats"], testTimeoutMs: 90_000 },
  { name: "kafka", folders: ["tests/kafka"], needs: ["kafka"], testTimeoutMs: 180_000 },
  { name: "e2e", folders: ["tests/e2e"], needs: ["node"], testTimeoutMs: 240_000 },
  { name: "browser", folders: ["tests/browser"], needs: ["node", "chromium"], testTimeoutMs: 240_000 },
  {
    name: "examples",
    folders: ["tests/examples"],
    needs: ["node", "chromium", "maven", "python", "postgres"],
    testTimeoutMs: 240_000,
  },
  { name: "faults", folders: ["tests/faults"], needs: ["node"], testTimeoutMs: 240_000 },
  { name: "regression", folders: ["tests/regression"], needs: [], testTimeoutMs: 90_000 },
];

/** The suite's test files below `project`; empty when its folders do not exist yet. */
export async function testFiles(suite: Suite, project: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of suite.folders) {
    const cwd = join(project, folder);
    if (!existsSync(cwd)) continue;
    for await (const file of new Bun.Glob("**/*.test.ts").scan({ cwd })) files.push(join(cwd, file));
  }
  return files.toSorted();
}

/** What `npm test -- …` asks for. */
export interface Selection {
  readonly suites: readonly Suite[];
  /** Assertion ids and other words; a test runs if its title has one of them. Empty: every test. */
  readonly words: readonly string[];
}

/** Reads `[--suite NAME]… [ID or words of a title]…`; a string is the complaint about it. */
export function parseSelection(args: readonly string[]): Selection | string {
  const names: string[] = [];
  const words: string[] = [];
  const waiting = args.values();
  for (const arg of waiting) {
    if (arg === "--suite") names.push(waiting.next().value ?? "");
    else if (arg.startsWith("--suite=")) names.push(arg.slice("--suite=".length));
    else if (arg.startsWith("-")) return `unknown option ${arg}; there is --suite NAME`;
    else words.push(arg);
  }
  const unknown = names.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) {
    return `no suite "${unknown}"; there are ${suites.map((suite) => suite.name).join(", ")}`;
  }
  return { suites: names.length === 0 ? suites : suites.filter((suite) => names.includes(suite.name)), words };
}

const isId = (word: string): boolean => /^[A-Z]-\d+$/.test(word);

/** Whether a file whose text is `source` can hold a wanted title. Ids stand in titles literally, other words may not. */
export function mayHold(source: string, words: readonly string[]): boolean {
  return words.length === 0 || words.some((word) => !isId(word) || new RegExp(`\\b${word}\\b`).test(source));
}

/** The title pattern for `bun test`; C-3 does not mean C-31. */
export function titlePattern(words: readonly string[]): string | null {
  if (words.length === 0) return null;
  return words.map((word) => (isId(word) ? `\\b${word}\\b` : RegExp.escape(word))).join("|");
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads the totals of a JUnit report. Null if there are none: the run crashed before it could write them. */
export function junitCounts(xml: string): Counts | null {
  const totals = /<testsuites\b[^>]*>/.exec(xml)?.[0];
  const number = (name: string): number =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals ?? "")?.[1] ?? Number.NaN);
  const [tests, failed, skipped] = [number("tests"), number("failures"), number("skipped")];
  const passed = tests - failed - skipped;
  return Number.isNaN(passed) ? null : { passed, failed, skipped };
}
