import { type HubName, parseHubName } from "../core/names.ts";
import type { NetworkRules, RequestTypeRules } from "../core/network-access.ts";
import type { Environment } from "./assignments.ts";
import type { AccessKeys, Config, EventHandlerConfig, EventListenerConfig, HubConfig, Listener } from "./config.ts";
import { defaultDataDir } from "./data-dir.ts";
import { resolveHandlerAuth } from "./handler-auth.ts";
import { checkAccessKey, developmentKey, type KeptSecret, readOrCreateKey } from "./keys.ts";
import { resolveListenerEndpoint } from "./listener-endpoint.ts";
import { formatPath, type PathSegment, type Problem } from "./problem.ts";
import type { Settings } from "./schema.ts";
import { defaultHubNames, type HubInput, hubSchema } from "./schema-hubs.ts";
import { defaultAdminUrl } from "./schema-service.ts";
import { checkUserEventPattern, isTunnel } from "./url-template.ts";
import { isLoopbackHost, parseListenUrl } from "./urls.ts";

export interface ResolveContext {
  readonly environment: Environment;
  readonly cwd: string;
  /** Nothing about the service itself is configured, so that the emulator's key may be used on loopback. */
  readonly isDevelopment: boolean;
  /** Nothing is kept in the data folder; a key that would be generated there is made up. */
  readonly isTrial: boolean;
  /** Where to listen when nothing says so. */
  readonly defaultListenUrls: readonly string[];
  /** Whether there is an administration listener on its default address when nothing says where to listen. */
  readonly hasDefaultAdmin: boolean;
  readonly templateSecrets: readonly string[];
}

export type Resolved =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Report = (path: readonly PathSegment[], message: string) => void;

/**
 * Turns valid settings into the configuration: rules that span several settings, keys, default listeners.
 *
 * Generates and stores an access key when one is needed and the data folder has none (M-11), unless this is a trial; that is
 * its only effect.
 */
export function resolveConfig(settings: Settings, context: ResolveContext): Resolved {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const refuse: Report = (path, message) => problems.push({ path: formatPath(path), message });
  const warn: Report = (path, message) => warnings.push({ path: formatPath(path), message });

  const { service, properties } = settings;
  const listen = resolveListeners(settings, { defaultUrls: context.defaultListenUrls, refuse });
  const publicEndpoints = resolvePublicEndpoints(settings, refuse);
  const hubs = resolveHubs(settings, refuse);
  checkIssuers(settings, refuse);
  checkAdminListen(settings, refuse);
  const dataDir = service.dataDir ?? defaultDataDir(context);
  const { isTrial } = context;
  // Only a configuration that is otherwise right may leave key files behind.
  const keys =
    problems.length === 0
      ? resolveKeys(settings, { listen, dataDir, isDevelopment: context.isDevelopment, isTrial, refuse, warn })
      : null;
  const { hasDefaultAdmin } = context;
  const adminListen =
    keys === null ? null : resolveAdminListen(settings, { dataDir, isTrial, hasDefaultAdmin, refuse, warn });
  if (keys === null || problems.length > 0) return { ok: false, problems };
  if (
    keys.origin === "development" &&
    publicEndpoints.some((endpoint) => !isLoopbackHost(new URL(endpoint).hostname))
  ) {
    warn(["service", "publicEndpoints"], "leads to a service whose access key is public");
  }
  const config: Config = {
    service: {
      name: service.name,
      listen,
      adminListen,
      publicEndpoints,
      pathBase: service.pathBase,
      trustedProxies: service.trustedProxies,
      keys,
      dataDir,
      certificateNames: service.certificateNames,
    },
    properties: {
      disableLocalAuth: properties.disableLocalAuth,
      disableAadAuth: properties.disableAadAuth,
      tls: properties.tls,
      liveTraceConfiguration: properties.liveTraceConfiguration,
      resourceLogConfiguration: properties.resourceLogConfiguration,
      applicationFirewall: properties.applicationFirewall,
      socketIO: properties.socketIO,
      regionEndpointEnabled: properties.regionEndpointEnabled,
      resourceStopped: properties.resourceStopped,
    },
    networkRules: resolveNetworkRules(settings),
    ...hubs,
    auth: settings.auth,
    limits: settings.limits,
    upstream: resolveUpstream(settings),
    cors: settings.cors,
    cluster: settings.cluster,
    logging: settings.logging,
    metrics: settings.metrics,
    compat: settings.compat,
    templateSecrets: context.templateSecrets,
  };
  return { ok: true, config, warnings };
}

