import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { type LoadInput, loadConfig } from "../../src/config/load.ts";
import { formatProblem, type Problem } from "../../src/config/problem.ts";

/** What a test gives the loader; the file is written under `fileName`, default `config.yaml`. */
export interface Given {
  readonly file?: string;
  readonly fileName?: string;
  readonly environment?: Record<string, string>;
  readonly commandLine?: LoadInput["commandLine"];
}

/** Loads configurations, each in a folder of its own that is home and working directory; `remove` deletes them all. */
export function configFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-config-"));
  let count = 0;

  const inputOf = ({ file, fileName = "config.yaml", environment = {}, commandLine = {} }: Given): LoadInput => {
    count += 1;
    const cwd = join(folder, String(count));
    mkdirSync(cwd);
    if (file !== undefined) writeFileSync(join(cwd, fileName), file);
    return {
      cwd,
      environment: { HOME: cwd, ...environment },
      commandLine: file === undefined ? commandLine : { config: fileName, ...commandLine },
    };
  };
  const loaded = (given: Given) => {
    const outcome = loadConfig(inputOf(given));
    if (!outcome.ok) throw new Error(lines(outcome.problems).join("\n"));
    return outcome;
  };
  return {
    inputOf,
    /** The configuration; throws with the problems where there is none. */
    load: (given: Given): Config => loaded(given).config,
    /** The problems as lines; empty where the configuration is valid. */
    problemsOf: (given: Given): string[] => {
      const outcome = loadConfig(inputOf(given));
      return outcome.ok ? [] : lines(outcome.problems);
    },
    warningsOf: (given: Given): string[] => lines(loaded(given).warnings),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Two valid access keys, and a file that has the first as primary key followed by the given YAML. */
export const key = "primary-key-0123456789abcdef0123456789";
export const otherKey = "secondary-key-0123456789abcdef01234567";
export const withKey = (yaml: string): string => `service: { keys: { primary: ${key} } }\n${yaml}`;

/** The listeners as text, to compare. */
export const listening = (config: Config): string[] =>
  config.service.listen.map(({ address }) => `${address.scheme} ${address.hostname} ${address.port}`);

function lines(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem);
}
