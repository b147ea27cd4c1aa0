import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { type Assignment, type Environment, listenList } from "./assignments.ts";
import { codeOf } from "./keys.ts";
import { resolveName } from "./names.ts";
import { formatPath, type Problem } from "./problem.ts";
import { isRawObject, mapTexts, type RawObject } from "./raw-tree.ts";

/** A configuration file as read: a tree in the service's own form, or the emulator's settings as assignments. */
export interface ConfigFile {
  readonly kind: "none" | "own" | "emulator" | "unreadable";
  /** Empty unless the kind is `own`. */
  readonly tree: RawObject;
  /** Empty unless the kind is `emulator`. */
  readonly assignments: readonly Assignment[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What there is without a configuration file. */
export const noConfigFile: ConfigFile = { kind: "none", tree: {}, assignments: [], problems: [], warnings: [] };

/** Sections of ASP.NET that every `appsettings.json` may have and that mean nothing here. */
const ignoredSections = ["logging", "allowedhosts"];
const substitution = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Reads a YAML or JSON file (comments allowed in both) and substitutes `${NAME}` and `${NAME:-default}` from the
 * environment; `$${` stands for `${`.
 *
 * A file whose top level has `WebPubSub` is the emulator's `appsettings.json`. Nothing is validated beyond syntax. An empty
 * file is an empty tree. Problems name the file and the line.
 */
export function readConfigFile(file: string, environment: Environment): ConfigFile {
  const problem = (message: string): ConfigFile => ({
    ...noConfigFile,
    kind: "unreadable",
    problems: [{ path: file, message }],
  });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return problem(codeOf(error) === "ENOENT" ? "does not exist" : `cannot be read (${codeOf(error)})`);
  }
  const parsed = parseConfigText(text, { isJson: file.toLowerCase().endsWith(".json") });
  if ("fault" in parsed) return problem(parsed.fault);
  const tree = parsed.tree ?? {};
  if (!isRawObject(tree)) return problem("must hold named settings at its top level");
  const substituted = substitute(tree, environment);
  if (isEmulatorTree(tree)) return emulatorFile(substituted.tree, { file, problems: substituted.problems });
  return { ...noConfigFile, kind: "own", tree: substituted.tree, problems: substituted.problems };
}

/** Whether a tree is the emulator's `appsettings.json`. */
export function isEmulatorTree(tree: RawObject): boolean {
  return Object.keys(tree).some((key) => /^webpubsub(?::|$)/i.test(key));
}

/** Parses YAML or JSON; comments are allowed in both. The fault quotes nothing of the text. */
export function parseConfigText(
  text: string,
  { isJson }: { readonly isJson: boolean },
): { readonly tree: unknown } | { readonly fault: string } {
  return parseText(isJson ? withoutComments(text) : text);
}

function parseText(text: string): { readonly tree: unknown } | { readonly fault: string } {
  const document = parseDocument(text.replace(/^\uFEFF/, ""));
  const fault = document.errors[0];
  // The first line says what and where; the lines after it quote the file, which may hold secrets.
  if (fault !== undefined) return { fault: `is not valid: ${fault.message.split("\n")[0]?.replace(/:$/, "")}` };
  try {
    return { tree: document.toJS() as unknown };
  } catch (error) {
    return { fault: `is not valid: ${error instanceof Error ? error.message : "unknown error"}` };
  }
}

/** JSON with its comments blanked out, lines and columns kept. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    part.startsWith('"') ? part : part.replace(/[^\n]/g, " "),
  );
}

function substitute(
  tree: RawObject,
  environment: Environment,
): { readonly tree: RawObject; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const replaced = mapTexts(tree, (text, path) =>
    text.replace(substitution, (whole, name: string | undefined, fallback: string | undefined) => {
      if (whole === "$${") return "${";
      const value = name === undefined ? undefined : environment[name];
      // As in a shell, an empty variable counts as none where there is a default.
      if (fallback !== undefined && (value ?? "") === "") return fallback;
      if (value !== undefined) return value;
      const message =
        name === undefined
          ? "has ${ without a variable name and } (write $${ for a literal ${)"
          : `needs the environment variable ${name}, which is not set`;
      problems.push({ path: formatPath(path), message });
      return whole;
    }),
  );
  return { tree: isRawObject(replaced) ? replaced : {}, problems };
}

/** Reads the emulator's settings, which are those of .NET: nested, case-insensitive, `:` in a key is a level. */
export function emulatorFile(
  tree: unknown,
  found: { readonly file: string; readonly problems: readonly Problem[] },
): ConfigFile {
  const assignments: Assignment[] = [];
  const problems = [...found.problems];
  const warnings: Problem[] = [];
  const urls: string[] = [];
  for (const { names, value } of leaves(tree)) {
    const path = names.join(":");
    const section = names[0]?.toLowerCase() ?? "";
    const isKestrelUrl =
      section === "kestrel" && names[1]?.toLowerCase() === "endpoints" && names[3]?.toLowerCase() === "url";
    if ((section === "urls" && names.length === 1) || isKestrelUrl) urls.push(String(value));
    else if (ignoredSections.includes(section)) continue;
    else if (section !== "webpubsub")
      warnings.push({ path, message: "has no meaning for this service and is ignored" });
    else {
      const resolved = resolveName(names.slice(1));
      if (resolved.ok) assignments.push({ path: resolved.path, value, source: `${path} in ${found.file}` });
      else problems.push({ path, message: resolved.message });
    }
  }
  if (urls.length > 0)
    assignments.push({
      path: ["service", "listen"],
      value: listenList(urls.join(";")),
      source: `Urls in ${found.file}`,
    });
  return { ...noConfigFile, kind: "emulator", assignments, problems, warnings };
}

function leaves(
  tree: unknown,
  names: readonly string[] = [],
): { readonly names: readonly string[]; readonly value: unknown }[] {
  if (tree === null) return [];
  if (Array.isArray(tree)) return tree.flatMap((item, index) => leaves(item, [...names, String(index)]));
  if (!isRawObject(tree)) return [{ names, value: tree }];
  return Object.entries(tree).flatMap(([key, value]) => leaves(value, [...names, ...key.split(":")]));
}
