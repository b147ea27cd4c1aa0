import type { Config } from "./config.ts";
import { dataDirPath } from "./data-dir.ts";
import { codeOf } from "./keys.ts";
import {
  checkSettings,
  type FailedLoad,
  type LoadedConfig,
  type ReadSettings,
  readSettings,
  type Sources,
} from "./load.ts";
import { applyOverlay, type Overlay, overlayFile, writeOverlay } from "./overlay.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import { changedPaths, valueAt, withValueAt } from "./raw-tree.ts";
import { resolveConfig } from "./resolve.ts";
import type { Settings } from "./schema.ts";
import { needsRestart } from "./schema-tree.ts";
import { watchFiles } from "./watch-files.ts";

/** What is in force, and what it was made from. */
export interface ConfigState {
  readonly config: Config;
  readonly settings: Settings;
  /** As written, overlay included: secrets not inserted, defaults not filled in. */
  readonly tree: unknown;
  /** The same without the overlay. */
  readonly baseTree: unknown;
  readonly overlay: Overlay;
  readonly overlayFile: string;
  /** Of the last configuration that was read with success. */
  readonly warnings: readonly Problem[];
}

/** A new configuration to use from now on. */
export interface ConfigChange {
  /** Settings that need a restart still have their old values here. */
  readonly config: Config;
  /** Full names of the settings that changed and are in `config`; lists count as one. */
  readonly changed: readonly string[];
  /** Unknown keys, settings that need a restart, and what loading warns about. */
  readonly warnings: readonly Problem[];
}

export interface ConfigWatchOptions {
  /** Called for every change; not called when nothing in effect changed. */
  readonly onChange: (change: ConfigChange) => void;
  /** The new content is invalid and nothing changed, or a folder cannot be watched. */
  readonly onProblems: (problems: readonly Problem[]) => void;
  /** A change of restart-only settings, or of unknown keys, without a change in effect. */
  readonly onWarnings: (warnings: readonly Problem[]) => void;
  /** The content of a watched file changed but no setting did: a certificate, for instance. */
  readonly onFilesChanged?: () => void;
  readonly debounceMs?: number;
}

export type Trial =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ConfigWatch {
  readonly state: ConfigState;
  /**
   * Changes the overlay: the result is checked as a whole like a file, but for what is unknown, which is refused; then it
   * is written, then in force, and the callbacks are done. Problems, of which there are none after a success, change
   * nothing. Builds on the last good content of the files, so that a key can be revoked while a file is broken.
   */
  change(edit: (overlay: Overlay) => Overlay): readonly Problem[];
  /** What the configuration would be after such a change; changes nothing. */
  tryOut(edit: (overlay: Overlay) => Overlay): Trial;
  /** Loads again now, as on SIGHUP; the callbacks are done when it returns. No effect after `close`. */
  reload(): void;
  /** Ends watching; no callback comes after it. May be called twice. */
  close(): void;
}

/**
 * Keeps a configuration up to date: loads it again when its files change or `reload` is called.
 *
 * Invalid content keeps the old settings (M-22), and so does an empty file, which is what a file being rewritten looks
 * like. Connections are none of its business: callers apply `config` to what happens next (M-21).
 * @spec M-21 M-22 E-11
 */
