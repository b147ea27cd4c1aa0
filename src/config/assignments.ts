import { resolve } from "node:path";
import { parseConnectionString } from "./connection-string.ts";
import { resolveName } from "./names.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import { isRawObject, withoutKey, withValueAt } from "./raw-tree.ts";

/** One setting given from outside the file. */
export interface Assignment {
  readonly path: readonly PathSegment[];
  readonly value: unknown;
  /** Who gave it, for messages: a variable, an option or a place in the emulator's file. */
  readonly source: string;
}

export interface Assignments {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly Problem[];
}

/** The process environment as a plain value; `readEnvironment` in load.ts is the only place that takes it from the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of the command line that set something; names as in `commandLineOptions`. */
export interface CommandLine {
  readonly config?: string | undefined;
  readonly urls?: string | undefined;
  readonly port?: string | undefined;
  readonly data?: string | undefined;
  readonly logLevel?: string | undefined;
}

const genericPrefix = "webpubsub__";
const listen: readonly PathSegment[] = ["service", "listen"];
const firstPublicEndpoint: readonly PathSegment[] = ["service", "publicEndpoints", 0];
const primaryKey: readonly PathSegment[] = ["service", "keys", "primary"];

/** Variables with a short name, beside the generic ones (management 19.3). */
export const shortcutVariables: readonly {
  readonly name: string;
  readonly path: readonly PathSegment[];
  readonly meaning: string;
}[] = [
  {
    name: "WEBPUBSUB_URLS",
    path: listen,
    meaning: "Listen URLs, separated by `;`; replaces all listeners of the file.",
  },
  { name: "WEBPUBSUB_PUBLIC_ENDPOINT", path: firstPublicEndpoint, meaning: "First public endpoint." },
  { name: "WEBPUBSUB_PRIMARY_KEY", path: primaryKey, meaning: "Primary access key." },
  { name: "WEBPUBSUB_SECONDARY_KEY", path: ["service", "keys", "secondary"], meaning: "Secondary access key." },
  { name: "WEBPUBSUB_LOG_LEVEL", path: ["logging", "level"], meaning: "Log level." },
];

/** .NET's variables for listen URLs, in the order in which they give way: the emulator's compose files set them. */
const dotnetUrlVariables = ["Urls", "ASPNETCORE_URLS"];

/**
 * Settings given by environment variables: the generic `WEBPUBSUB__…` names, the shortcuts, the connection string, and the
 * emulator's names. An empty shortcut counts as absent, because compose files pass empty variables on.
 *
 * Two variables for one setting are a problem, not a matter of order. Messages never repeat a value.
 * @spec M-9 M-57 M-58
 */
export function environmentAssignments(environment: Environment, cwd: string): Assignments {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.toLowerCase().startsWith(genericPrefix)) continue;
    const resolved = resolveName(name.slice(genericPrefix.length).split("__"));
    if (!resolved.ok) problems.push({ path: name, message: resolved.message });
    else assignments.push({ path: resolved.path, value: resolved.isPath ? resolve(cwd, value) : value, source: name });
  }
  for (const { name, path } of shortcutVariables) {
    const value = environment[name] ?? "";
    if (value !== "") assignments.push({ path, value: path === listen ? listenList(value) : value, source: name });
  }
  const dotnetUrls = dotnetUrlVariables.find((name) => (environment[name] ?? "") !== "");
  if (dotnetUrls !== undefined && !assignments.some((assignment) => isSamePath(assignment.path.slice(0, 2), listen))) {
    assignments.push({ path: listen, value: listenList(environment[dotnetUrls] ?? ""), source: dotnetUrls });
  }
  const fromConnectionString = connectionStringAssignments(environment["WEBPUBSUB_CONNECTION_STRING"] ?? "");
  assignments.push(...fromConnectionString.assignments);
  problems.push(...fromConnectionString.problems, ...collisions(assignments));
  return { assignments, problems };
}