/** Where `tidewire start` listens when nothing says so. */
export const startListenUrls: readonly string[] = ["http://localhost:8080", "https://localhost:8443"];

function resolveListeners(
  settings: Settings,
  { defaultUrls, refuse }: { readonly defaultUrls: readonly string[]; readonly refuse: Report },
): Listener[] {
  const listeners = settings.service.listen.map(({ name, url, tls }) => ({ name, address: url, tls }));
  for (const [index, { address, tls }] of listeners.entries()) {
    if (tls !== null && address.scheme === "http") refuse(["service", "listen", index, "tls"], "needs an https URL");
  }
  if (listeners.length > 0) return listeners;
  return defaultUrls.flatMap((url) => {
    const address = parseListenUrl(url);
    return typeof address === "string" ? [] : [{ name: null, address, tls: null }];
  });
}

function resolvePublicEndpoints(settings: Settings, refuse: Report): string[] {
  const { publicEndpoints, pathBase } = settings.service;
  return publicEndpoints.map((endpoint, index) => {
    const url = new URL(endpoint);
    const path = url.pathname.replace(/\/+$/, "");
    if (path !== "" && path !== pathBase)
      refuse(["service", "publicEndpoints", index], "must have no path, or that of service.pathBase");
    return `${url.origin}${pathBase}`;
  });
}

function checkAdminListen({ service }: Settings, refuse: Report): void {
  if (service.adminListen?.url.scheme === "https")
    refuse(["service", "adminListen", "url"], "must be an http URL; https is not supported here");
}

/** The token of the administration listener, where none is configured. */
export const adminTokenFile: KeptSecret = { fileName: "admin-token", what: "administration token" };

/**
 * The token is generated and kept where none is configured, as the access key is. Where nothing says how to listen, there is
 * an administration listener too; a folder that cannot be written is no reason not to start then.
 */
function resolveAdminListen(
  settings: Settings,
  context: Pick<KeyContext, "dataDir" | "isTrial" | "refuse" | "warn"> & { readonly hasDefaultAdmin: boolean },
): Config["service"]["adminListen"] {
  const { adminListen, listen } = settings.service;
  const isDefault = adminListen === null;
  if (isDefault && (listen.length > 0 || !context.hasDefaultAdmin)) return null;
  const address = adminListen?.url ?? parseListenUrl(defaultAdminUrl);
  if (typeof address === "string") return null;
  const hostNames = adminListen?.hostNames ?? [];
  const configured = adminListen?.token ?? null;
  if (configured !== null) return { address, token: configured, tokenFile: null, hostNames, isDefault };
  const stored = readOrCreateKey(context.dataDir, { secret: adminTokenFile, isTrial: context.isTrial });
  if (!stored.ok) {
    const report = isDefault ? context.warn : context.refuse;
    report(["service", "dataDir"], stored.message);
    return null;
  }
  if (stored.warning !== null) context.warn(["service", "dataDir"], stored.warning);
  return { address, token: stored.key, tokenFile: stored.file, hostNames, isDefault };
}

interface KeyContext {
  readonly listen: readonly Listener[];
  readonly dataDir: string;
  readonly isDevelopment: boolean;
  readonly isTrial: boolean;
  readonly refuse: Report;
  readonly warn: Report;
}

function resolveKeys(settings: Settings, context: KeyContext): AccessKeys | null {
  const { primary, secondary } = settings.service.keys;
  const isLoopback = context.listen.every(({ address }) => isLoopbackHost(address.hostname));
  let isValid = true;
  const refuse = (name: "primary" | "secondary", message: string) => {
    isValid = false;
    context.refuse(["service", "keys", name], message);
  };
  for (const [name, key] of [
    ["primary", primary],
    ["secondary", secondary],
  ] as const) {
    const fault = key === null ? null : checkAccessKey(key);
    if (fault !== null) refuse(name, fault);
    if (key === developmentKey && !isLoopback)
      refuse(name, "is the emulator's public key, with which the service listens on loopback addresses only");
  }
  if (primary !== null && primary === secondary) refuse("secondary", "must differ from the primary key");
  if (!isValid) return null;
  if (primary !== null)
    return { primary, secondary, origin: [primary, secondary].includes(developmentKey) ? "development" : "configured" };
  if (context.isDevelopment && isLoopback) return { primary: developmentKey, secondary, origin: "development" };
  const stored = readOrCreateKey(context.dataDir, { isTrial: context.isTrial });
  if (!stored.ok) {
    context.refuse(["service", "dataDir"], stored.message);
    return null;
  }
  if (stored.warning !== null) context.warn(["service", "dataDir"], stored.warning);
  return { primary: stored.key, secondary, origin: "generated" };
}

