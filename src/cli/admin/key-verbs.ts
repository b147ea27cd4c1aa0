import { type Command, InvalidArgumentError, Option } from "commander";
import { type Ending, shown } from "../ending.ts";
import { details } from "../table.ts";
import { addGroup, addVerb, ends, requiredOption } from "../verb.ts";
import type { AdminAnswer } from "./admin-call.ts";
import { type AdminOptions, addAdminTarget } from "./admin-target.ts";
import { withAdmin } from "./verb-run.ts";

const members = ["primaryKey", "secondaryKey", "primaryConnectionString", "secondaryConnectionString"] as const;

interface KeyOptions extends AdminOptions {
  readonly query?: string;
}

/** `key show` and `key regenerate`, as of `az webpubsub` (management 4 and 17). Showing the keys is their purpose. */
export function addKeyVerbs(program: Command): void {
  const key = addGroup(program, "key", "Access keys and connection strings of a running service.");
  const show = addVerb(key, {
    name: "show",
    summary: "Print the access keys and connection strings.",
    example: 'export WebPubSubConnectionString="$(tidewire key show --query primaryConnectionString)"',
  });
  addAdminTarget(show)
    .addOption(queryOption())
    .action(
      ends((options: KeyOptions) =>
        withAdmin(options, async (call) => showKeys(await call({ method: "POST", path: ["keys"] }), options)),
      ),
    );
  const regenerate = addVerb(key, {
    name: "regenerate",
    summary: "Make a new key; the old one is refused at once, connections stay.",
    example: "tidewire key regenerate --key-type secondary",
  });
  addAdminTarget(regenerate)
    .addOption(requiredOption("--key-type <type>", "Which key: primary or secondary.").argParser(parseKeyType))
    .addOption(queryOption())
    .action(
      ends((options: KeyOptions & { readonly keyType: string }) =>
        withAdmin(options, async (call) => {
          const body = { keyType: options.keyType === "primary" ? "Primary" : "Secondary" };
          return showKeys(await call({ method: "POST", path: ["keys", "regenerate"], body }), options);
        }),
      ),
    );
}

function parseKeyType(text: string): string {
  const type = text.toLowerCase();
  if (type === "primary" || type === "secondary") return type;
  throw new InvalidArgumentError("It must be primary or secondary.");
}

function queryOption(): Option {
  return new Option("--query <name>", "Print this value alone.").choices(members);
}

function showKeys(answer: AdminAnswer, { query }: KeyOptions): Ending {
  if (!answer.ok) return answer;
  const keys = Object.fromEntries(members.map((name) => [name, answer.body[name] ?? null]));
  const text = (name: string): string => {
    const value = keys[name];
    return typeof value === "string" ? value : "";
  };
  if (query !== undefined) return shown(keys[query], text(query));
  return shown(keys, details(members.filter((name) => text(name) !== "").map((name) => [name, text(name)])));
}