/** Settings given by command-line options; `--port N` is short for `--urls http://localhost:N`. */
export function commandLineAssignments(options: CommandLine, cwd: string): Assignments {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  if (options.urls !== undefined && options.port !== undefined)
    problems.push({ path: "--port", message: "cannot be combined with --urls" });
  if (options.urls !== undefined) assignments.push({ path: listen, value: listenList(options.urls), source: "--urls" });
  else if (options.port !== undefined) {
    if (isPort(options.port))
      assignments.push({ path: listen, value: listenList(`http://localhost:${options.port}`), source: "--port" });
    else problems.push({ path: "--port", message: "must be a number from 0 to 65535" });
  }
  if (options.data !== undefined)
    assignments.push({ path: ["service", "dataDir"], value: resolve(cwd, options.data), source: "--data" });
  if (options.logLevel !== undefined)
    assignments.push({ path: ["logging", "level"], value: options.logLevel, source: "--log-level" });
  return { assignments, problems };
}

/**
 * The tree with the assignments made on top of it.
 *
 * A secret and its file variant exclude each other, so giving one takes the other away from the layer below (M-57).
 */
export function applyAssignments(tree: unknown, assignments: readonly Assignment[]): unknown {
  return assignments.reduce((below, { path, value }) => {
    const last = String(path.at(-1));
    const twin = last.endsWith("File") ? last.slice(0, -"File".length) : `${last}File`;
    return withValueAt(withoutKey(below, [...path.slice(0, -1), twin]), path, value);
  }, tree);
}

/** Lists in which an index is missing, because variables gave `__0` and `__2` only. */
export function listGaps(tree: unknown, path: readonly PathSegment[] = []): Problem[] {
  if (Array.isArray(tree)) {
    return Array.from(tree as unknown[], (item, index) =>
      item === undefined
        ? [{ path: formatPath([...path, index]), message: "is missing, although a later entry of the list is given" }]
        : listGaps(item, [...path, index]),
    ).flat();
  }
  return isRawObject(tree) ? Object.entries(tree).flatMap(([key, value]) => listGaps(value, [...path, key])) : [];
}

/** Listeners from URLs separated by `;`, as .NET writes them. */
export function listenList(urls: string): { readonly url: string }[] {
  return urls
    .split(";")
    .map((url) => url.trim().replace(/\/$/, ""))
    .filter((url) => url !== "")
    .map((url) => ({ url }));
}

function connectionStringAssignments(text: string): Assignments {
  if (text === "") return { assignments: [], problems: [] };
  const source = "WEBPUBSUB_CONNECTION_STRING";
  const parsed = parseConnectionString(text);
  if (!parsed.ok) return { assignments: [], problems: [{ path: source, message: parsed.message }] };
  return {
    assignments: [
      { path: firstPublicEndpoint, value: parsed.value.endpoint, source },
      { path: primaryKey, value: parsed.value.accessKey, source },
    ],
    problems: [],
  };
}

function collisions(assignments: readonly Assignment[]): Problem[] {
  return assignments.flatMap((assignment, index) => {
    const earlier = assignments.slice(0, index).find(({ path }) => isSameSetting(path, assignment.path));
    const isConflict = earlier !== undefined && JSON.stringify(earlier.value) !== JSON.stringify(assignment.value);
    return isConflict
      ? [
          {
            path: formatPath(assignment.path),
            message: `is set differently by ${earlier.source} and ${assignment.source}`,
          },
        ]
      : [];
  });
}

function isSamePath(left: readonly PathSegment[], right: readonly PathSegment[]): boolean {
  return formatPath(left).toLowerCase() === formatPath(right).toLowerCase();
}

/** As `isSamePath`, but a secret and its file variant are one setting. */
function isSameSetting(left: readonly PathSegment[], right: readonly PathSegment[]): boolean {
  const setting = (path: readonly PathSegment[]) => formatPath(path).toLowerCase().replace(/file$/, "");
  return setting(left) === setting(right);
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** Where a value came from if not from the file, by formatted path, for messages. */
export function sourcesByPath(assignments: readonly Assignment[]): ReadonlyMap<string, string> {
  return new Map(assignments.map(({ path, source }) => [formatPath(path), source]));
}
