import * as z from "zod";
import type { FieldMeta } from "./fields.ts";
import type { PathSegment } from "./problem.ts";
import { settingsSchema } from "./schema.ts";

/** One place of the schema, wrappers for defaults removed. */
export interface SchemaNode {
  readonly kind: "object" | "record" | "list" | "leaf";
  readonly meta: FieldMeta;
  /** Keys of an object in the schema's order; empty for everything else. */
  readonly keys: readonly string[];
  /** What is below a key or index; null where the schema has nothing there. */
  child(segment: PathSegment): SchemaNode | null;
  /** Must be given wherever its parent is. */
  readonly isRequired: boolean;
  /** Undefined where there is none or where it is that of the children. */
  readonly defaultValue: unknown;
}

const unexplained: FieldMeta = { description: "", type: "" };

/** The root of the schema of all settings. */
export function settingsRoot(): SchemaNode {
  return inspect(settingsSchema);
}

/** The node at a path, or null where the schema has nothing. */
export function nodeAt(path: readonly PathSegment[]): SchemaNode | null {
  let node: SchemaNode | null = settingsRoot();
  for (const segment of path) node = node?.child(segment) ?? null;
  return node;
}

/** Whether a change at this path is only seen at the next start: the setting itself or something around it says so. */
export function needsRestart(path: readonly PathSegment[]): boolean {
  return path.some((_segment, index) => nodeAt(path.slice(0, index + 1))?.meta.takesEffect === "restart");
}

function inspect(schema: z.ZodType): SchemaNode {
  if (schema instanceof z.ZodDefault) {
    return { ...inspect(innerOf(schema)), isRequired: false, defaultValue: schema.def.defaultValue };
  }
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable)
    return { ...inspect(innerOf(schema)), isRequired: false };
  const meta = { ...unexplained, ...schema.meta() } as FieldMeta;
  const base = { meta, keys: [], isRequired: true, defaultValue: undefined };
  if (schema instanceof z.ZodObject) return { ...base, kind: "object", ...objectNode(schema) };
  if (schema instanceof z.ZodRecord)
    return { ...base, kind: "record", child: () => inspect(asType(schema.def.valueType)) };
  if (schema instanceof z.ZodArray) return { ...base, kind: "list", child: () => inspect(asType(schema.def.element)) };
  return { ...base, kind: "leaf", child: () => null };
}

function objectNode(schema: z.ZodObject): Pick<SchemaNode, "keys" | "child"> {
  const keys = Object.keys(schema.shape);
  return {
    keys,
    child: (segment) =>
      typeof segment === "string" && keys.includes(segment) ? inspect(asType(schema.shape[segment])) : null,
  };
}

function innerOf(schema: z.ZodDefault | z.ZodPrefault | z.ZodNullable): z.ZodType {
  return asType(schema.def.innerType);
}

/** Zod types its inner schemas as its core interface; all of ours are made by the classic one. */
function asType(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new TypeError("the schema holds something that is not a schema");
}
