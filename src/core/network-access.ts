import { type IpRange, isInRange, parseIpAddress } from "./ip-address.ts";

/** Kinds of request that network rules tell apart, in ARM's spelling (management 7). */
export const requestTypes = ["ClientConnection", "ServerConnection", "RESTAPI", "Trace"] as const;
export type RequestType = (typeof requestTypes)[number];

type Decision = "allow" | "deny";

/** Request types that are let through or refused; a type in neither list is undecided. */
export interface RequestTypeRules {
  readonly allow: readonly RequestType[];
  readonly deny: readonly RequestType[];
}

/** Network access rules of one service, ready to be evaluated (ARM `publicNetworkAccess` and `networkACLs`). */
export interface NetworkRules {
  readonly publicNetworkAccess: "Enabled" | "Disabled";
  readonly defaultAction: Decision;
  readonly publicNetwork: RequestTypeRules;
  /** Rules of named listeners, which take the place of Azure's private endpoints. */
  readonly privateEndpoints: ReadonlyMap<string, RequestTypeRules>;
  /** Evaluated in order, the first match decides; public traffic only (M-31). */
  readonly ipRules: readonly { readonly range: IpRange; readonly action: Decision }[];
}

/** What the rules look at. */
export interface NetworkRequest {
  readonly type: RequestType;
  /** Address of the client: the socket's peer, or the forwarded address behind a trusted proxy (M-33). */
  readonly address: string;
  /** Name of the listener that took the request; null when it has none. */
  readonly listener: string | null;
}

/**
 * Decides whether a request may go on to authentication.
 *
 * Azure documents only a flow chart; the combination is the one of management 7: `publicNetworkAccess: Disabled` refuses
 * all public traffic; any rule that denies wins; a kind of rule that is configured but undecided falls to the default
 * action. Requests of a listener named in `privateEndpoints` meet that entry only. An address that cannot be read is
 * refused as soon as IP rules exist: a rule that denies must not be escaped by a strange address. Health checks are not a
 * request type: callers do not ask for them (M-27).
 * @spec M-27 M-28 M-29 M-30 M-31
 */
export function evaluateNetworkAccess(rules: NetworkRules, request: NetworkRequest): "allowed" | "denied" {
  const privateRules = request.listener === null ? undefined : rules.privateEndpoints.get(request.listener);
  if (privateRules !== undefined) return combine([typeRuling(privateRules, request.type)], rules.defaultAction);
  if (rules.publicNetworkAccess === "Disabled") return "denied";
  const rulings = [typeRuling(rules.publicNetwork, request.type), ipRuling(rules, request.address)];
  return combine(rulings, rules.defaultAction);
}

type Ruling = Decision | "undecided" | "notConfigured";

function combine(rulings: readonly Ruling[], defaultAction: Decision): "allowed" | "denied" {
  if (rulings.includes("deny")) return "denied";
  const isAllowed = rulings.includes("allow") && !rulings.includes("undecided");
  return isAllowed || defaultAction === "allow" ? "allowed" : "denied";
}

function typeRuling(rules: RequestTypeRules, type: RequestType): Ruling {
  if (rules.deny.includes(type)) return "deny";
  if (rules.allow.includes(type)) return "allow";
  return rules.allow.length + rules.deny.length > 0 ? "undecided" : "notConfigured";
}

function ipRuling(rules: NetworkRules, addressText: string): Ruling {
  if (rules.ipRules.length === 0) return "notConfigured";
  const address = parseIpAddress(addressText);
  if (address === null) return "deny";
  return rules.ipRules.find((rule) => isInRange(address, rule.range))?.action ?? "undecided";
}
