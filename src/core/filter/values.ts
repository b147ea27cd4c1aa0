/** The groups of a connection as a filter sees them; a `ReadonlySet` of names fits. */
export interface FilterGroups {
  has(name: string): boolean;
  readonly size: number;
}

/**
 * What a filter may ask about one connection. `userId` is null for an anonymous user, `protocol` for a raw connection;
 * `groups` is the same object at every read.
 */
export interface FilterSubject {
  readonly userId: string | null;
  readonly connectionId: string;
  readonly protocol: string | null;
  readonly groups: FilterGroups;
}

/** A run-time value of the filter language; numbers are always 32-bit integers or string positions. */
export type Value = null | boolean | number | string | FilterGroups;

/** Type names as they appear in error messages. */
export type TypeName = "null" | "bool" | "int" | "string" | "collection";

/** Names the run-time type of a value. */
export function typeName(value: Value): TypeName {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "int";
  return typeof value === "string" ? "string" : "collection";
}

/** The rule of `eq`: same type and equal value, strings ordinal; different types are unequal, never an error. */
export function equals(left: Value, right: Value): boolean {
  // The only collection there is, the groups of the subject, equals itself.
  return left === right;
}
