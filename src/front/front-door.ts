import type { NetworkRequest, RequestType } from "../core/network-access.ts";
import type { Caller, Endpoint, UpgradeDecision } from "../core/ports.ts";
import type { CallerSettings } from "./caller.ts";
import { resolveCaller } from "./caller.ts";

/** What the front door reads of the settings; read at each request, so that they can change. */
export interface FrontDoorSettings extends CallerSettings {
  /** Longest path and query together (rest-api 17.2). */
  readonly maxTargetLength: number;
  /** `resourceStopped`: everything but health is refused (M-60). */
  readonly isStopped: boolean;
  isAllowed(request: NetworkRequest): boolean;
}

/** A request of the data-plane API, as `rest` takes it. */
export interface ApiRequest {
  readonly request: Request;
  /** Raw path without path base, and raw query without `?`. */
  readonly path: string;
  readonly query: string;
  readonly caller: Caller;
  readonly pathBase: string;
}

export interface FrontDoorOptions {
  /** `""` or `/prefix`; what is not below it does not exist (M-40). */
  readonly pathBase: string;
  /** For clients. */
  readonly endpoint: Endpoint;
  /** For application servers, below `/server`. */
  readonly serverEndpoint: Endpoint;
  rest(request: ApiRequest): Response | Promise<Response>;
  settings(): FrontDoorSettings;
}

/** The other end of a request's socket, and the name of the listener that took it. */
export interface FrontDoorPeer {
  readonly address: string;
  readonly isSecure: boolean;
  readonly listener: string | null;
  readonly certificate: Caller["certificate"];
}

export type FrontDoorAnswer = Response | { readonly upgrade: Promise<UpgradeDecision> };

/** Request types by first path segment (management 7). */
const requestTypes: ReadonlyMap<string, RequestType> = new Map([
  ["api", "RESTAPI"],
  ["client", "ClientConnection"],
  ["clients", "ClientConnection"],
  ["server", "ServerConnection"],
  ["livetrace", "Trace"],
]);

/** One host with an optional port; the runtime joins repeated headers with a comma (H-22). None at all is HTTP/1.0. */
const hostHeader = /^(?:(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.%]+\])(?::\d{1,5})?)?$/;

/**
 * The one way in for every request, in this order: host header, path base, caller, health (always open), stopped service, network
 * rules (before any authentication, M-34), then REST or the endpoint of clients or servers.
 */
export function createFrontDoor(
  options: FrontDoorOptions,
): (request: Request, peer: FrontDoorPeer) => FrontDoorAnswer | Promise<FrontDoorAnswer> {
  const { pathBase } = options;
  const endpoints: ReadonlyMap<string, Endpoint> = new Map([
    ["client", options.endpoint],
    ["server", options.serverEndpoint],
  ]);
  return (request, peer) => {
    if (!hostHeader.test(request.headers.get("host") ?? "")) return new Response(null, { status: 400 });
    const target = splitTarget(request.url);
    const path = target.path.slice(pathBase.length);
    if (!target.path.startsWith(pathBase) || !path.startsWith("/")) return notFound();
    const { query } = target;
    const settings = options.settings();
    if (target.path.length + query.length > settings.maxTargetLength) return new Response(null, { status: 414 });
    const segment = firstSegment(path);
    const caller = resolveCaller(request.headers, peer, settings);
    const type = requestTypes.get(segment);
    if (type === undefined) return notFound();
    if (!/^\/api\/health\/?$/i.test(path)) {
      if (settings.isStopped) return new Response(null, { status: 503 });
      if (!settings.isAllowed({ type, address: caller.address, listener: peer.listener }))
        return new Response(null, { status: 403 });
    }
    if (segment === "api") return options.rest({ request, path, query, caller, pathBase });
    const endpoint = endpoints.get(segment);
    if (endpoint === undefined) return notFound();
    const { headers, signal } = request;
    const isUpgrade = request.method === "GET" && asksForWebSocket(headers);
    return { upgrade: endpoint.upgrade({ path, query, headers, caller, isUpgrade, signal }) };
  };
}

function asksForWebSocket(headers: Headers): boolean {
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return false;
  const options = (headers.get("connection") ?? "").toLowerCase().split(",");
  return options.some((option) => option.trim() === "upgrade");
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}

/**
 * Path and query of a URL whose authority is whatever the client wrote, or that has none, for want of a usable `Host`.
 * `new URL` would cost more than routing does.
 */
function splitTarget(url: string): { readonly path: string; readonly query: string } {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);
  const question = url.indexOf("?", start);
  return question < 0
    ? { path: url.slice(start), query: "" }
    : { path: url.slice(start, question), query: url.slice(question + 1) };
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return (end < 0 ? path.slice(1) : path.slice(1, end)).toLowerCase();
}