function resolveNetworkRules(settings: Settings): NetworkRules {
  const { publicNetworkAccess, networkACLs } = settings.properties;
  const decision = (action: "Allow" | "Deny") => (action === "Allow" ? "allow" : "deny");
  const rules = ({ allow, deny }: RequestTypeRules): RequestTypeRules => ({ allow, deny });
  return {
    publicNetworkAccess,
    defaultAction: decision(networkACLs.defaultAction),
    publicNetwork: rules(networkACLs.publicNetwork),
    privateEndpoints: new Map(networkACLs.privateEndpoints.map((endpoint) => [endpoint.name, rules(endpoint)])),
    ipRules: networkACLs.ipRules.map(({ value, action }) => ({ range: value, action: decision(action) })),
  };
}

function resolveHubs(settings: Settings, refuse: Report): Pick<Config, "hubs" | "defaultHub"> {
  const hubs = new Map<HubName, HubConfig>();
  let defaultHub = resolveHub({ settings, refuse, path: ["hubs"] }, hubSchema.parse({}));
  for (const [name, input] of Object.entries(settings.hubs)) {
    const hub = resolveHub({ settings, refuse, path: ["hubs", name] }, input);
    const hubName = parseHubName(name);
    if (defaultHubNames.includes(name)) defaultHub = hub;
    else if (hubName !== null) hubs.set(hubName, hub);
  }
  return { hubs, defaultHub };
}

interface HubContext {
  readonly settings: Settings;
  readonly refuse: Report;
  readonly path: readonly PathSegment[];
}

function resolveHub(context: HubContext, input: HubInput): HubConfig {
  return {
    ...input,
    eventListeners: input.eventListeners.map(({ filter, endpoint }, index): EventListenerConfig => {
      const path = [...context.path, "eventListeners", index];
      const fault = checkUserEventPattern(filter.userEventPattern, false);
      if (fault !== null) context.refuse([...path, "filter", "userEventPattern"], fault);
      const resolved = resolveListenerEndpoint(endpoint, context.settings.auth.managedIdentity);
      for (const problem of resolved.problems)
        context.refuse([...(problem.isGlobal ? [] : [...path, "endpoint"]), ...problem.path], problem.message);
      return { filter, endpoint: resolved.value };
    }),
    allowedOrigins: input.allowedOrigins.map(canonicalOrigin),
    eventHandlers: input.eventHandlers.map((handler, index): EventHandlerConfig => {
      const path = [...context.path, "eventHandlers", index];
      const fault = checkUserEventPattern(handler.userEventPattern, context.settings.compat.globEventPatterns);
      if (fault !== null) context.refuse([...path, "userEventPattern"], fault);
      const { urlTemplate, whenNoTunnel } = handler;
      if (whenNoTunnel !== "fail" && !isTunnel(urlTemplate))
        context.refuse([...path, "whenNoTunnel"], "is for tunnel:/// handlers only");
      if (isTunnel(whenNoTunnel)) context.refuse([...path, "whenNoTunnel"], "must not be a tunnel itself");
      const auth = resolveHandlerAuth(handler.auth, context.settings.auth.managedIdentity);
      for (const problem of auth.problems)
        context.refuse([...(problem.isMapping ? [] : path), ...problem.path], problem.message);
      return { ...handler, auth: auth.value };
    }),
  };
}

/** Origins as browsers send them: lower case, without a default port. */
function canonicalOrigin(origin: string): string {
  return origin === "*" ? origin : new URL(origin).origin;
}

function checkIssuers(settings: Settings, refuse: Report): void {
  const seen = new Set<string>();
  for (const [index, { issuer, jwksUri }] of settings.auth.oidc.entries()) {
    const path = ["auth", "oidc", index];
    if (seen.has(issuer)) refuse([...path, "issuer"], "is listed twice");
    seen.add(issuer);
    const [key, source] = jwksUri === null ? ["issuer", issuer] : ["jwksUri", jwksUri];
    const url = URL.canParse(source) ? new URL(source) : null;
    // Keys fetched over plain http could be anybody's.
    const isSafe =
      url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)));
    if (!isSafe) refuse([...path, key], "must be an https URL, since keys are fetched from it (http only on loopback)");
  }
}

function resolveUpstream({ upstream }: Settings): Config["upstream"] {
  const targets = {
    ...upstream.targets,
    allowedHosts: upstream.targets.allowedHosts.map((host) => host.toLowerCase()),
  };
  return { ...upstream, targets };
}
