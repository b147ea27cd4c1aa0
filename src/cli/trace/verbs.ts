import type { Command } from "commander";
import type { ResourceCategory } from "../../observability/resource-logs.ts";
import type { Ending } from "../ending.ts";
import { addTarget, readTarget, type TargetOptions } from "../target.ts";
import { addVerb, ends, numberOption, repeatedChoiceOption, repeatedOption } from "../verb.ts";
import type { TraceFilter } from "./trace-line.ts";

interface TraceOptions extends TargetOptions, TraceFilter {
  readonly output: string;
  readonly limit?: number;
  readonly bodies?: boolean;
}

const categories: readonly ResourceCategory[] = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"];

/** `trace`: the live trace in the terminal (management 13). */
export function addTraceVerb(program: Command): void {
  const trace = addVerb(program, {
    name: "trace",
    summary:
      "Print what happens in a running service, line by line; the service needs properties.liveTraceConfiguration enabled.",
    example:
      "tidewire trace --category ConnectivityLogs --user ann\ntidewire trace --event EventHandlerInvoked --bodies -o json",
  });
  addTarget(trace)
    .addOption(
      repeatedChoiceOption(
        "--category <name>",
        `Only lines of this category: ${categories.join(", ")}. This and the following may be repeated; all that are given have to hold.`,
        categories,
      ),
    )
    .addOption(
      repeatedOption(
        "--event <name>",
        "Only lines of this event, such as ConnectionStarted; docs/live-trace.md lists them, and a service of Azure has others.",
      ),
    )
    .addOption(repeatedOption("--hub-name <hub>", "Only lines of this hub."))
    .addOption(repeatedOption("--connection <id>", "Only lines of this connection."))
    .addOption(repeatedOption("--user <id>", "Only lines of this user."))
    .addOption(repeatedOption("--trace-id <id>", "Only lines of this message, from its sender to its recipients."))
    .option(
      "--bodies",
      "Also show what is exchanged with event handlers: headers and bodies of up to 4,096 characters, secrets masked.",
    )
    .addOption(numberOption("--limit <lines>", "End after this many lines.", { min: 1, max: 1_000_000_000 }))
    .action(ends(startTrace));
}

async function startTrace(options: TraceOptions): Promise<Ending> {
  const target = readTarget(options);
  if (!target.ok) return target;
  const { runTrace } = await import("./trace.ts");
  const { output, limit = null, bodies = false } = options;
  return runTrace(target.service, { filter: options, asJson: output === "json", limit, bodies });
}
