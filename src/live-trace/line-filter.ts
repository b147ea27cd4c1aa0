/** What a line is about, as far as filters ask. */
export interface LineSubject {
  readonly hub?: string;
  readonly connectionId?: string;
  readonly userId?: string | null;
}

/** Which lines a viewer wants. */
export interface LineFilter {
  /** Whether it asks for connections or users, and not for whole hubs. */
  readonly isNarrow: boolean;
  matches(subject: LineSubject): boolean;
}

/** Values of one filter, all together; ours. */
const maxValues = 100;

/**
 * Reads the argument of `Filter`: an object of `hub`, `connectionId` and `userId`, each a text or a list of texts of which
 * one has to be it; hubs ignore case. Null: no filter any more. Undefined: it is none.
 */
export function parseFilter(value: unknown): LineFilter | null | undefined {
  if (value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) return undefined;
  const { hub, connectionId, userId, ...others } = value as Readonly<Record<string, unknown>>;
  const [hubs, connections, users] = [hub, connectionId, userId].map(readValues);
  if (hubs === undefined || connections === undefined || users === undefined) return undefined;
  if (Object.keys(others).length > 0 || hubs.length + connections.length + users.length > maxValues) return undefined;
  const hubNames = new Set(hubs.map((name) => name.toLowerCase()));
  const [connectionIds, userIds] = [new Set(connections), new Set(users)];
  const isNarrow = connectionIds.size > 0 || userIds.size > 0;
  if (!isNarrow && hubNames.size === 0) return null;
  return {
    isNarrow,
    matches: (subject) =>
      (hubNames.size === 0 || hubNames.has(subject.hub?.toLowerCase() ?? "")) &&
      (connectionIds.size === 0 || connectionIds.has(subject.connectionId ?? "")) &&
      (userIds.size === 0 || userIds.has(subject.userId ?? "")),
  };
}

/** Undefined for what is neither nothing, a text nor a list of texts. */
function readValues(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.every((each) => typeof each === "string") ? values : undefined;
}
