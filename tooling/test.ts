// `npm test [-- [--suite NAME] [C-31 …]]`: every suite in a process of its own, one line each, the sum at the end.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./gates.ts";
import { findProgram, programVariables } from "./programs.ts";
import { run, seconds } from "./run.ts";
import { type Counts, junitCounts, mayHold, parseSelection, type Suite, testFiles, titlePattern } from "./suites.ts";

const suiteTimeoutMs = 20 * 60_000;
const isCi = !["", "0", "false"].includes(process.env["CI"] ?? "");
const none: Counts = { passed: 0, failed: 0, skipped: 0 };

function report(suite: Suite, ms: number, text: string): void {
  console.log(`${suite.name.padEnd(12)} ${seconds(ms).padStart(8)}  ${text}`);
}

/** Where the suite's programs are, as environment; a string is what is missing. */
async function prepare(suite: Suite): Promise<Readonly<Record<string, string>> | string> {
  const env: Record<string, string> = {};
  for (const need of suite.needs) {
    const program = await findProgram(need);
    if ("problem" in program) return program.problem;
    env[programVariables[need]] = program.path;
  }
  return env;
}

/** Runs one suite and prints its line, and everything it printed where it failed. */
async function runSuite(suite: Suite, words: readonly string[]): Promise<Counts> {
  const files = await testFiles(suite, root);
  const sources = await Promise.all(files.map((file) => Bun.file(file).text()));
  if (!sources.some((source) => mayHold(source, words))) return none;
  const env = await prepare(suite);
  if (typeof env === "string") {
    report(suite, 0, isCi ? `FAILED: ${env}` : `skipped: ${env}`);
    return isCi ? { ...none, failed: 1 } : none;
  }
  const folder = await mkdtemp(join(tmpdir(), "tidewire-test-"));
  try {
    const junit = join(folder, "junit.xml");
    const pattern = titlePattern(words);
    const flags = [`--timeout=${suite.testTimeoutMs}`, "--reporter=junit", `--reporter-outfile=${junit}`];
    if (pattern !== null) flags.push("--test-name-pattern", pattern);
    const command = [process.execPath, "--no-orphans", "test", ...flags, ...files];
    const { exitCode, output, ms } = await run(command, { cwd: root, env, timeoutMs: suiteTimeoutMs });
    const xml = Bun.file(junit);
    const counted = (await xml.exists()) ? junitCounts(await xml.text()) : null;
    const counts = judge({ exitCode, counted, filtered: pattern !== null });
    if (counts.failed > 0) console.log(`\n${output}\n`);
    const crashed = counts.failed > (counted?.failed ?? 0) ? ` (the process ended with ${exitCode})` : "";
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    report(suite, ms, `${counts.passed} passed, ${counts.failed} failed${skipped}${crashed}`);
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run that failed without a failed test (a crash, an error between tests) counts as one failure. */
function judge(ended: { exitCode: number; counted: Counts | null; filtered: boolean }): Counts {
  const counts = ended.counted ?? none;
  const matchedNothing = ended.filtered && ended.counted !== null && counts.passed + counts.failed === 0;
  const isBroken = ended.exitCode !== 0 && counts.failed === 0 && !matchedNothing;
  // With a filter, bun counts every other test as skipped.
  return { ...counts, failed: isBroken ? 1 : counts.failed, skipped: ended.filtered ? 0 : counts.skipped };
}

async function main(args: readonly string[]): Promise<number> {
  const selection = parseSelection(args);
  if (typeof selection === "string") {
    console.error(selection);
    return 1;
  }
  let sum = none;
  for (const suite of selection.suites) {
    const counts = await runSuite(suite, selection.words);
    sum = {
      passed: sum.passed + counts.passed,
      failed: sum.failed + counts.failed,
      skipped: sum.skipped + counts.skipped,
    };
  }
  if (sum.passed + sum.failed === 0) console.log("no test ran");
  console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
