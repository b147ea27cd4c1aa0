import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unitTimeoutMs } from "./suites.ts";

/** The repository's root folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** One check: a command that fails on a fault, and how many files its output says it looked at. */
export interface Gate {
  readonly name: string;
  /** Runs with the project folder (the repository, or a canary's copy) as working directory. */
  readonly command: (project: string) => readonly string[];
  /** Files looked at, from the command's output; 0 where the output names none. A gate that saw nothing has failed. */
  readonly files: (output: string, project: string) => number;
  /** Shortens the output for a person who has to fix the fault. */
  readonly brief?: (output: string) => string;
}

const bun = process.execPath;
const require = createRequire(import.meta.url);
const inPackage = (manifest: string, path: string): string => join(dirname(manifest), path);
const firstNumber = (pattern: RegExp) => (output: string) => Number(pattern.exec(output)?.[1] ?? 0);
const isOurs = (line: string, project: string): boolean => line.startsWith(project) && !line.includes("/node_modules/");
const without = (pattern: RegExp, output: string): string =>
  output
    .split("\n")
    .filter((line) => !pattern.test(line))
    .join("\n");

/** Folders with TypeScript of ours that exist in a project. */
function sources(project: string): readonly string[] {
  return ["src", "tests", "bench", "tooling", "portal"].filter((folder) => existsSync(join(project, folder)));
}

const tools = {
  tsc: inPackage(require.resolve("@typescript/native/package.json"), "bin/tsc"),
  oxlint: inPackage(require.resolve("oxlint/package.json"), "bin/oxlint"),
  biome: inPackage(require.resolve("@biomejs/biome/package.json"), "bin/biome"),
  depcruise: inPackage(require.resolve("dependency-cruiser/package.json"), "bin/dependency-cruiser.mjs"),
  knip: inPackage(require.resolve("knip/package.json"), "bin/knip.js"),
};
const knipCounter = join(root, "tooling", "knip-counter.ts");

// The tools are Node programs; Bun runs them too, so no particular Node version is needed for a check.
export const gates: readonly Gate[] = [
  {
    name: "types",
    command: () => [bun, tools.tsc, "-p", ".", "--pretty", "false", "--listFiles"],
    files: (output, project) => output.split("\n").filter((line) => isOurs(line, project)).length,
    brief: (output) => without(/^(\/|[A-Z]:[\\/])/i, output),
  },
  {
    // Pages and what looks at them: a browser's globals must not be there for anything else.
    name: "types-browser",
    command: () => [bun, tools.tsc, "-p", "tsconfig.browser.json", "--pretty", "false", "--listFiles"],
    files: (output, project) => output.split("\n").filter((line) => isOurs(line, project)).length,
    brief: (output) => without(/^(\/|[A-Z]:[\\/])/i, output),
  },
  {
    name: "lint",
    command: () => [bun, tools.oxlint],
    files: firstNumber(/on (\d+) files? with/),
  },
  {
    name: "format",
    command: () => [bun, tools.biome, "ci", "--colors=off", "--max-diagnostics=50"],
    files: firstNumber(/Checked (\d+) files?/),
  },
  {
    name: "rooms",
    command: (project) => [bun, tools.depcruise, "--config", ".dependency-cruiser.cjs", ...sources(project)],
    files: firstNumber(/(\d+) modules/),
  },
  {
    name: "dead",
    command: () => [
      bun,
      tools.knip,
      "--no-progress",
      "--no-config-hints",
      "--reporter",
      "symbols",
      "--reporter",
      knipCounter,
    ],
    files: firstNumber(/knip looked at (\d+) files/),
  },
  {
    name: "spec",
    command: (project) => [bun, join(root, "tooling", "spec-coverage.ts"), project],
    files: firstNumber(/ids in (\d+) documents/),
  },
  {
    name: "unit",
    command: (project) => {
      const folders = ["src", "tooling", "portal"].filter((folder) => existsSync(join(project, folder)));
      return [bun, "test", `--timeout=${unitTimeoutMs}`, ...folders.map((folder) => `./${folder}/`)];
    },
    files: firstNumber(/Ran \d+ tests? across (\d+) files?/),
    brief: (output) => without(/^\((pass|skip|todo)\)/, output),
  },
];

/** Rejects every gate's canary; one "file" per canary. Runs outside of `gates`, since a canary needs them all. */
export const canaryGate: Gate = {
  name: "canaries",
  command: () => [bun, join(root, "tooling", "canaries.ts")],
  files: firstNumber(/(\d+) canaries rejected/),
};
