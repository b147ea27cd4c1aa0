import { type Command, Option } from "commander";
import { type ConnectionString, parseConnectionString } from "../config/connection-string.ts";
import { readEnvironment } from "../config/load.ts";
import { type Failure, misused } from "./ending.ts";

/** The variable in which samples and tools of Azure expect a connection string (management 3.3). */
const connectionStringVariable = "WebPubSubConnectionString";

/** What `addTarget` adds to a verb's options. */
export interface TargetOptions {
  readonly connectionString?: string;
}

export type Target = { readonly ok: true; readonly service: ConnectionString } | Failure;

/** Adds `--connection-string` to a verb. */
export function addTarget(verb: Command): Command {
  return verb.addOption(
    new Option(
      "--connection-string <text>",
      `Connection string of the service; better in the environment variable ${connectionStringVariable}, since other users can see command lines.`,
    ),
  );
}

/** The service that the options or the environment name; an option wins. Reasons never repeat a value. */
export function readTarget(options: TargetOptions): Target {
  const given = options.connectionString;
  const text = given ?? readEnvironment()[connectionStringVariable] ?? "";
  if (text.trim() === "")
    return misused(`no connection string: set ${connectionStringVariable} or give --connection-string`);
  const parsed = parseConnectionString(text);
  return parsed.ok
    ? { ok: true, service: parsed.value }
    : misused(`${given === undefined ? connectionStringVariable : "--connection-string"} ${parsed.message}`);
}
