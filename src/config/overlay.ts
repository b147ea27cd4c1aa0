import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseHubName } from "../core/names.ts";
import { applyAssignments } from "./assignments.ts";
import { codeOf } from "./keys.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import { isRawObject, type RawObject, valueAt, withoutKey, withValueAt } from "./raw-tree.ts";
import { defaultHubNames } from "./schema-hubs.ts";

/** One setting, or the settings of one hub, as the administration API left them. */
export interface OverlayEntry {
  /** `hubs.<name>` or one of `units`. */
  readonly path: readonly PathSegment[];
  /** Takes the place of whatever the configuration has there; null: a hub whose settings were removed. */
  readonly value: unknown;
}

/**
 * What the administration API has changed. It wins over the command line, environment and file for what it names: a key
 * that was revoked must not come back with the next start.
 */
export type Overlay = readonly OverlayEntry[];

export type StoredOverlay =
  | { readonly ok: true; readonly overlay: Overlay }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const fileName = "overlay.json";
const units: readonly (readonly PathSegment[])[] = [
  ["service", "keys", "primary"],
  ["service", "keys", "secondary"],
  ["properties", "publicNetworkAccess"],
  ["properties", "networkACLs"],
  ["properties", "liveTraceConfiguration"],
];

/** Where the overlay of an installation is kept. */
export function overlayFile(dataDir: string): string {
  return join(dataDir, fileName);
}

/**
 * Reads the overlay; empty when there is none. A file that cannot be understood is a problem, never ignored: it may revoke
 * a key. Checks what it names, not the values.
 */
export function readOverlay(dataDir: string): StoredOverlay {
  const file = overlayFile(dataDir);
  const problem = (message: string): StoredOverlay => ({ ok: false, problems: [{ path: file, message }] });
  let tree: unknown;
  try {
    tree = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { ok: true, overlay: [] };
    return problem(error instanceof SyntaxError ? "is not valid JSON" : `cannot be read (${codeOf(error)})`);
  }
  if (!isRawObject(tree)) return problem("must hold named settings at its top level");
  const hubs = isRawObject(tree["hubs"]) ? tree["hubs"] : {};
  const overlay: Overlay = [
    ...Object.entries(hubs).map(([name, value]) => ({ path: ["hubs", name], value })),
    ...units.map((path) => ({ path, value: valueAt(tree, path) })).filter(({ value }) => value !== undefined),
  ];
  const known = treeOf(overlay);
  return sameNames(tree, known)
    ? { ok: true, overlay }
    : problem("names settings that the administration API never sets");
}

/** Writes the overlay (mode 0600, folder 0700) as a whole: a crash leaves the old or the new one. Throws Node's error. */
export function writeOverlay(dataDir: string, overlay: Overlay): void {
  const file = overlayFile(dataDir);
  const draft = `${file}.${crypto.randomUUID()}.tmp`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(draft, `${JSON.stringify(treeOf(overlay), null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The tree with the overlay on top of it. An entry replaces the whole hub, in whatever case its name is written. */
export function applyOverlay(tree: unknown, overlay: Overlay): unknown {
  return overlay.reduce<unknown>((below, { path, value }) => {
    const [first, name] = path;
    if (first !== "hubs") return applyAssignments(below, [{ path, value, source: fileName }]);
    const spelling = spellingOf(below, String(name));
    const without = spelling === null ? below : withoutKey(below, ["hubs", spelling]);
    return value === null ? without : withValueAt(without, ["hubs", spelling ?? String(name)], value);
  }, tree);
}

/** The overlay with this entry instead of what it has for the same setting or hub. */
export function withEntry(overlay: Overlay, entry: OverlayEntry): Overlay {
  return [...withoutEntry(overlay, entry.path), entry];
}

/** The overlay without what it has for this setting or hub, so that the configuration counts again. */
export function withoutEntry(overlay: Overlay, path: readonly PathSegment[]): Overlay {
  const gone = canonical(path);
  return overlay.filter((entry) => canonical(entry.path) !== gone);
}

/** What the overlay has for this setting or hub, or undefined. */
export function entryAt(overlay: Overlay, path: readonly PathSegment[]): OverlayEntry | undefined {
  const wanted = canonical(path);
  return overlay.find((entry) => canonical(entry.path) === wanted);
}

/** How a tree spells the name of a hub, or null where it has no entry for it. */
export function spellingOf(tree: unknown, name: string): string | null {
  const hubs = valueAt(tree, ["hubs"]);
  if (!isRawObject(hubs)) return null;
  return Object.keys(hubs).find((known) => canonicalHub(known) === canonicalHub(name)) ?? null;
}

/** What an operator should know: settings whose value in the configuration does not count. */
export function overlayWarnings(base: unknown, overlay: Overlay, dataDir: string): Problem[] {
  const isConfigured = ({ path }: OverlayEntry): boolean =>
    path[0] === "hubs"
      ? spellingOf(base, String(path[1])) !== null
      : valueAt(base, path) !== undefined || valueAt(base, [...path.slice(0, -1), `${path.at(-1)}File`]) !== undefined;
  return overlay.filter(isConfigured).map(({ path, value }) => ({
    path: formatPath(path),
    message: `is ${value === null ? "removed" : "replaced"} by the administration API (${overlayFile(dataDir)}); the configuration's own value has no effect`,
  }));
}

function canonical(path: readonly PathSegment[]): string {
  return path[0] === "hubs" ? `hubs/${canonicalHub(String(path[1]))}` : path.join("/");
}

function canonicalHub(name: string): string {
  return defaultHubNames.includes(name) ? "*" : (parseHubName(name) ?? name);
}

function treeOf(overlay: Overlay): RawObject {
  // Not `withValueAt`: that would take hubs of different case for one.
  const hubs = overlay.filter(({ path }) => path[0] === "hubs").map(({ path, value }) => [String(path[1]), value]);
  const rest = overlay
    .filter(({ path }) => path[0] !== "hubs")
    .reduce<unknown>((tree, { path, value }) => withValueAt(tree, path, value), {});
  return { ...(hubs.length > 0 && { hubs: Object.fromEntries(hubs) as unknown }), ...(isRawObject(rest) ? rest : {}) };
}

/** Whether every group and setting of one tree, down to what the overlay replaces as a whole, is in the other. */
function sameNames(tree: RawObject, known: RawObject, path: readonly PathSegment[] = []): boolean {
  return Object.keys(tree).every((key) => {
    const here = [...path, key];
    const isUnit = path[0] === "hubs" || units.some((unit) => formatPath(unit) === formatPath(here));
    if (isUnit) return true;
    const [below, above] = [tree[key], known[key]];
    return (
      isRawObject(below) && (Object.keys(below).length === 0 || (isRawObject(above) && sameNames(below, above, here)))
    );
  });
}
