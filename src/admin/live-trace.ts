import { mintClientToken } from "../auth/mint.ts";
import { entryAt, withEntry, withoutEntry } from "../config/overlay.ts";
import { isRawObject } from "../config/raw-tree.ts";
import { type Answer, badRequest, invalidSettings, ok } from "./answers.ts";
import type { AdminService } from "./settings.ts";

const tracePath = ["properties", "liveTraceConfiguration"];
const categoryNames = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"] as const;
const tokenSeconds = 3600;

/** `GET /admin/liveTrace`: the body of ARM's `liveTraceConfiguration`, every category with whether it is shown. */
export function getLiveTrace({ state }: AdminService): Answer {
  const { enabled, categories } = state.settings.properties.liveTraceConfiguration;
  const isShown = (name: string): boolean =>
    categories.length === 0 ||
    categories.some((category) => category.enabled && category.name.toLowerCase() === name.toLowerCase());
  return ok({
    enabled,
    categories: categoryNames.map((name) => ({ name, enabled: isShown(name) })),
    source: entryAt(state.overlay, tracePath) === undefined ? "configuration" : "overlay",
  });
}

/**
 * `PATCH /admin/liveTrace`: what is given replaces the old; null means the default. In force for the next line; switched
 * off, it closes the views.
 */
export function patchLiveTrace(service: AdminService, body: unknown): Answer {
  if (!isRawObject(body)) return badRequest("The body must be an object.");
  const { source: _shown, ...changes } = body;
  const given = Object.entries({ ...service.state.settings.properties.liveTraceConfiguration, ...changes });
  const value = Object.fromEntries(given.filter(([, setting]) => setting !== null));
  const problems = service.change((overlay) => withEntry(overlay, { path: tracePath, value }));
  if (problems.length > 0) return invalidSettings(problems);
  service.log("The administration API changed the live trace settings.");
  return getLiveTrace(service);
}

/** `POST /admin/liveTrace/restore`: what the configuration says counts again. */
export function restoreLiveTrace(service: AdminService): Answer {
  if (entryAt(service.state.overlay, tracePath) !== undefined) {
    const problems = service.change((overlay) => withoutEntry(overlay, tracePath));
    if (problems.length > 0) return invalidSettings(problems);
    service.log("The administration API restored the configured live trace settings.");
  }
  return getLiveTrace(service);
}

/**
 * `POST /admin/liveTrace/token`: where a view connects, and a token that lets it in for an hour; of the first endpoint
 * unless the body names another.
 */
export function mintTraceToken(service: AdminService, body: unknown): Answer {
  if (body !== undefined && !isRawObject(body)) return badRequest("The body must be an object, or none.");
  const { endpoints } = service.status();
  const wanted = body?.["endpoint"] ?? endpoints[0];
  const endpoint = endpoints.find((each) => typeof wanted === "string" && sameUrl(each, wanted));
  if (endpoint === undefined) return badRequest(`endpoint must be one of ${endpoints.join(", ")}.`);
  const issuedAtSeconds = Math.floor(Date.now() / 1000);
  const accessToken = mintClientToken(service.mintingKey, {
    audience: `${endpoint}/livetrace`,
    userId: null,
    roles: [],
    groups: [],
    issuedAtSeconds,
    lifetimeSeconds: tokenSeconds,
    tokenId: crypto.randomUUID(),
  });
  return ok({
    url: `${endpoint.replace(/^http/, "ws")}/livetrace`,
    accessToken,
    expiresAt: new Date((issuedAtSeconds + tokenSeconds) * 1000).toISOString(),
  });
}

function sameUrl(one: string, other: string): boolean {
  const bare = (url: string): string => url.toLowerCase().replace(/\/+$/, "");
  return bare(one) === bare(other);
}
