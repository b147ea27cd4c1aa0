import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "./assignments.ts";
import { codeOf } from "./keys.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import { isRawObject } from "./raw-tree.ts";
import { type SchemaNode, settingsRoot } from "./schema-tree.ts";
import { insertTemplateSecrets } from "./url-template.ts";

export interface PrepareContext {
  readonly environment: Environment;
  /** Relative file names start here: the folder of the configuration file, or the working directory. */
  readonly baseDir: string;
}

export interface Prepared {
  readonly tree: unknown;
  readonly problems: readonly Problem[];
  /** Files whose content or change matters: secrets that were read, certificates that others will read. */
  readonly files: readonly string[];
  /** What was inserted into URL templates; no log may repeat it. */
  readonly templateSecrets: readonly string[];
}

/**
 * Makes a raw tree ready for validation: drops nulls (ARM exports them for absent values), makes file names absolute, and
 * reads secrets from files and URL templates.
 *
 * Afterwards `x` holds what `xFile` named. A secret and its file variant together are a problem. Never repeats a secret.
 */
export function prepareTree(tree: unknown, context: PrepareContext): Prepared {
  const problems: Problem[] = [];
  const files = new Set<string>();
  const templateSecrets: string[] = [];

  const readSecret = (file: string, path: readonly PathSegment[]): string | null => {
    files.add(file);
    try {
      return readFileSync(file, "utf8").replace(/\r?\n$/, "");
    } catch (error) {
      problems.push({ path: formatPath(path), message: `cannot read ${file} (${codeOf(error)})` });
      return null;
    }
  };

  const leaf = (raw: unknown, at: Place): unknown => {
    if (typeof raw !== "string") return raw;
    if (at.node.meta.isPath === true && raw !== "") {
      const file = resolve(context.baseDir, raw);
      if (at.node.meta.takesEffect !== "restart") files.add(file);
      return file;
    }
    if (at.node.meta.insertsSecrets !== true) return raw;
    return insertTemplateSecrets(raw, (secret) => {
      const value =
        secret.kind === "file"
          ? readSecret(resolve(context.baseDir, secret.name), at.path)
          : (context.environment[secret.name] ?? null);
      if (value === null && secret.kind === "env")
        problems.push({
          path: formatPath(at.path),
          message: `needs the environment variable ${secret.name}, which is not set`,
        });
      if (value === null) return "";
      templateSecrets.push(value);
      if (!/[{}]/.test(value)) return value;
      problems.push({
        path: formatPath(at.path),
        message: `gets a brace from ${secret.name}, which a URL cannot hold`,
      });
      return "";
    });
  };

  const object = (raw: Record<string, unknown>, at: Place): unknown => {
    const entries: [string, unknown][] = [];
    for (const [key, value] of Object.entries(raw)) {
      if (value === null) continue;
      const node = at.node.child(key);
      const path = [...at.path, key];
      entries.push([key, node === null ? value : visit(value, { node, path })]);
    }
    const prepared = new Map(entries);
    for (const [key, file] of entries) {
      const secretKey = secretOf(at.node, key);
      if (secretKey === null || typeof file !== "string") continue;
      prepared.delete(key);
      if (prepared.has(secretKey))
        problems.push({ path: formatPath([...at.path, key]), message: `cannot be combined with ${secretKey}` });
      else {
        const secret = readSecret(file, [...at.path, key]);
        if (secret !== null) prepared.set(secretKey, secret);
      }
    }
    return Object.fromEntries(prepared);
  };

  const visit = (raw: unknown, at: Place): unknown => {
    if (Array.isArray(raw)) {
      return raw.map((item: unknown, index) => {
        const node = at.node.child(index);
        return node === null ? item : visit(item, { node, path: [...at.path, index] });
      });
    }
    return isRawObject(raw) ? object(raw, at) : leaf(raw, at);
  };

  return { tree: visit(tree, { node: settingsRoot(), path: [] }), problems, files: [...files], templateSecrets };
}

interface Place {
  readonly node: SchemaNode;
  readonly path: readonly PathSegment[];
}

/** `primary` for `primaryFile` where both are settings; null for `certFile`, which names a file and nothing else. */
function secretOf(node: SchemaNode, key: string): string | null {
  const base = key.endsWith("File") ? key.slice(0, -"File".length) : "";
  return node.kind === "object" && node.keys.includes(key) && node.keys.includes(base) ? base : null;
}
