import { type Command, Option } from "commander";
import { isRawObject, type RawObject } from "../../config/raw-tree.ts";
import { requestTypes } from "../../core/network-access.ts";
import { type Ending, type Failure, failed, misused, shown } from "../ending.ts";
import { details } from "../table.ts";
import { addGroup, addVerb, ends, repeatedOption } from "../verb.ts";
import { type AdminOptions, addAdminTarget } from "./admin-target.ts";
import { objectsOf, textOf } from "./members.ts";
import { readPairs } from "./pairs.ts";
import { withAdmin } from "./verb-run.ts";

interface UpdateOptions extends AdminOptions {
  readonly publicNetwork?: true;
  readonly connectionName?: readonly string[];
  /** True: the option without a value, an empty list. */
  readonly allow?: readonly string[] | true;
  readonly deny?: readonly string[] | true;
  readonly defaultAction?: string;
  readonly publicNetworkAccess?: string;
}

interface IpRuleOptions extends AdminOptions {
  readonly ipRule: readonly string[];
}

interface IpRule {
  readonly value: string;
  readonly action: string | null;
}

/** The verbs of `az webpubsub network-rule` (management 7 and 17). */
export function addNetworkVerbs(program: Command): void {
  const rule = addGroup(program, "network-rule", "Network rules of a running service.");
  const show = addVerb(rule, {
    name: "show",
    summary: "Show the network rules.",
    example: "tidewire network-rule show",
  });
  addAdminTarget(show).action(ends(showRules));
  const update = addVerb(rule, {
    name: "update",
    summary: "Change which requests are let through; what is not named stays.",
    example: "tidewire network-rule update --public-network --allow ClientConnection --deny RESTAPI Trace",
  });
  addAdminTarget(update)
    .addOption(new Option("--public-network", "The rules of public traffic."))
    .addOption(new Option("--connection-name <names...>", "The rules of these named listeners."))
    .addOption(typesOption("--allow [types...]", "Request types to let through; none: an empty list."))
    .addOption(typesOption("--deny [types...]", "Request types to refuse; none: an empty list."))
    .addOption(new Option("--default-action <action>", "Where no rule decides.").choices(["Allow", "Deny"]))
    .addOption(
      new Option("--public-network-access <state>", "Disabled refuses all public traffic.").choices([
        "Enabled",
        "Disabled",
      ]),
    )
    .action(ends(updateRules));
  const ipRule = addGroup(rule, "ip-rule", "Rules for addresses; the first match decides.");
  const add = addVerb(ipRule, {
    name: "add",
    summary: "Add rules behind those there are.",
    example: "tidewire network-rule ip-rule add --ip-rule value=203.0.113.0/24 action=Deny",
  });
  withIpRules(add).action(ends(addIpRules));
  const remove = addVerb(ipRule, {
    name: "remove",
    summary: "Remove rules.",
    example: "tidewire network-rule ip-rule remove --ip-rule value=203.0.113.0/24 action=Deny",
  });
  withIpRules(remove).action(ends(removeIpRules));
}

function typesOption(flags: string, description: string): Option {
  return new Option(flags, description).choices(requestTypes);
}

function withIpRules(verb: Command): Command {
  return addAdminTarget(verb).addOption(
    repeatedOption("--ip-rule <settings>", "Rule: value=ADDRESS-OR-RANGE action=Allow or action=Deny; may be repeated.")
      .default(undefined)
      .makeOptionMandatory(),
  );
}

const path = ["networkRules"];

function showRules(options: AdminOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "GET", path });
    return answer.ok ? shownRules(answer.body) : answer;
  });
}

async function updateRules(options: UpdateOptions): Promise<Ending> {
  const { publicNetwork, connectionName = [], allow, deny, defaultAction, publicNetworkAccess } = options;
  const lists = {
    ...(allow !== undefined && { allow: allow === true ? [] : allow }),
    ...(deny !== undefined && { deny: deny === true ? [] : deny }),
  };
  const hasLists = Object.keys(lists).length > 0;
  const isAimed = publicNetwork === true || connectionName.length > 0;
  if (hasLists !== isAimed)
    return misused("--allow and --deny go with --public-network or --connection-name, and these with one of those");
  if (!hasLists && defaultAction === undefined && publicNetworkAccess === undefined)
    return misused("nothing to change: give --allow, --deny, --default-action or --public-network-access");
  return withAdmin(options, async (call) => {
    const current = await call({ method: "GET", path });
    if (!current.ok) return current;
    const privateEndpoints = withLists(objectsOf(current.body["privateEndpoints"]), connectionName, lists);
    const body = {
      ...(publicNetwork === true && { publicNetwork: lists }),
      ...(connectionName.length > 0 && { privateEndpoints }),
      ...(defaultAction !== undefined && { defaultAction }),
      ...(publicNetworkAccess !== undefined && { publicNetworkAccess }),
    };
    const answer = await call({ method: "PATCH", path, body });
    return answer.ok ? shownRules(answer.body) : answer;
  });
}

