import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import type { Settings } from "./schema.ts";

/**
 * What an operator should know about settings that are valid: dangerous ones, and those that have no effect yet.
 * @spec M-26
 */
export function settingsWarnings(settings: Settings): Problem[] {
  const warnings: Problem[] = [];
  const warn = (path: readonly PathSegment[], message: string) => warnings.push({ path: formatPath(path), message });
  const { properties, auth } = settings;
  if (properties.disableLocalAuth && properties.disableAadAuth) {
    warn(["properties", "disableAadAuth"], "together with disableLocalAuth refuses every REST request");
  }
  if (auth.allowUnvalidatedEntraTokens)
    warn(["auth", "allowUnvalidatedEntraTokens"], "lets anybody in who can write a token; for development only");
  if (properties.liveTraceConfiguration.enabled) warn(["properties", "liveTraceConfiguration"], notYet);
  const firewall = properties.applicationFirewall;
  if (firewall.clientConnectionCountRules.length + firewall.clientTrafficControlRules.length > 0)
    warn(["properties", "applicationFirewall"], notYet);
  if (properties.socketIO.serviceMode !== "Default") warn(["properties", "socketIO", "serviceMode"], notYet);
  for (const [name, hub] of Object.entries(settings.hubs)) {
    if (hub.eventListeners.length > 0) warn(["hubs", name, "eventListeners"], "are not delivered to yet");
  }
  return warnings;
}

const notYet = "has no effect yet";
