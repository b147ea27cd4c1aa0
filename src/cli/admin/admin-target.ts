import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { defaultDataDir } from "../../config/data-dir.ts";
import { type LoadInput, loadConfig, readEnvironment } from "../../config/load.ts";
import { adminTokenFile } from "../../config/resolve.ts";
import { formatListenUrl, isLoopbackHost } from "../../config/urls.ts";
import { type Failure, misused } from "../ending.ts";

/** What `addAdminTarget` adds to a verb's options. */
export interface AdminOptions {
  readonly adminUrl?: string;
  readonly adminToken?: string;
  readonly config?: string;
  readonly data?: string;
}

/** An administration listener and the token it asks for. */
export interface AdminTarget {
  readonly ok: true;
  /** Without trailing slash. */
  readonly url: string;
  readonly token: string;
}

const urlVariable = "WEBPUBSUB_ADMIN_URL";
const tokenVariable = "WEBPUBSUB_ADMIN_TOKEN";
const defaultUrl = "http://127.0.0.1:8081";

/** Adds the options that say where the administration listener is. */
export function addAdminTarget(verb: Command): Command {
  return verb
    .addOption(
      new Option(
        "--admin-url <url>",
        `Administration listener (${urlVariable}); else as configured, or ${defaultUrl}.`,
      ),
    )
    .addOption(
      new Option(
        "--admin-token <token>",
        `Its token (${tokenVariable}, better than the option); else as configured, or the one in the data folder.`,
      ),
    )
    .addOption(new Option("--config <file>", "Configuration file of the service (WEBPUBSUB_CONFIG)."))
    .addOption(new Option("--data <folder>", "Data folder of the service."));
}

/**
 * Finds listener and token: options, then the variables, then the configuration of the service on this machine, then the
 * defaults. A token that was found rather than given goes to this machine and to the configured listener only.
 */
export function readAdminTarget(options: AdminOptions): AdminTarget | Failure {
  const environment = readEnvironment();
  const givenUrl = options.adminUrl ?? environment[urlVariable] ?? "";
  const givenToken = options.adminToken ?? environment[tokenVariable] ?? "";
  const { config } = options;
  if (config !== undefined && !existsSync(config)) return misused(`--config: ${config} does not exist`);
  const found = findConfigured({ environment, commandLine: options, cwd: process.cwd() });
  const url = (givenUrl === "" ? (found.url ?? defaultUrl) : givenUrl).replace(/\/+$/, "");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return misused(`not an http URL: ${url}`);
  if (givenToken !== "") return { ok: true, url, token: givenToken };
  const isTrusted = url === found.url || isLoopbackHost(new URL(url).hostname);
  if (isTrusted && found.token !== null) return { ok: true, url, token: found.token };
  const unconfigured = found.isConfigured ? "" : "service.adminListen is not configured, and ";
  const where = isTrusted
    ? `${unconfigured}${found.tokenFile} does not hold one`
    : `${url} is not the listener of this machine`;
  return misused(`no administration token: ${where}; set ${tokenVariable} or give --admin-token, --config or --data`);
}

interface Found {
  /** False when the configuration was read and has no administration listener. */
  readonly isConfigured: boolean;
  readonly url: string | null;
  readonly token: string | null;
  readonly tokenFile: string;
}

function findConfigured({ environment, commandLine, cwd }: LoadInput): Found {
  const { config, data } = commandLine;
  const loaded = loadConfig({ environment, commandLine: { config, data }, cwd, isTrial: true });
  const listen = loaded.ok ? loaded.config.service.adminListen : null;
  const dataDir = loaded.ok ? loaded.config.service.dataDir : (data ?? defaultDataDir({ environment, cwd }));
  const tokenFile = join(dataDir, adminTokenFile.fileName);
  if (listen === null) return { isConfigured: !loaded.ok, url: null, token: readToken(tokenFile), tokenFile };
  // In a trial a token that is not there yet is made up.
  const token = listen.tokenFile === null ? listen.token : readToken(listen.tokenFile);
  return { isConfigured: true, url: reachable(formatListenUrl(listen.address)), token, tokenFile };
}

/** A listener on every address is reached on this machine's own. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]");
}

function readToken(file: string): string | null {
  if (!existsSync(file)) return null;
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
