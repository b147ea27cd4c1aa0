import ts from "typescript";
import { z } from "zod";

/** A specification document and where its assertion ids are listed. */
export interface SpecDocument {
  readonly prefix: string;
  readonly file: string;
  /** Heading (second level) of the section whose list items or table rows begin with the ids. */
  readonly heading: RegExp;
}

/** The documents below docs/spec/ that own ids, in the order of the printed table. */
export const specDocuments: readonly SpecDocument[] = [
  { prefix: "C", file: "client-protocols.md", heading: /Conformance checklist/ },
  { prefix: "R", file: "rest-api.md", heading: /Conformance assertions/ },
  { prefix: "E", file: "event-handlers.md", heading: /Conformance assertions/ },
  { prefix: "M", file: "management.md", heading: /Conformance assertions/ },
  { prefix: "H", file: "reliability.md", heading: /Concrete tests/ },
  { prefix: "K", file: "cluster.md", heading: /Guarantees to keep and to test/ },
  { prefix: "T", file: "tunnel.md", heading: /Conformance assertions/ },
  { prefix: "Q", file: "mqtt.md", heading: /Conformance assertions/ },
  { prefix: "S", file: "socketio.md", heading: /Conformance assertions/ },
  { prefix: "G", file: "signalr.md", heading: /Conformance assertions/ },
];

const prefixes = specDocuments.map((document) => document.prefix).join("");
const anyId = new RegExp(`\\b[${prefixes}]-\\d+\\b`, "g");
const idRange = new RegExp(`\\b[${prefixes}]-\\d+\\s*(?:\\.{2,}|…|–|—|-|to|through|bis)\\s*(?:[${prefixes}]-)?\\d+`);

/** The ids a document lists in its assertion section, in the order of the document, repeated ones included. */
export function listedIds(document: SpecDocument, markdown: string): readonly string[] {
  const entry = new RegExp(`^\\s*(?:[-*]|\\d+\\.|\\|)\\s+(?:\\*\\*)?(${document.prefix}-\\d+)\\b`);
  const ids: string[] = [];
  let inside = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("## ")) inside = document.heading.test(line);
    const id = inside ? entry.exec(line)?.[1] : undefined;
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/** The title of one `test`, `it` or `describe` call. */
export interface Title {
  /** `file:line` */
  readonly at: string;
  readonly text: string;
  readonly ids: readonly string[];
  /** False under `.skip` and `.todo`: such a title shows nothing. */
  readonly runs: boolean;
}

/** The titles written out in a test file; what a template inserts at run time is not seen. */
export function titlesIn(file: string, source: string): readonly Title[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const titles: Title[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = calleeNames(node.expression);
      const text = callee === null ? null : literalText(node.arguments[0]);
      if (callee !== null && text !== null) {
        const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
        const ids = [...new Set(text.match(anyId))];
        titles.push({ at: `${file}:${line}`, text, ids, runs: !callee.includes("skip") && !callee.includes("todo") });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return titles;
}

/** `test.each(table)` → `["test", "each"]`; null if the call is not one of the test runner's. */
function calleeNames(expression: ts.Expression): readonly string[] | null {
  const names: string[] = [];
  let at = expression;
  for (;;) {
    if (ts.isCallExpression(at)) at = at.expression;
    else if (ts.isPropertyAccessExpression(at)) {
      names.unshift(at.name.text);
      at = at.expression;
    } else break;
  }
  return ts.isIdentifier(at) && /^(test|it|describe)$/.test(at.text) ? [at.text, ...names] : null;
}

/** The fixed parts of a string expression, or null if it is none. */
function literalText(node: ts.Expression | undefined): string | null {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return [node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join("${}");
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [literalText(node.left), literalText(node.right)];
    return left === null && right === null ? null : `${left ?? ""}${right ?? ""}`;
  }
  return null;
}

/**
 * Rows of tests/conformance/pending.json: ids that no test shows yet, with the reason a user would accept. `partial`
 * says that a test shows a part of the assertion and the reason names the rest.
 */
export const pendingSchema = z.array(
  z
    .strictObject({
      id: z.string().optional(),
      ids: z.array(z.string()).min(1).optional(),
      reason: z.string().min(1),
      issue: z.union([z.string(), z.number()]).optional(),
      partial: z.boolean().optional(),
    })
    .refine((row) => (row.id === undefined) !== (row.ids === undefined), "give either id or ids"),
);

export type Pending = z.infer<typeof pendingSchema>;

/** Figures of one prefix. `built` counts ids with a running title, `partial` those of them that are also pending. */
interface PrefixCoverage {
  readonly prefix: string;
  readonly total: number;
  readonly built: number;
  readonly partial: number;
  readonly pending: number;
  readonly missing: readonly string[];
}

export interface Coverage {
  readonly rows: readonly PrefixCoverage[];
  /** One line each; empty when everything agrees. */
  readonly problems: readonly string[];
}

export interface CoverageInput {
  /** Ids by prefix, as the documents list them. */
  readonly listed: ReadonlyMap<string, readonly string[]>;
  readonly titles: readonly Title[];
  readonly pending: Pending;
}

/** Joins documents, titles and pending ids. */
export function coverage({ listed, titles, pending }: CoverageInput): Coverage {
  const known = new Set([...listed.values()].flat());
  const built = new Set(titles.filter((title) => title.runs).flatMap((title) => title.ids));
  const open = new Map<string, boolean>();
  const problems: string[] = [];
  for (const [prefix, ids] of listed) {
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    for (const id of twice) problems.push(`${id}: the document with prefix ${prefix} lists it twice`);
  }
  for (const title of titles) {
    for (const id of title.ids) if (!known.has(id)) problems.push(`${title.at}: ${id}: no document has it`);
    if (title.ids.length > 3) problems.push(`${title.at}: more than three ids in one title`);
    if (idRange.test(title.text)) problems.push(`${title.at}: name each id, ranges of ids are not read`);
  }
  for (const row of pending) {
    for (const id of row.ids ?? [row.id ?? ""]) {
      if (!known.has(id)) problems.push(`pending.json: ${id}: no document has it`);
      if (open.has(id)) problems.push(`pending.json: ${id}: listed twice`);
      open.set(id, row.partial ?? false);
    }
  }
  for (const [id, partial] of open) {
    if (built.has(id) && !partial)
      problems.push(`${id}: pending, though a title names it (partial: true if both hold)`);
    if (!built.has(id) && partial) problems.push(`${id}: pending as partial, but no title names it`);
  }
  const rows = [...listed].map(([prefix, ids]): PrefixCoverage => {
    const missing = ids.filter((id) => !built.has(id) && !open.has(id));
    for (const id of missing) problems.push(`${id}: neither in a title nor pending`);
    return {
      prefix,
      total: ids.length,
      built: ids.filter((id) => built.has(id)).length,
      partial: ids.filter((id) => built.has(id) && open.has(id)).length,
      pending: ids.filter((id) => !built.has(id) && open.has(id)).length,
      missing,
    };
  });
  return { rows, problems };
}
