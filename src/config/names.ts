import { formatPath, type PathSegment } from "./problem.ts";
import { type SchemaNode, settingsRoot } from "./schema-tree.ts";

/** The emulator's names for settings that have another name here (management 19.3, 5). */
const topLevelAliases: ReadonlyMap<string, readonly string[]> = new Map([
  ["accesskey", ["service", "keys", "primary"]],
  ["allowunvalidatedentratokens", ["auth", "allowUnvalidatedEntraTokens"]],
]);
const keyAliases: ReadonlyMap<string, string> = new Map([
  ["eventpattern", "userEventPattern"],
  ["eventnamefilter", "filter"],
  ["eventhubendpoint", "endpoint"],
]);
/** Beyond any real list; keeps a mistyped index from making a list of a million gaps. */
const maxIndex = 999;

/** What a sequence of names written without regard to case means, or why it means nothing. */
export type ResolvedName =
  | { readonly ok: true; readonly path: readonly PathSegment[]; readonly isPath: boolean }
  | { readonly ok: false; readonly message: string };

/**
 * Finds the setting that names such as `["HUBS", "chat", "EVENTHANDLERS", "0", "URLTEMPLATE"]` mean.
 *
 * Names of settings are matched ignoring case and turned into the schema's spelling, hub names stay as they are, and the
 * emulator's names count as aliases. Only a single setting can be named, not a group of them.
 * @spec M-58
 */
export function resolveName(names: readonly string[]): ResolvedName {
  const alias = names.length === 1 ? topLevelAliases.get(names[0]?.toLowerCase() ?? "") : undefined;
  let node: SchemaNode = settingsRoot();
  const path: PathSegment[] = [];
  for (const name of alias ?? names) {
    const segment = segmentOf(node, name);
    const child = segment === null ? null : node.child(segment);
    if (segment === null || child === null) return { ok: false, message: unknownName(node, { path, name }) };
    path.push(segment);
    node = child;
  }
  if (node.kind !== "leaf")
    return { ok: false, message: `names a group of settings (${formatPath(path)}), not one of them` };
  return { ok: true, path, isPath: node.meta.isPath === true };
}

function segmentOf(node: SchemaNode, name: string): PathSegment | null {
  switch (node.kind) {
    case "leaf":
      return null;
    case "record":
      return name === "" ? null : name;
    case "list":
      return /^(?:0|[1-9][0-9]{0,2})$/.test(name) && Number(name) <= maxIndex ? Number(name) : null;
    case "object": {
      const lower = name.toLowerCase();
      const known = node.keys.find((key) => key.toLowerCase() === lower);
      const aliased = keyAliases.get(lower);
      return known ?? (aliased !== undefined && node.keys.includes(aliased) ? aliased : null);
    }
  }
}

function unknownName(
  node: SchemaNode,
  where: { readonly path: readonly PathSegment[]; readonly name: string },
): string {
  const place = where.path.length === 0 ? "" : ` in ${formatPath(where.path)}`;
  if (node.kind === "list")
    return `has ${JSON.stringify(where.name)}${place} where an index from 0 to ${maxIndex} belongs`;
  return `names no setting: ${JSON.stringify(where.name)} is unknown${place}${suggestion(where.name, node.keys)}`;
}

/** ` (did you mean x?)` for the closest known name within two edits, else nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const scored = known.map((key) => ({ key, distance: editDistance(name.toLowerCase(), key.toLowerCase()) }));
  const best = scored.toSorted((left, right) => left.distance - right.distance)[0];
  const isClose = best !== undefined && best.distance <= Math.min(2, Math.floor(best.key.length / 2));
  return isClose ? ` (did you mean ${best.key}?)` : "";
}

/** Levenshtein distance; settings' names are short, so the plain table does. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_unused, index) => index);
  for (const [row, leftChar] of left.split("").entries()) {
    const current = [row + 1];
    for (const [column, rightChar] of right.split("").entries()) {
      const replaced = (previous[column] ?? 0) + (leftChar === rightChar ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
