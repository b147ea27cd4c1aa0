import type { Config } from "../config/config.ts";
import { sinkPackages } from "../upstream/listeners/optional-packages.ts";

/**
 * One line for the operator when an event listener needs a package that is not installed, else null. Such packages come
 * with the service for nobody, since few need them and each needs another.
 */
export function missingPackage(
  { hubs, defaultHub }: Pick<Config, "hubs" | "defaultHub">,
  isThere: (name: string) => boolean = isInstalled,
): string | null {
  for (const [hub, { eventListeners }] of [...hubs, ["*", defaultHub] as const]) {
    for (const [index, { endpoint }] of eventListeners.entries()) {
      const name = sinkPackages[endpoint.type];
      if (name === null || isThere(name)) continue;
      return `hubs.${hub}.eventListeners[${index}] needs the package ${name}: run "npm install ${name}" where tidewire is installed`;
    }
  }
  return null;
}

function isInstalled(name: string): boolean {
  try {
    Bun.resolveSync(name, import.meta.dir);
    return true;
  } catch {
    return false;
  }
}
