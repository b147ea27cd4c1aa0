import type { PathSegment } from "./problem.ts";

/** Settings as read, before validation: objects, lists and plain values. */
export type RawObject = Record<string, unknown>;

/** Whether a value is an object with keys, not a list. */
export function isRawObject(value: unknown): value is RawObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined. */
export function valueAt(tree: unknown, path: readonly PathSegment[]): unknown {
  let value = tree;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === "number") value = (value as unknown[])[segment];
    else if (isRawObject(value) && Object.hasOwn(value, String(segment))) value = value[String(segment)];
    else return undefined;
  }
  return value;
}

/**
 * A copy of the tree with the value at the path; objects and lists on the way are made as needed.
 *
 * A key that exists in another case is the same key, so that a variable reaches the hub `Chat` of the file as `chat`.
 */
export function withValueAt(tree: unknown, path: readonly PathSegment[], value: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (typeof segment === "number") {
    const items: unknown[] = Array.isArray(tree) ? [...(tree as unknown[])] : [];
    items[segment] = withValueAt(items[segment], rest, value);
    return items;
  }
  const entries = new Map(Object.entries(isRawObject(tree) ? tree : {}));
  const key = entries.has(segment)
    ? segment
    : ([...entries.keys()].find((known) => known.toLowerCase() === segment.toLowerCase()) ?? segment);
  entries.set(key, withValueAt(entries.get(key), rest, value));
  return Object.fromEntries(entries);
}

/** A copy of the tree without the key at the path. */
export function withoutKey(tree: unknown, path: readonly PathSegment[]): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined || valueAt(tree, [segment]) === undefined) return tree;
  if (rest.length > 0) return withValueAt(tree, [segment], withoutKey(valueAt(tree, [segment]), rest));
  return isRawObject(tree) ? Object.fromEntries(Object.entries(tree).filter(([key]) => key !== segment)) : tree;
}

/** A copy of the tree with every text replaced. */
export function mapTexts(
  tree: unknown,
  replace: (text: string, path: readonly PathSegment[]) => string,
  path: readonly PathSegment[] = [],
): unknown {
  if (typeof tree === "string") return replace(tree, path);
  if (Array.isArray(tree)) return tree.map((item, index) => mapTexts(item, replace, [...path, index]));
  if (!isRawObject(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, mapTexts(value, replace, [...path, key])]),
  );
}

/** Paths at which two trees differ: down to the key in objects, but a list is compared as a whole. */
export function changedPaths(
  before: unknown,
  after: unknown,
  path: readonly PathSegment[] = [],
): (readonly PathSegment[])[] {
  if (!isRawObject(before) || !isRawObject(after)) return isSame(before, after) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => changedPaths(before[key], after[key], [...path, key]));
}

/** Settings hold plain data in the schema's key order only, so their JSON text tells them apart. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
