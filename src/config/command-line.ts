import { shortcutVariables } from "./assignments.ts";
import type { PathSegment } from "./problem.ts";
import { nodeAt } from "./schema-tree.ts";

/** One option of `tidewire start` that sets something. */
export interface CommandLineOption {
  readonly flag: string;
  readonly description: string;
}

/**
 * The options that set something, described by the schema, for the command line's help.
 *
 * Their values go into `LoadInput.commandLine` as `config`, `urls`, `port`, `data`, `logLevel`.
 */
export function commandLineOptions(): readonly CommandLineOption[] {
  return [
    {
      flag: "--config <file>",
      description: "Configuration file, YAML or JSON; also the emulator's appsettings.json (WEBPUBSUB_CONFIG).",
    },
    { flag: "--urls <urls>", description: `Listen URLs, separated by ; (${variableFor(["service", "listen"])}).` },
    { flag: "--port <number>", description: "Short for --urls http://localhost:<number>; 0 for any free port." },
    { flag: "--data <folder>", description: describe(["service", "dataDir"]) },
    {
      flag: "--log-level <level>",
      description: `${describe(["logging", "level"])} One of ${choicesOf(["logging", "level"])} (${variableFor(["logging", "level"])}).`,
    },
  ];
}

function describe(path: readonly PathSegment[]): string {
  return nodeAt(path)?.meta.description ?? "";
}

function choicesOf(path: readonly PathSegment[]): string {
  return (nodeAt(path)?.meta.type ?? "").replaceAll("`", "");
}

function variableFor(path: readonly PathSegment[]): string {
  return shortcutVariables.find((variable) => variable.path.join() === path.join())?.name ?? "";
}
