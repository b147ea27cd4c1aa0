import { isRawObject, type RawObject } from "../../config/raw-tree.ts";

/** The objects of a list in an answer; empty where there is no list. */
export function objectsOf(value: unknown): readonly RawObject[] {
  return Array.isArray(value) ? value.filter(isRawObject) : [];
}

/** A text or number of an answer as text; empty where there is neither. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
