import type { Host } from "../server/host.ts";
import { version } from "../server/version.ts";
import { documentation } from "./documentation.ts";

/** What `tidewire start` prints when it is ready: everything in it can be copied as it stands (M-1). */
export function banner(host: Host, configFile: string | null): string {
  const { primary, secondary } = host.connectionStrings;
  const { origin } = host.config.service.keys;
  const lines = [
    `tidewire ${version} is ready.`,
    "",
    ...row("Endpoints", host.endpoints),
    ...row("Listening on", host.listening.join() === host.endpoints.join() ? [] : host.listening),
    ...row("Console", host.consoleUrl === null ? [] : [host.consoleUrl]),
    ...row("Admin", host.adminUrl === null ? [] : [host.adminUrl]),
    ...row("Admin token", host.adminTokenFile === null ? [] : [host.adminTokenFile]),
    ...row("Configuration", [configFile ?? "none"]),
    ...row("Documentation", [documentation]),
    "",
    `Connection string${secondary === null ? "" : "s"}${origin === "development" ? " (well-known development key, for this machine only)" : ""}`,
    primary,
    ...(secondary === null ? [] : [secondary]),
    ...httpsLines(host),
  ];
  return `${lines.join("\n")}\n`;
}

function row(label: string, values: readonly string[]): string[] {
  return values.map((value, index) => `  ${(index === 0 ? label : "").padEnd(15)}${value}`);
}

/** The connection string of the best https endpoint; null when there is none. */
export function secureConnectionString({ connectionStrings, endpoints }: Host): string | null {
  const secure = endpoints.find((endpoint) => endpoint.startsWith("https:"));
  const [first] = endpoints;
  return secure === undefined || first === undefined ? null : connectionStrings.primary.replace(first, secure);
}

/** The JavaScript SDK refuses http without an option, so https has to be one export away. */
function httpsLines(host: Host): string[] {
  const { authorityFile, connectionStrings } = host;
  if (authorityFile === null) return [];
  const secure = secureConnectionString(host);
  return [
    "",
    "Over https (the certificate is made by a local authority; let clients trust it first)",
    ...(secure === null || secure === connectionStrings.primary ? [] : [secure]),
    `export NODE_EXTRA_CA_CERTS=${quote(authorityFile)}`,
  ];
}

function quote(path: string): string {
  return /^[\w./:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
