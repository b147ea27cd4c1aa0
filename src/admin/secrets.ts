import { isRawObject, type RawObject } from "../config/raw-tree.ts";
import { nodeAt, type SchemaNode } from "../config/schema-tree.ts";

/** Stands in answers where a secret is. Sent back, it keeps the secret of the same entry. */
export const masked = "(secret)";

/** What is wrong where `keepSecrets` refuses. */
export const foreignSecret =
  "has a masked secret, or names a file or variable, that the hub does not have for exactly this target; give the value itself, or use the configuration file";

const hubNode = (): SchemaNode | null => nodeAt(["hubs", "*"]);
const reference = /\{@/;

/** The settings of a hub with their secrets masked; references to variables and files stay, they are no secrets. */
export function withoutSecrets(properties: RawObject): RawObject {
  const result = visit(properties, hubNode());
  return isRawObject(result) ? result : {};
}

function visit(value: unknown, node: SchemaNode | null): unknown {
  if (node === null) return value;
  if (node.meta.isSecret === true) return masked;
  if (Array.isArray(value)) return value.map((item: unknown, index) => visit(item, node.child(index)));
  if (!isRawObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, visit(item, node.child(key))]),
  );
}

export type KeptSecrets =
  | { readonly ok: true; readonly properties: RawObject }
  /** Where a secret is asked to stay, or a file or variable is named, that the hub does not have there. */
  | { readonly ok: false; readonly path: string };

/**
 * Puts the secrets back that a caller who edits a hub has seen masked.
 *
 * An entry keeps them only if nothing about it is different but which events it gets, since all else may decide where they
 * go. By the same rule the API takes names of files and variables only as they stand:
 * whoever holds the token administers the service, and need not for that reason be able to read the machine's files.
 */
export function keepSecrets(properties: RawObject, current: RawObject): KeptSecrets {
  let path: string | null = null;
  const kept = Object.entries(properties).map(([name, value]): [string, unknown] => {
    if (!Array.isArray(value)) return [name, value];
    const old = Array.isArray(current[name]) ? (current[name] as unknown[]) : [];
    return [
      name,
      value.map((item: unknown, index) => {
        if (!isRawObject(item) || !isDelicate(item)) return item;
        const twin = old.find((each) => isRawObject(each) && destination(each) === destination(item));
        if (!isRawObject(twin)) path ??= `${name}[${index}]`;
        return restored(item, twin);
      }),
    ];
  });
  return path === null ? { ok: true, properties: Object.fromEntries(kept) } : { ok: false, path };
}

/** The value with the old secrets where it has masked ones. */
function restored(value: unknown, old: unknown): unknown {
  if (value === masked) return old;
  if (!isRawObject(value) || !isRawObject(old)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item, old[key])]));
}

/** What says which events an entry gets, and nothing about where they go or how. */
const harmless: ReadonlySet<string> = new Set(["filter", "groupPresenceEvents", "systemEvents", "userEventPattern"]);

/** What an entry sends where, its secrets masked; in one order of keys. */
function destination(item: RawObject): string {
  const node = hubNode();
  const list = node?.child("endpoint" in item ? "eventListeners" : "eventHandlers") ?? null;
  const delicate = Object.fromEntries(Object.entries(item).filter(([name]) => !harmless.has(name)));
  return JSON.stringify(sorted(visit(delicate, list?.child(0) ?? null)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRawObject(value)) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** Whether an entry has a masked secret, or names a file or variable. */
function isDelicate(value: unknown): boolean {
  if (typeof value === "string") return value === masked || reference.test(value);
  if (Array.isArray(value)) return value.some(isDelicate);
  if (!isRawObject(value)) return false;
  return Object.entries(value).some(([key, item]) => item !== null && (key.endsWith("File") || isDelicate(item)));
}
