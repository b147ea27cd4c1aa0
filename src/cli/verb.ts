import { type Command, InvalidArgumentError, Option } from "commander";
import { parseHubName } from "../core/names.ts";
import type { Ending } from "./ending.ts";
import { safeText } from "./terminal.ts";

/** What every verb says about itself in `--help` and in the documentation. */
export interface VerbText {
  readonly name: string;
  readonly summary: string;
  /** One command line that works as it stands, names aside. */
  readonly example: string;
  /** What its help says above the example. */
  readonly more?: string;
}

/** Adds a verb with `--output` to a group; options and action are added by the caller. */
export function addVerb(parent: Command, { name, summary, example, more }: VerbText): Command {
  const verb = parent.command(name).description(summary);
  if (more !== undefined) verb.addHelpText("after", `\n${more}`);
  addExample(verb, example);
  return verb.addOption(outputOption());
}

/** Adds a group of verbs; alone it prints its help. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary).helpCommand(false);
}

/** Shows an example below the help. */
export function addExample(command: Command, example: string): void {
  command.addHelpText("after", `\nExample:\n  ${example.replaceAll("\n", "\n  ")}`);
}

/** Makes a commander action of a verb: prints what it shows, or why it failed, and sets the exit code. */
export function ends<Args extends readonly unknown[]>(
  run: (...args: Args) => Promise<Ending>,
): (this: Command, ...args: Args) => Promise<void> {
  return async function (this: Command, ...args: Args): Promise<void> {
    process.exitCode = report(await run(...args), this.opts<{ output?: string }>().output === "json");
  };
}

/** Prints the ending of a verb; returns its exit code. */
function report(ending: Ending, asJson: boolean): number {
  if (!ending.ok) {
    console.error(`tidewire: ${safeText(ending.reason)}`);
    return ending.exitCode;
  }
  if (ending.shown !== undefined) console.log(asJson ? JSON.stringify(ending.shown.json, null, 2) : ending.shown.text);
  return ending.exitCode ?? 0;
}

function outputOption(): Option {
  return new Option("-o, --output <format>", "Form of the output.").choices(["table", "json"]).default("table");
}

/** `--hub-name`, checked here, since a wrong name would only be refused later. */
export function hubNameOption(): Option {
  return new Option("--hub-name <hub>", "Name of the hub.").makeOptionMandatory().argParser(parseHub);
}

function parseHub(text: string): string {
  if (parseHubName(text) !== null) return text;
  throw new InvalidArgumentError(
    "A hub name is a letter, then letters, digits and _ ` , . [ ], at most 128; no hyphen.",
  );
}

/** A mandatory option that takes a text. */
export function requiredOption(flags: string, description: string): Option {
  return new Option(flags, description).makeOptionMandatory();
}

/** An option that may be given several times. */
export function repeatedOption(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([], "none")
    .argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
}

/** An option that takes names of a closed list, in any case, and may be given several times. */
export function repeatedChoiceOption(flags: string, description: string, names: readonly string[]): Option {
  return new Option(flags, description)
    .default([], "none")
    .argParser((text: string, before: readonly string[] | undefined) => {
      const name = names.find((known) => known.toLowerCase() === text.toLowerCase());
      if (name !== undefined) return [...(before ?? []), name];
      throw new InvalidArgumentError(`It must be one of ${names.join(", ")}.`);
    });
}

/** An option that takes a whole number in a range. */
export function numberOption(
  flags: string,
  description: string,
  range: { readonly min: number; readonly max: number },
): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= range.min && value <= range.max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${range.min} to ${range.max}.`);
  });
}
