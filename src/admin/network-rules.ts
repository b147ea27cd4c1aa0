import { entryAt, type Overlay, withEntry, withoutEntry } from "../config/overlay.ts";
import { isRawObject, type RawObject, valueAt } from "../config/raw-tree.ts";
import type { ConfigState } from "../config/watch.ts";
import { type Answer, badRequest, invalidSettings, ok } from "./answers.ts";
import type { AdminService } from "./settings.ts";

const aclPath = ["properties", "networkACLs"];
const accessPath = ["properties", "publicNetworkAccess"];

/** `GET /admin/networkRules`: the body of ARM's `networkACLs`, with `publicNetworkAccess` beside it. */
export function getNetworkRules({ state }: AdminService): Answer {
  const { settings, overlay } = state;
  const { publicNetworkAccess } = settings.properties;
  return ok({ publicNetworkAccess, ...aclsOf(state), source: sourceOf(overlay) });
}

/**
 * `PATCH /admin/networkRules`: members that are given replace the old ones, those of `publicNetwork` one by one; null means
 * the default. In force for the next request; connections stay. The administration listener is not subject to it.
 */
export function patchNetworkRules(service: AdminService, body: unknown): Answer {
  if (!isRawObject(body)) return badRequest("The body must be an object.");
  const { publicNetworkAccess, source: _shown, ...acls } = body;
  const value = merged(aclsOf(service.state), acls);
  const problems = service.change((overlay) => {
    const first = Object.keys(acls).length > 0 ? withEntry(overlay, { path: aclPath, value }) : overlay;
    if (publicNetworkAccess === undefined) return first;
    return withEntry(first, { path: accessPath, value: publicNetworkAccess ?? "Enabled" });
  });
  if (problems.length > 0) return invalidSettings(problems);
  service.log("The administration API changed the network rules.");
  return getNetworkRules(service);
}

/** `POST /admin/networkRules/restore`: the rules of the configuration count again. */
export function restoreNetworkRules(service: AdminService): Answer {
  const restored = (overlay: Overlay): Overlay => withoutEntry(withoutEntry(overlay, aclPath), accessPath);
  if (sourceOf(service.state.overlay) === "overlay") {
    const problems = service.change(restored);
    if (problems.length > 0) return invalidSettings(problems);
    service.log("The administration API restored the configured network rules.");
  }
  return getNetworkRules(service);
}

function sourceOf(overlay: Overlay): "overlay" | "configuration" {
  const isOurs = entryAt(overlay, aclPath) !== undefined || entryAt(overlay, accessPath) !== undefined;
  return isOurs ? "overlay" : "configuration";
}

/** The rules with their defaults, addresses as written. */
function aclsOf({ settings, tree }: ConfigState): RawObject {
  const { defaultAction, publicNetwork, privateEndpoints, ipRules } = settings.properties.networkACLs;
  const written = valueAt(tree, [...aclPath, "ipRules"]);
  const addressAt = (index: number): unknown => valueAt(written, [index, "value"]);
  return {
    defaultAction,
    publicNetwork,
    privateEndpoints,
    ipRules: ipRules.map(({ action }, index) => ({ value: addressAt(index), action })),
  };
}

function merged(old: RawObject, patch: RawObject): RawObject {
  const { publicNetwork } = patch;
  const before = old["publicNetwork"];
  const isPart = isRawObject(publicNetwork) && isRawObject(before);
  return { ...old, ...patch, ...(isPart && { publicNetwork: { ...before, ...publicNetwork } }) };
}
