// Writes docs/cli.md from the command line's own help; a test fails while the committed page differs.
import { join } from "node:path";
import type { Command } from "commander";
import { consoleHelp } from "../src/cli/client/console-commands.ts";
import { createProgram } from "../src/cli/program.ts";

/** Where the page is. */
export const cliDocsFile = join(import.meta.dirname, "..", "docs", "cli.md");

/** Options of nearly every verb, explained once at the top of the page. */
const common: ReadonlySet<string> = new Set(["--output", "--connection-string", "--admin-url", "--admin-token"]);
/** Likewise, where the administration API is spoken to. */
const commonOfAdmin: ReadonlySet<string> = new Set(["--config", "--data"]);

/** The whole page. */
export function renderCliDocs(): string {
  const { commands } = createProgram();
  const single = commands.filter((command) => command.commands.length === 0);
  const groups = commands.filter((command) => command.commands.length > 0);
  const sections = groups.map((group) => section(`${group.name()}: ${group.description()}`, verbsOf(group)));
  return [introduction, section("Single verbs", single), ...sections].join("\n");
}

/** Every verb, groups unfolded, in the order of the help. */
export function verbsOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(verbsOf);
}

/** The words that call a command: `tidewire service broadcast`. */
export function callOf(command: Command): string {
  return command.parent === null ? command.name() : `${callOf(command.parent)} ${command.name()}`;
}

const introduction = `# Command line

<!-- Generated from src/cli by tooling/cli-docs.ts; do not edit. -->

\`tidewire\` starts and looks after the service, and has the verbs of \`az webpubsub\` under the same names. \`az\` itself finds
its resources through Azure Resource Manager and cannot be pointed at another service; here a connection string stands in
the place of \`--name\` and \`--resource-group\`. Every verb explains its options:
\`tidewire service group send --help\`.

| Verbs | Speak to | Need |
|---|---|---|
| \`service …\`, \`client start\` | a running service, Azure's too | connection string |
| \`trace\` | a running service, Azure's too | connection string; \`properties.liveTraceConfiguration\` enabled |
| \`url\`, \`token\` | nobody: they sign with the access key | connection string |
| \`key …\`, \`hub …\`, \`network-rule …\`, \`live-trace …\` | the [administration API](administration.md) of a running tidewire | \`service.adminListen: {}\` in its configuration; administration token |
| \`start\`, \`health\`, \`cert\`, \`config check\`, \`import\` | this machine | |

**Connection string**: \`--connection-string\`, or better the environment variable \`WebPubSubConnectionString\`, since others
on the machine can see command lines. For \`https\` with the local authority:
\`export NODE_EXTRA_CA_CERTS="$(tidewire cert --path)"\`.

**Administration**: \`--admin-url\` or \`WEBPUBSUB_ADMIN_URL\`, \`--admin-token\` or \`WEBPUBSUB_ADMIN_TOKEN\`. Without them the
configuration of this machine tells both (\`--config\`, \`--data\`, \`WEBPUBSUB_…\`), the token file of the data folder included;
the default is \`http://127.0.0.1:8081\`. A token that was found rather than given is sent to this machine or the configured
listener only.

**Deadline**: what does not answer within 15 s counts as not there.

**Output**: a table or plain text; \`-o json\` prints JSON as \`az\` does, \`trace\` and \`client start\` one line of JSON at a time.
What only changes something prints nothing. Colours are used on a terminal only and never with \`NO_COLOR\`. Secrets are
shown by \`key\`, \`token\` and \`url\`, whose purpose that is, and by nothing else.

**Exit code**: 0 done (also when \`exist\` or \`check\` print \`false\`); 1 refused or failed, with the reason in one line on
standard error, and an \`import\` of which something is left to be settled; 2 wrong usage or a wrong configuration.

## In \`client start\`

\`\`\`
${consoleHelp}
\`\`\`

On a terminal with line editing and history; with piped input each command waits for the answer to the one before, and the
end of the input ends the connection. With \`-o json\` the frames of the service are printed, nothing else.
`;

function section(title: string, verbs: readonly Command[]): string {
  const rows = verbs.map(
    (verb) => `| \`${callOf(verb).replace(/^tidewire /, "")}\` | ${optionsOf(verb)} | ${verb.description()} |`,
  );
  const table = ["| Verb | Options | Does |", "|---|---|---|", ...rows];
  return [`## ${title}`, "", ...table, "", "```sh", ...verbs.map(exampleOf), "```", ""].join("\n");
}

/** Arguments and options by name, those that may be left out in brackets. */
function optionsOf(verb: Command): string {
  const args = verb.registeredArguments.map((argument) => `[${argument.name()}${argument.variadic ? "..." : ""}]`);
  const isAdmin = verb.options.some(({ long }) => long === "--admin-url");
  const options = verb.options.filter(({ long, hidden }) => {
    const name = long ?? "";
    return !hidden && !common.has(name) && !(isAdmin && commonOfAdmin.has(name));
  });
  const names = options.map(({ long, mandatory }) => (mandatory ? (long ?? "") : `[${long ?? ""}]`));
  return [...args, ...names].map((name) => `\`${name}\``).join(" ");
}

/** The example that the help of a verb ends with; empty without one. */
export function exampleOf(verb: Command): string {
  let help = "";
  verb.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  verb.outputHelp();
  const [, example = ""] = /\nExample:\n([\s\S]*)$/.exec(help) ?? [];
  return example.replace(/^ {2}/gm, "").trimEnd();
}

if (import.meta.main) await Bun.write(cliDocsFile, renderCliDocs());
