import { type Command, Option } from "commander";
import type { RawObject } from "../../config/raw-tree.ts";
import { type Ending, misused, shown } from "../ending.ts";
import { details } from "../table.ts";
import { addGroup, addVerb, ends, repeatedChoiceOption } from "../verb.ts";
import { type AdminOptions, addAdminTarget } from "./admin-target.ts";
import { objectsOf, textOf } from "./members.ts";
import { withAdmin } from "./verb-run.ts";

interface UpdateOptions extends AdminOptions {
  readonly enabled?: string;
  readonly category: readonly string[];
}

const categories = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"];
const path = ["liveTrace"];

/** The settings of live trace, which `az webpubsub` has no verbs for (management 13). */
export function addLiveTraceVerbs(program: Command): void {
  const group = addGroup(program, "live-trace", "Live trace of a running service; tidewire trace shows it.");
  const show = addVerb(group, {
    name: "show",
    summary: "Show whether live trace is on, and for what.",
    example: "tidewire live-trace show",
  });
  addAdminTarget(show).action(ends(showSettings));
  const update = addVerb(group, {
    name: "update",
    summary: "Switch live trace on or off, or choose what it shows; what is not named stays.",
    example: "tidewire live-trace update --enabled true --category ConnectivityLogs --category MessagingLogs",
  });
  addAdminTarget(update)
    .addOption(new Option("--enabled <flag>", "Whether it is on; off, it closes the views.").choices(["true", "false"]))
    .addOption(
      repeatedChoiceOption(
        "--category <name>",
        `What is shown: ${categories.join(", ")}. May be repeated; takes the place of what was shown.`,
        categories,
      ),
    )
    .action(ends(updateSettings));
  const restore = addVerb(group, {
    name: "restore",
    summary: "Let the settings of the configuration count again.",
    example: "tidewire live-trace restore",
  });
  addAdminTarget(restore).action(ends(restoreSettings));
}

function showSettings(options: AdminOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "GET", path });
    return answer.ok ? shownSettings(answer.body) : answer;
  });
}

async function updateSettings(options: UpdateOptions): Promise<Ending> {
  const { enabled, category } = options;
  if (enabled === undefined && category.length === 0) return misused("nothing to change: give --enabled or --category");
  const body = {
    ...(enabled !== undefined && { enabled }),
    ...(category.length > 0 && {
      categories: categories.map((name) => ({ name, enabled: category.includes(name) })),
    }),
  };
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "PATCH", path, body });
    return answer.ok ? shownSettings(answer.body) : answer;
  });
}

function restoreSettings(options: AdminOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "POST", path: [...path, "restore"] });
    return answer.ok ? shownSettings(answer.body) : answer;
  });
}

function shownSettings(settings: RawObject): Ending {
  const names = objectsOf(settings["categories"])
    .filter(({ enabled }) => enabled === true)
    .map(({ name }) => textOf(name));
  const rows = [
    ["Enabled", settings["enabled"] === true ? "true" : "false"],
    ["Categories", names.length > 0 ? names.join(" ") : "none"],
    ["Source", textOf(settings["source"])],
  ] as const;
  return shown(settings, details(rows));
}