export function watchConfig(loaded: LoadedConfig, options: ConfigWatchOptions): ConfigWatch {
  const { dataDir } = loaded.config.service;
  let current = loaded.settings;
  let good: Good = loaded;
  let lastGoodFiles = loaded.files;
  let isClosed = false;

  const load = (reason: "file" | "signal") => {
    if (isClosed) return;
    const read = readSettings(loaded.input, { unknownKeys: "warn", dataDir });
    // Content that cannot be read names no further files; those of the last good one still matter.
    if (read.ok) lastGoodFiles = read.files;
    files.setFiles([...new Set([...read.files, ...lastGoodFiles])]);
    const next = nextConfig(current, read);
    if (!next.ok) {
      options.onProblems(next.problems);
      return;
    }
    if (read.ok) good = { config: next.config, sources: read.sources, overlay: read.overlay, warnings: next.warnings };
    if (next.change === null) {
      if (next.warnings.length > 0) options.onWarnings(next.warnings);
      if (reason === "file") options.onFilesChanged?.();
      return;
    }
    current = next.settings;
    options.onChange(next.change);
  };

  const files = watchFiles(loaded.files, {
    onChange: () => load("file"),
    onUnwatchable: (folder, why) =>
      options.onProblems([{ path: folder, message: `cannot be watched for changes (${why}); use SIGHUP to reload` }]),
    ...(options.debounceMs === undefined ? {} : { debounceMs: options.debounceMs }),
  });
  const prepare = (overlay: Overlay) => {
    const read = checkSettings(good.sources, overlay, { unknownKeys: "warn", dataDir });
    if (!read.ok) return read;
    const unknown = read.unknownKeys.filter((problem) => overlay.some((entry) => isBelow(problem.path, entry.path)));
    if (unknown.length > 0) return { ok: false, problems: unknown } as const;
    const next = nextConfig(current, { ...read, isEmptyFile: false });
    return next.ok ? ({ ok: true, read, next } as const) : next;
  };
  const change = (edit: (overlay: Overlay) => Overlay): readonly Problem[] => {
    if (isClosed) return [{ path: "", message: "the service is stopping" }];
    const overlay = edit(good.overlay);
    const prepared = prepare(overlay);
    if (!prepared.ok) return prepared.problems;
    const { read, next } = prepared;
    try {
      writeOverlay(dataDir, overlay);
    } catch (error) {
      return [{ path: overlayFile(dataDir), message: `cannot be written (${codeOf(error)})` }];
    }
    lastGoodFiles = read.files;
    files.setFiles(read.files);
    good = { config: next.config, sources: good.sources, overlay, warnings: next.warnings };
    if (next.change !== null) {
      current = next.settings;
      options.onChange(next.change);
    }
    return [];
  };
  return {
    get state() {
      const { config, overlay, sources, warnings } = good;
      const tree = applyOverlay(sources.tree, overlay);
      const baseTree = sources.tree;
      return { config, settings: current, tree, baseTree, overlay, overlayFile: overlayFile(dataDir), warnings };
    },
    change,
    tryOut: (edit) => {
      const prepared = prepare(edit(good.overlay));
      return prepared.ok ? { ok: true, config: prepared.next.config } : prepared;
    },
    reload: () => load("signal"),
    close: () => {
      isClosed = true;
      files.close();
    },
  };
}

/** The last content that could be used. */
interface Good {
  readonly config: Config;
  readonly sources: Sources;
  readonly overlay: Overlay;
  readonly warnings: readonly Problem[];
}

/** Whether a problem's path is the entry's or below it. */
function isBelow(path: string, entry: readonly PathSegment[]): boolean {
  const prefix = formatPath(entry).toLowerCase();
  return path.toLowerCase().startsWith(prefix) && /^(?:$|[.[])/.test(path.slice(prefix.length));
}

type NextConfig =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly config: Config;
      readonly change: ConfigChange | null;
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The configuration to go on with: the new settings, with the old values of all that needs a restart. */
function nextConfig(current: Settings, read: ReadSettings | FailedLoad): NextConfig {
  if (!read.ok) return read;
  if (read.isEmptyFile)
    return { ok: false, problems: [{ path: read.file ?? "", message: "is empty; the previous settings stay" }] };
  // What would not start must not be accepted; the data folder is held back already here, lest a key be made in the new one.
  const startable = resolveConfig(withOldValues(read.settings, current, [dataDirPath]), read.context);
  if (!startable.ok) return startable;

  const paths = changedPaths(current, read.settings);
  const held = paths.filter(needsRestart);
  const changed = paths.filter((path) => !needsRestart(path)).map(formatPath);
  const heldWarnings = held.map((path) => ({
    path: formatPath(path),
    message: "has changed; the change takes effect at the next start",
  }));
  const settings = withOldValues(read.settings, current, held);
  const resolved = resolveConfig(settings, read.context);
  if (!resolved.ok) return { ok: false, problems: [...resolved.problems, ...heldWarnings] };
  const warnings = [...read.warnings, ...heldWarnings, ...resolved.warnings];
  return {
    ok: true,
    settings,
    config: resolved.config,
    change: changed.length === 0 ? null : { config: resolved.config, changed, warnings },
    warnings,
  };
}

function withOldValues(settings: Settings, old: Settings, paths: readonly (readonly PathSegment[])[]): Settings {
  return paths.reduce<Settings>((tree, path) => withValueAt(tree, path, valueAt(old, path)) as Settings, settings);
}
