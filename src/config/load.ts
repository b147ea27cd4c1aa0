import { dirname, resolve } from "node:path";
import {
  applyAssignments,
  type CommandLine,
  commandLineAssignments,
  type Environment,
  environmentAssignments,
  listGaps,
  sourcesByPath,
} from "./assignments.ts";
import type { Config } from "./config.ts";
import { prepareTree } from "./prepare.ts";
import type { Problem } from "./problem.ts";
import { noConfigFile, readConfigFile } from "./read-file.ts";
import { type ResolveContext, resolveConfig } from "./resolve.ts";
import type { Settings } from "./schema.ts";
import { validateTree } from "./validate.ts";
import { settingsWarnings } from "./warnings.ts";

/** Everything a configuration is made from, as values. */
export interface LoadInput {
  readonly environment: Environment;
  readonly commandLine: CommandLine;
  /** Working directory; relative names given outside the file start here. */
  readonly cwd: string;
}

export interface LoadedConfig {
  readonly ok: true;
  readonly config: Config;
  readonly warnings: readonly Problem[];
  /** The configuration file in use, absolute; null without one. */
  readonly file: string | null;
  /** Files whose change calls for a reload: the configuration file, secrets, certificates. Absolute. */
  readonly files: readonly string[];
  /** What it was loaded from, and the settings before they were resolved: reload starts from these. */
  readonly input: LoadInput;
  readonly settings: Settings;
}

export interface FailedLoad {
  readonly ok: false;
  /** At least one; in no particular order. */
  readonly problems: readonly Problem[];
  /** As far as they are known. */
  readonly files: readonly string[];
}

/**
 * Loads the configuration: command line over environment over file over defaults.
 *
 * The file is that of `--config` or `WEBPUBSUB_CONFIG`; there is no default file. Generates the access key where none is
 * configured (see `resolveConfig`); has no other effect and never prints.
 * @spec M-11 M-56 M-57 M-58
 */
export function loadConfig(input: LoadInput): LoadedConfig | FailedLoad {
  const read = readSettings(input, { unknownKeys: "refuse" });
  if (!read.ok) return read;
  const resolved = resolveConfig(read.settings, read.context);
  if (!resolved.ok) return { ok: false, problems: resolved.problems, files: read.files };
  const warnings = [...read.warnings, ...resolved.warnings];
  return {
    ok: true,
    config: resolved.config,
    warnings,
    file: read.file,
    files: read.files,
    input,
    settings: read.settings,
  };
}

/** Valid settings and what else `resolveConfig` needs. */
export interface ReadSettings {
  readonly ok: true;
  readonly settings: Settings;
  readonly context: ResolveContext;
  readonly warnings: readonly Problem[];
  readonly file: string | null;
  /** The file holds no setting at all. */
  readonly isEmptyFile: boolean;
  readonly files: readonly string[];
}

/** The first half of `loadConfig`, up to validated settings; reload compares these before anything is resolved. */
export function readSettings(
  input: LoadInput,
  options: { readonly unknownKeys: "refuse" | "warn" },
): ReadSettings | FailedLoad {
  const file = configFileOf(input);
  const content = file === null ? noConfigFile : readConfigFile(file, input.environment);
  const ownFiles = file === null ? [] : [file];
  if (content.kind === "unreadable") return { ok: false, problems: content.problems, files: ownFiles };

  const fromEnvironment = environmentAssignments(input.environment, input.cwd);
  const fromCommandLine = commandLineAssignments(input.commandLine, input.cwd);
  const fromOutside = [...fromEnvironment.assignments, ...fromCommandLine.assignments];
  const assignments = [...content.assignments, ...fromOutside];
  const merged = applyAssignments(content.tree, assignments);
  const prepared = prepareTree(merged, {
    environment: input.environment,
    baseDir: file === null ? input.cwd : dirname(file),
  });
  const files = [...ownFiles, ...prepared.files];

  const early = [
    ...content.problems,
    ...fromEnvironment.problems,
    ...fromCommandLine.problems,
    ...listGaps(merged),
    ...prepared.problems,
  ];
  if (early.length > 0) return { ok: false, problems: early, files };
  const sources = sourcesByPath(assignments);
  const validated = validateTree(prepared.tree, { unknownKeys: options.unknownKeys, sources });
  if (!validated.ok) return { ok: false, problems: validated.problems, files };

  // `--port` and the emulator's own file are how its users start it, so neither ends development mode.
  const configuresService = fromOutside.some(({ path, source }) => path[0] === "service" && source !== "--port");
  return {
    ok: true,
    settings: validated.settings,
    context: {
      environment: input.environment,
      cwd: input.cwd,
      isDevelopment: content.kind !== "own" && !configuresService,
      templateSecrets: prepared.templateSecrets,
    },
    warnings: [...content.warnings, ...validated.warnings, ...settingsWarnings(validated.settings)],
    file,
    isEmptyFile: content.kind === "own" && Object.keys(content.tree).length === 0,
    files,
  };
}

/** The environment of this process; the only place where it is read. */
export function readEnvironment(): Environment {
  return { ...process.env };
}

function configFileOf(input: LoadInput): string | null {
  const name = input.commandLine.config ?? input.environment["WEBPUBSUB_CONFIG"] ?? "";
  return name === "" ? null : resolve(input.cwd, name);
}
