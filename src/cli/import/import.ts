import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { codeOf } from "../../config/keys.ts";
import { loadConfig } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import { isRawObject, type RawObject } from "../../config/raw-tree.ts";
import { isEmulatorTree, parseConfigText } from "../../config/read-file.ts";
import { done, type Ending, type Failure, failed, misused } from "../ending.ts";
import { safeText } from "../terminal.ts";
import { fromAzure } from "./from-azure.ts";
import { fromEmulator, mergeSettings } from "./from-emulator.ts";
import type { Imported } from "./imported.ts";

export interface ImportRequest {
  /** `-` is standard input. */
  readonly inputs: readonly string[];
  /** Null: print. */
  readonly write: string | null;
}

/**
 * Makes a configuration of this service from what `az` prints or from the emulator's file, and prints or writes it as YAML.
 *
 * Notes go to stderr, and so does every reason for which a start would refuse the result; it is given out all the same, with
 * exit code 1, since a person has to settle those. An existing file is not overwritten.
 * @spec M-59
 */
export function runImport({ inputs, write }: ImportRequest): Ending {
  let settings: RawObject = {};
  const imported: Imported[] = [];
  for (const input of inputs) {
    const read = readInput(input);
    if ("ok" in read) return read;
    imported.push(read);
    settings = mergeSettings(settings, read.settings);
  }
  const text = `# Made by tidewire import from ${inputs.map((name) => (name === "-" ? "standard input" : name)).join(", ")}.\n${stringify(settings)}`;
  const variables = Object.fromEntries(imported.flatMap((input) => Object.entries(input.variables)));
  const refused = findProblems(text, variables);
  for (const note of imported.flatMap(({ notes }) => notes)) console.error(`tidewire: note: ${safeText(note)}`);
  for (const problem of refused) console.error(`tidewire: to be settled: ${safeText(problem)}`);
  if (write !== null) {
    try {
      writeFileSync(write, text, { flag: "wx" });
    } catch (error) {
      const reason = codeOf(error) === "EEXIST" ? "it exists already" : codeOf(error);
      return failed(`cannot write ${write}: ${reason}`);
    }
  }
  return {
    ...done,
    ...(write === null && { shown: { json: settings, text: text.trimEnd() } }),
    ...(refused.length > 0 && { exitCode: 1 as const }),
  };
}

function readInput(input: string): Imported | Failure {
  const name = input === "-" ? "standard input" : input;
  let text: string;
  try {
    text = readFileSync(input === "-" ? 0 : input, "utf8");
  } catch (error) {
    return misused(`cannot read ${name} (${codeOf(error)})`);
  }
  const parsed = parseConfigText(text, { isJson: true });
  if ("fault" in parsed) return misused(`${name} ${parsed.fault}`);
  const { tree } = parsed;
  const imported = isRawObject(tree) && isEmulatorTree(tree) ? fromEmulator(tree, name) : fromAzure(tree);
  return "fault" in imported ? misused(`${name} ${imported.fault}`) : imported;
}

/** Why a start with this configuration and these variables would be refused. */
function findProblems(text: string, environment: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-import-"));
  try {
    const config = join(folder, "tidewire.yaml");
    writeFileSync(config, text);
    const loaded = loadConfig({ environment, commandLine: { config, data: folder }, cwd: folder, isTrial: true });
    return loaded.ok ? [] : loaded.problems.map(formatProblem);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