/** The rules of the listeners, those of the named ones changed or added. */
function withLists(old: readonly RawObject[], names: readonly string[], lists: RawObject): RawObject[] {
  const isNamed = ({ name }: RawObject): boolean => names.includes(textOf(name));
  const added = names.filter((name) => !old.some((endpoint) => endpoint["name"] === name));
  return [
    ...old.map((endpoint) => (isNamed(endpoint) ? { ...endpoint, ...lists } : endpoint)),
    ...added.map((name) => ({ name, ...lists })),
  ];
}

async function addIpRules(options: IpRuleOptions): Promise<Ending> {
  const given = readIpRules(options.ipRule);
  if (!given.ok) return given;
  if (given.rules.some(({ action }) => action === null)) return misused("--ip-rule needs action=Allow or action=Deny");
  return changeIpRules(options, (rules) => [...rules, ...given.rules.map((rule) => ({ ...rule }))]);
}

async function removeIpRules(options: IpRuleOptions): Promise<Ending> {
  const given = readIpRules(options.ipRule);
  if (!given.ok) return given;
  const isMeant = (rule: RawObject, { value, action }: IpRule): boolean =>
    textOf(rule["value"]) === value &&
    (action === null || textOf(rule["action"]).toLowerCase() === action.toLowerCase());
  return changeIpRules(options, (rules) => {
    const missing = given.rules.find((meant) => !rules.some((rule) => isMeant(rule, meant)));
    if (missing !== undefined) return `there is no rule value=${missing.value} action=${missing.action ?? "…"}`;
    return rules.filter((rule) => !given.rules.some((meant) => isMeant(rule, meant)));
  });
}

function changeIpRules(
  options: AdminOptions,
  change: (rules: readonly RawObject[]) => readonly RawObject[] | string,
): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const current = await call({ method: "GET", path });
    if (!current.ok) return current;
    const ipRules = change(objectsOf(current.body["ipRules"]));
    if (typeof ipRules === "string") return failed(ipRules);
    const answer = await call({ method: "PATCH", path, body: { ipRules } });
    return answer.ok ? shownRules(answer.body) : answer;
  });
}

function readIpRules(words: readonly string[]): { readonly ok: true; readonly rules: readonly IpRule[] } | Failure {
  const rules: IpRule[] = [];
  for (const word of words) {
    const pairs = readPairs(word, "--ip-rule", ["value", "action"]);
    if (!pairs.ok) return pairs;
    const value = pairs.values.get("value")?.at(-1);
    if (value === undefined) return misused("--ip-rule needs value=…");
    rules.push({ value, action: pairs.values.get("action")?.at(-1) ?? null });
  }
  return { ok: true, rules };
}

function shownRules(rules: RawObject): Ending {
  const { publicNetworkAccess, defaultAction, publicNetwork, privateEndpoints, ipRules } = rules;
  const lists = (of: unknown): string => {
    const { allow, deny } = isRawObject(of) ? of : {};
    return `allow: ${words(allow)}  deny: ${words(deny)}`;
  };
  const rows: (readonly [string, string])[] = [
    ["Public access", textOf(publicNetworkAccess)],
    ["Default action", textOf(defaultAction)],
    ["Public network", lists(publicNetwork)],
    ...objectsOf(privateEndpoints).map((endpoint): [string, string] => [
      `Listener ${textOf(endpoint["name"])}`,
      lists(endpoint),
    ]),
    ...objectsOf(ipRules).map(({ value, action }, index): [string, string] => {
      return [`IP rule ${index + 1}`, `${textOf(action)} ${textOf(value)}`];
    }),
  ];
  return shown(rules, details(rows));
}

function words(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? value.join(" ") : "none";
}
