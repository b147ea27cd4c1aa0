import type { NetworkRules, RequestTypeRules } from "../../api/admin.ts";

/** Kinds of request that rules tell apart. */
export const requestTypes = ["ClientConnection", "ServerConnection", "RESTAPI", "Trace"] as const;
export type RequestType = (typeof requestTypes)[number];

/** What each kind is, for a person. */
export const requestTitles: Readonly<Record<RequestType, string>> = {
  ClientConnection: "Client connections",
  ServerConnection: "Server connections (tunnels)",
  RESTAPI: "REST API",
  Trace: "Live trace",
};

/** What a list of rules says of one kind of request. */
export type Choice = "allow" | "deny" | "none";

export function choiceOf(rules: RequestTypeRules, type: RequestType): Choice {
  if (rules.deny.includes(type)) return "deny";
  return rules.allow.includes(type) ? "allow" : "none";
}

/** The rules with another choice for one kind of request. */
export function withChoice<Rules extends RequestTypeRules>(rules: Rules, type: RequestType, choice: Choice): Rules {
  const list = (names: readonly string[], isIn: boolean): readonly string[] =>
    requestTypes.filter((name) => (name === type ? isIn : names.includes(name)));
  return { ...rules, allow: list(rules.allow, choice === "allow"), deny: list(rules.deny, choice === "deny") };
}

/** Who gets through with one kind of request. */
export type Access = "everyone" | "someAddresses" | "nobody";

type Ruling = "allow" | "deny" | "undecided" | "notConfigured";

/**
 * Who gets through from the public network, as the service decides it: any rule that denies wins; a kind of rule that
 * exists and does not decide leaves it to the default action.
 */
export function publicAccess(rules: NetworkRules, type: RequestType): Access {
  if (rules.publicNetworkAccess === "Disabled") return "nobody";
  const ruling = rulingOf(rules.publicNetwork, type);
  const byAddress: readonly Ruling[] =
    rules.ipRules.length === 0
      ? ["notConfigured"]
      : [...rules.ipRules.map(({ action }): Ruling => (action === "Allow" ? "allow" : "deny")), "undecided"];
  const results = byAddress.map((address) => isAllowed([ruling, address], rules.defaultAction));
  if (results.every((allowed) => allowed)) return "everyone";
  return results.some((allowed) => allowed) ? "someAddresses" : "nobody";
}

/** Who gets through at a named listener: its own rules count, and no others. */
export function privateAccess(rules: NetworkRules, endpoint: RequestTypeRules, type: RequestType): Access {
  return isAllowed([rulingOf(endpoint, type)], rules.defaultAction) ? "everyone" : "nobody";
}

function rulingOf(rules: RequestTypeRules, type: RequestType): Ruling {
  const choice = choiceOf(rules, type);
  if (choice !== "none") return choice;
  return rules.allow.length + rules.deny.length > 0 ? "undecided" : "notConfigured";
}

function isAllowed(rulings: readonly Ruling[], defaultAction: string): boolean {
  if (rulings.includes("deny")) return false;
  return (rulings.includes("allow") && !rulings.includes("undecided")) || defaultAction === "Allow";
}

const closeness: Readonly<Record<Access, number>> = { everyone: 2, someAddresses: 1, nobody: 0 };
const whoLoses: readonly (readonly [RequestType, string])[] = [
  ["ClientConnection", "clients"],
  ["RESTAPI", "applications that use the REST API"],
  ["ServerConnection", "tunnels"],
];
const inWords = new Intl.ListFormat("en");

/** Sentences on who may not get in any more over the public network after a change; none when nobody is worse off. */
export function lockouts(before: NetworkRules, after: NetworkRules): readonly string[] {
  const losers = whoLoses.map(([type, who]) => ({ who, what: lossOf(type, before, after) }));
  return ["are refused.", "are refused unless an IP rule lets them in.", "are let in by other IP rules than before."]
    .map((what) => ({ what, who: inWords.format(losers.filter((each) => each.what === what).map(({ who }) => who)) }))
    .filter(({ who }) => who !== "")
    .map(({ who, what }) => `${who.charAt(0).toUpperCase()}${who.slice(1)} ${what}`);
}

function lossOf(type: RequestType, before: NetworkRules, after: NetworkRules): string | null {
  const access = publicAccess(after, type);
  if (closeness[access] < closeness[publicAccess(before, type)])
    return access === "nobody" ? "are refused." : "are refused unless an IP rule lets them in.";
  const isNarrower = access === "someAddresses" && (lacks(after, before, "Allow") || lacks(before, after, "Deny"));
  return isNarrower ? "are let in by other IP rules than before." : null;
}

/** Whether `rules` lacks an IP rule with this action that the others have. */
function lacks(rules: NetworkRules, others: NetworkRules, wanted: string): boolean {
  return others.ipRules.some(
    ({ value, action }) =>
      action === wanted && !rules.ipRules.some((rule) => rule.value === value && rule.action === action),
  );
}

/** The members of `after` that are not those of `before`: what is sent, so that nothing else is taken over. */
export function changesOf(before: NetworkRules, after: NetworkRules): Partial<NetworkRules> {
  const isOther = (name: keyof NetworkRules): boolean => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  return Object.fromEntries(
    (["publicNetworkAccess", "defaultAction", "publicNetwork", "privateEndpoints", "ipRules"] as const)
      .filter(isOther)
      .map((name) => [name, after[name]]),
  );
}
