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
import { dataDirOf } from "./data-dir.ts";
import { applyOverlay, type Overlay, overlayWarnings, readOverlay } from "./overlay.ts";
import { prepareTree } from "./prepare.ts";
import type { Problem } from "./problem.ts";
import { noConfigFile, readConfigFile } from "./read-file.ts";
import { type ResolveContext, resolveConfig, startListenUrls } from "./resolve.ts";
import type { Settings } from "./schema.ts";
import { validateTree } from "./validate.ts";
import { settingsWarnings } from "./warnings.ts";

/** Everything a configuration is made from, as values. */
export interface LoadInput {
  readonly environment: Environment;
  readonly commandLine: CommandLine;
  /** Working directory; relative names given outside the file start here. */
  readonly cwd: string;
  /** Only look: nothing is kept in the data folder, and keys that would be generated are made up. */
  readonly isTrial?: boolean;
  /** Where to listen when nothing says so, then without a console; without it as `tidewire start` does. */
  readonly defaultListenUrls?: readonly string[];
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
  /** What it was made from; the administration API changes the overlay on top of it. */
  readonly sources: Sources;
  readonly overlay: Overlay;
}

export interface FailedLoad {
  readonly ok: false;
  /** At least one; in no particular order. */
  readonly problems: readonly Problem[];
  /** As far as they are known. */
  readonly files: readonly string[];
}

/**
 * Loads the configuration: the overlay of the administration API over command line over environment over file over
 * defaults.
 *
 * The file is that of `--config` or `WEBPUBSUB_CONFIG`; there is no default file. Generates the access key where none is
 * configured (see `resolveConfig`), unless this is a trial; has no other effect and never prints.
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
    sources: read.sources,
    overlay: read.overlay,
  };
}

/** What command line, environment and file say, put together; not yet checked. */
export interface Sources {
  readonly tree: unknown;
  /** Relative file names start here. */
  readonly baseDir: string;
  /** Where single values came from if not from the file, by formatted path. */
  readonly origins: ReadonlyMap<string, string>;
  readonly context: Omit<ResolveContext, "templateSecrets">;
  readonly warnings: readonly Problem[];
  readonly file: string | null;
  /** The file holds no setting at all. */
  readonly isEmptyFile: boolean;
}

/** Valid settings and what else `resolveConfig` needs. */
export interface ReadSettings {
  readonly ok: true;
  readonly settings: Settings;
  readonly context: ResolveContext;
  readonly warnings: readonly Problem[];
  /** Keys that mean nothing; among the warnings too. */
  readonly unknownKeys: readonly Problem[];
  readonly sources: Sources;
  readonly overlay: Overlay;
  /** The settings as written, overlay included: secrets not inserted, defaults not filled in. */
  readonly tree: unknown;
  readonly file: string | null;
  readonly isEmptyFile: boolean;
  readonly files: readonly string[];
}

export interface ReadOptions {
  readonly unknownKeys: "refuse" | "warn";
  /** Where the overlay is, if that is known already: a new data folder counts from the next start. */
  readonly dataDir?: string;
}

/** The first half of `loadConfig`, up to validated settings; reload compares these before anything is resolved. */
export function readSettings(input: LoadInput, options: ReadOptions): ReadSettings | FailedLoad {
  const read = readSources(input);
  if (!read.ok) return read;
  const { sources } = read;
  const dataDir = options.dataDir ?? dataDirOf(sources.tree, sources.baseDir, input);
  const stored = readOverlay(dataDir);
  if (!stored.ok) return { ok: false, problems: stored.problems, files: sources.file === null ? [] : [sources.file] };
  return checkSettings(sources, stored.overlay, { ...options, dataDir });
}

function readSources(input: LoadInput): { readonly ok: true; readonly sources: Sources } | FailedLoad {
  const file = configFileOf(input);
  const content = file === null ? noConfigFile : readConfigFile(file, input.environment);
  const files = file === null ? [] : [file];
  if (content.kind === "unreadable") return { ok: false, problems: content.problems, files };

  const fromEnvironment = environmentAssignments(input.environment, input.cwd);
  const fromCommandLine = commandLineAssignments(input.commandLine, input.cwd);
  const fromOutside = [...fromEnvironment.assignments, ...fromCommandLine.assignments];
  const assignments = [...content.assignments, ...fromOutside];
  const tree = applyAssignments(content.tree, assignments);
  const baseDir = file === null ? input.cwd : dirname(file);
  const problems = [...content.problems, ...fromEnvironment.problems, ...fromCommandLine.problems, ...listGaps(tree)];
  if (problems.length > 0) {
    const prepared = prepareTree(tree, { environment: input.environment, baseDir });
    return { ok: false, problems: [...problems, ...prepared.problems], files: [...files, ...prepared.files] };
  }
  // `--port` and the emulator's own file are how its users start it, so neither ends development mode.
  const configuresService = fromOutside.some(({ path, source }) => path[0] === "service" && source !== "--port");
  const { environment, cwd, isTrial = false, defaultListenUrls = startListenUrls } = input;
  const sources: Sources = {
    tree,
    baseDir,
    origins: sourcesByPath(assignments),
    context: {
      environment,
      cwd,
      isTrial,
      defaultListenUrls,
      hasDefaultAdmin: input.defaultListenUrls === undefined,
      isDevelopment: content.kind !== "own" && !configuresService,
    },
    warnings: content.warnings,
    file,
    isEmptyFile: content.kind === "own" && Object.keys(content.tree).length === 0,
  };
  return { ok: true, sources };
}

/** Puts the overlay on top and checks the whole against the schema. Reads secrets from files; has no other effect. */
export function checkSettings(
  sources: Sources,
  overlay: Overlay,
  options: ReadOptions & { readonly dataDir: string },
): ReadSettings | FailedLoad {
  const { context, baseDir, file, isEmptyFile } = sources;
  const tree = applyOverlay(sources.tree, overlay);
  const prepared = prepareTree(tree, { environment: context.environment, baseDir });
  const files = [...(file === null ? [] : [file]), ...prepared.files];
  if (prepared.problems.length > 0) return { ok: false, problems: prepared.problems, files };
  const validated = validateTree(prepared.tree, { unknownKeys: options.unknownKeys, sources: sources.origins });
  if (!validated.ok) return { ok: false, problems: validated.problems, files };
  return {
    ok: true,
    settings: validated.settings,
    context: { ...context, templateSecrets: prepared.templateSecrets },
    warnings: [
      ...sources.warnings,
      ...validated.warnings,
      ...settingsWarnings(validated.settings),
      ...overlayWarnings(sources.tree, overlay, options.dataDir),
    ],
    unknownKeys: validated.warnings,
    sources,
    overlay,
    tree,
    file,
    isEmptyFile,
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
