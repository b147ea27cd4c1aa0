import { applyAssignments } from "../../config/assignments.ts";
import { developmentKey } from "../../config/keys.ts";
import { formatPath, formatProblem, type PathSegment } from "../../config/problem.ts";
import { isRawObject, mapTexts, type RawObject, withoutKey, withValueAt } from "../../config/raw-tree.ts";
import { emulatorFile } from "../../config/read-file.ts";
import { type Imported, literal, type NotImported } from "./imported.ts";

/**
 * Turns the emulator's `appsettings.json` into settings of this service. Secrets do not come along: a variable takes the
 * place of each, and the notes name it. The emulator's own key is public and stays.
 */
export function fromEmulator(tree: RawObject, file: string): Imported | NotImported {
  const { assignments, problems, warnings } = emulatorFile(tree, { file, problems: [] });
  const [problem] = problems;
  if (problem !== undefined) return { fault: formatProblem(problem) };
  const notes = warnings.map(formatProblem);
  const variables: Record<string, string> = {};
  let settings: unknown = {};
  for (const { path, value } of assignments) {
    const isOwnKey = formatPath(path) === "service.keys.primary" && value !== developmentKey;
    if (isOwnKey || path.at(-1) === "connectionString") {
      const name = isOwnKey ? "WPS_PRIMARY_KEY" : `EVENT_HUB_CONNECTION_STRING_${Object.keys(variables).length + 1}`;
      variables[name] = String(value);
      notes.push(`${formatPath(path)} is a secret; give it as environment variable ${name}`);
      settings = applyAssignments(settings, [{ path, value: `\${${name}}`, source: file }]);
    } else settings = applyAssignments(settings, [{ path, value: plain(value), source: file }]);
  }
  return { settings: isRawObject(settings) ? settings : {}, notes, variables };
}

function plain(value: unknown): unknown {
  return mapTexts(value, literal);
}

/** Puts the settings of a later input over those of an earlier one: a hub and each property as a whole. */
export function mergeSettings(before: RawObject, after: RawObject): RawObject {
  let merged: unknown = before;
  for (const [room, members] of Object.entries(after)) {
    for (const [name, value] of Object.entries(isRawObject(members) ? members : {})) {
      const path: readonly PathSegment[] = [room, name];
      merged = withValueAt(withoutKey(merged, path), path, value);
    }
  }
  return isRawObject(merged) ? merged : {};
}
