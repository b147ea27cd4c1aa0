import { loadConfig, readEnvironment } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { Ending } from "./ending.ts";
import { paletteFor, safeText } from "./terminal.ts";

const misconfigured = 2;

/**
 * Checks a configuration as a start would, environment and the settings of the administration API included, and shows every
 * problem and warning. Nothing is written. Exit code 2 where a start would be refused.
 */
export function checkConfig(options: { readonly file: string | undefined; readonly data?: string }): Ending {
  const { file, data } = options;
  const commandLine = { config: file, data };
  const loaded = loadConfig({ environment: readEnvironment(), commandLine, cwd: process.cwd(), isTrial: true });
  const problems = loaded.ok ? [] : loaded.problems;
  const warnings = loaded.ok ? loaded.warnings : [];
  const paint = paletteFor(process.stdout);
  const name = loaded.ok ? loaded.file : (loaded.files[0] ?? null);
  const lines = [
    ...problems.map((problem) => `${paint.red("problem")}  ${safeText(formatProblem(problem))}`),
    ...warnings.map((warning) => `${paint.yellow("warning")}  ${safeText(formatProblem(warning))}`),
    ...(problems.length === 0 ? [`${name === null ? "the configuration" : safeText(name)} is valid`] : []),
  ];
  return {
    ok: true,
    shown: { json: { isValid: loaded.ok, file: name, problems, warnings }, text: lines.join("\n") },
    ...(!loaded.ok && { exitCode: misconfigured }),
  };
}
