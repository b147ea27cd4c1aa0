import type * as z from "zod";
import { suggestion } from "./names.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import { withoutKey } from "./raw-tree.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { nodeAt } from "./schema-tree.ts";

export interface ValidateOptions {
  /** Keys the schema does not have: refused at the start, dropped with a warning on reload (management 19.1). */
  readonly unknownKeys: "refuse" | "warn";
  /** Where values came from if not from the file, by formatted path. */
  readonly sources: ReadonlyMap<string, string>;
}

export type Validated =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks a prepared tree against the schema and fills in the defaults.
 *
 * All problems are reported at once, each with the full name of its setting.
 * @spec M-56
 */
export function validateTree(tree: unknown, options: ValidateOptions): Validated {
  const first = settingsSchema.safeParse(tree);
  if (first.success) return { ok: true, settings: first.data, warnings: [] };
  const unknown = first.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...segments(issue.path), key]) : [],
  );
  if (options.unknownKeys === "refuse" || unknown.length === 0)
    return { ok: false, problems: problemsOf(first.error, options) };
  const known = unknown.reduce<unknown>(withoutKey, tree);
  const second = settingsSchema.safeParse(known);
  const warnings = unknown.map(unknownKey);
  return second.success
    ? { ok: true, settings: second.data, warnings }
    : { ok: false, problems: problemsOf(second.error, options) };
}

function problemsOf(error: z.ZodError, options: ValidateOptions): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = segments(issue.path);
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key]));
    const source = options.sources.get(formatPath(path));
    const message = issue.code === "invalid_type" ? shapeMessage(issue.expected) : issue.message;
    return [{ path: formatPath(path), message: source === undefined ? message : `${message} (from ${source})` }];
  });
}

function shapeMessage(expected: string): string {
  return expected === "array" ? "must be a list" : "must hold named settings";
}

function unknownKey(path: readonly PathSegment[]): Problem {
  const keys = nodeAt(path.slice(0, -1))?.keys ?? [];
  return { path: formatPath(path), message: `is not a setting${suggestion(String(path.at(-1)), keys)}` };
}

function segments(path: readonly PropertyKey[]): PathSegment[] {
  return path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
}
