import type { TokenClaims } from "./verify.ts";

/** What the service knows about its own addresses. */
export interface AudiencePolicy {
  /** Addresses clients use, absolute http or https URLs. Their hosts are accepted besides the request's own. */
  readonly publicEndpoints: readonly string[];
  /** Path in front of `/api` and `/client`, such as `/pubsub`; empty when there is none. */
  readonly pathBase: string;
  /** False turns the host comparison off; path and scheme still have to match. */
  readonly validateHost: boolean;
}

/** Where a request arrived. */
export interface RequestAddress {
  /** The `Host` header. */
  readonly host: string;
  /** `X-Forwarded-Host` of a trusted proxy; null otherwise. The caller decides about trust. */
  readonly forwardedHost: string | null;
}

/** A REST request as its audience is judged. */
export interface RestAddress extends RequestAddress {
  readonly method: string;
  /** Path as it stood in the request line: percent-encoded, without query. */
  readonly rawPath: string;
}

/** The client endpoints; each has its own audience path, so a token for one is refused by the others. */
export type ClientEndpointKind = "default" | "mqtt" | "socketio";

/** A client handshake as its audience is judged. */
export interface ClientAddress extends RequestAddress {
  readonly kind: ClientEndpointKind;
  /** Hub of the request, decoded. */
  readonly hub: string;
  /** True for a request of the older form `/client/?hub={hub}`. */
  readonly hubInQuery: boolean;
}

/** A handshake of an application server as its audience is judged. */
export interface ServerAddress extends RequestAddress {
  /** Hub of the request, canonical. */
  readonly hub: string;
}

/** Outcome of an audience check; `message` is the log line operators of the service search for (rest-api 4.4). */
export type AudienceCheck = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Judges audiences of one configuration. */
export interface AudienceValidator {
  /**
   * True to the algorithm of rest-api 4.4: scheme http, https, ws or wss; accepted host; path equal to the request's, or
   * below it, or `/api/hubs/{hub}` for `POST /api/hubs/{hub}/:send`. Query and letter case never matter.
   * @spec R-18 R-19 R-20 R-21 R-22 R-23 R-24 R-25 R-27 R-31 R-36
   */
  checkRest(claims: TokenClaims, request: RestAddress): AudienceCheck;
  /**
   * Path equal to the client path of the request's hub; for `/client/?hub=` requests that older form as well.
   * @spec C-6 C-10 C-11 R-32
   */
  checkClient(claims: TokenClaims, request: ClientAddress): AudienceCheck;
  /**
   * Path equal to that of the server endpoint; a hub in the query must be the request's, anything else there is ignored.
   * @spec T-2 T-4
   */
  checkServer(claims: TokenClaims, request: ServerAddress): AudienceCheck;
}

const clientPaths: Readonly<Record<ClientEndpointKind, string>> = {
  default: "/client/hubs/",
  mqtt: "/clients/mqtt/hubs/",
  socketio: "/clients/socketio/hubs/",
};

const serverPath = "/server/tunnel";

const accepted: AudienceCheck = { ok: true };

interface Audience {
  readonly host: string;
  readonly hostWithoutDefaultPort: string;
  readonly path: string;
  readonly query: string;
}

/** Builds the validator of one configuration. Pure: no clock, no I/O; never throws on what a token or request carries. */
export function createAudienceValidator(policy: AudiencePolicy): AudienceValidator {
  const pathBase = foldCase(policy.pathBase.replace(/\/+$/, ""));
  const publicHosts = policy.publicEndpoints.flatMap((endpoint) => {
    const parsed = parseAudience(endpoint);
    return parsed === null ? [] : [parsed.host, parsed.hostWithoutDefaultPort];
  });

  const isAcceptedHost = (audience: Audience, request: RequestAddress): boolean => {
    if (!policy.validateHost) return true;
    const isOneOf = (host: string): boolean =>
      matchesHost(host, request.host) ||
      (request.forwardedHost !== null && matchesHost(host, request.forwardedHost)) ||
      publicHosts.includes(host);
    return isOneOf(audience.host) || isOneOf(audience.hostWithoutDefaultPort);
  };

  /** With or without the base, on both sides: a proxy may strip it before the request gets here. */
  const withoutBase = (path: string): string =>
    pathBase !== "" && foldCase(path.slice(0, pathBase.length)) === pathBase && path[pathBase.length] === "/"
      ? path.slice(pathBase.length)
      : path;

  const check = (
    claims: TokenClaims,
    request: RequestAddress & { readonly expectedPath: string },
    matches: (audience: Audience) => boolean,
  ): AudienceCheck => {
    const actual = audienceTexts(claims);
    for (const text of actual) {
      const audience = parseAudience(text);
      if (audience !== null && isAcceptedHost(audience, request) && matches(audience)) return accepted;
    }
    const hosts = [request.host, ...(request.forwardedHost === null ? [] : [request.forwardedHost])];
    const expected = [
      ...hosts.map((host) => `http://${host}`),
      ...policy.publicEndpoints.map((endpoint) => endpoint.replace(/\/+$/, "")),
    ].map((base) => base + request.expectedPath);
    return { ok: false, message: failureText(expected, actual) };
  };

  return {
    checkRest(claims, request) {
      const path = withoutTrailingSlash(withoutBase(request.rawPath));
      return check(claims, { ...request, expectedPath: path }, (audience) =>
        matchesRestPath(withoutBase(audience.path), path, request.method),
      );
    },
    checkClient(claims, request) {
      const path = foldCase(clientPaths[request.kind] + request.hub);
      return check(claims, { ...request, expectedPath: clientPaths[request.kind] + request.hub }, (audience) => {
        const audiencePath = withoutTrailingSlash(withoutBase(audience.path));
        if (foldCase(audiencePath) === path || foldCase(decodeOnce(audiencePath)) === path) return true;
        return request.hubInQuery && isHubInQuery({ ...audience, path: audiencePath }, request.hub);
      });
    },
    checkServer(claims, request) {
      return check(claims, { ...request, expectedPath: `${serverPath}?hub=${request.hub}` }, ({ path, query }) => {
        const isHere = foldCase(withoutTrailingSlash(withoutBase(path))) === foldCase(serverPath);
        const hubs = new URLSearchParams(query).getAll("hub");
        return isHere && hubs.every((hub) => foldCase(hub) === foldCase(request.hub));
      });
    },
  };
}

/** Builds the audience of a client token (rest-api 13.1); `endpoint` with or without a trailing slash. */
export function clientAudience(endpoint: string, kind: ClientEndpointKind, hub: string): string {
  return endpoint.replace(/\/+$/, "") + clientPaths[kind] + hub;
}

/** The `aud` claim as a list: string or array of strings; anything else counts as none. */
function audienceTexts(claims: TokenClaims): readonly string[] {
  const { aud } = claims;
  if (typeof aud === "string") return [aud];
  return Array.isArray(aud) ? aud.filter((element) => typeof element === "string") : [];
}

function parseAudience(text: string): Audience | null {
  const match = /^(http|https|ws|wss):\/\/([^/?#]+)([^?#]*)(\??[^#]*)/i.exec(text);
  const [, scheme, authority, path, query] = match ?? [];
  if (scheme === undefined || authority === undefined || path === undefined || query === undefined) return null;
  const host = authority.toLowerCase();
  const defaultPort = /^(https|wss)$/i.test(scheme) ? ":443" : ":80";
  const hostWithoutDefaultPort = host.endsWith(defaultPort) ? host.slice(0, -defaultPort.length) : host;
  return { host, hostWithoutDefaultPort, path, query };
}

/**
 * Compares an audience host with a `Host` header. The header's default port is dropped whatever our own scheme is: behind
 * a proxy that ends TLS, `:443` is the default although the request arrives over plain HTTP.
 */
function matchesHost(audienceHost: string, header: string): boolean {
  const host = header.toLowerCase();
  return audienceHost === host || audienceHost === host.replace(/:(?:80|443)$/, "");
}

function matchesRestPath(audiencePath: string, requestPath: string, method: string): boolean {
  if (requestPath === "") return false; // every path would be below it
  if (audiencePath === requestPath) return true; // what every SDK signs
  const audiences = [foldCase(audiencePath), foldCase(decodeOnce(audiencePath))];
  const requests = [requestPath, decodeOnce(requestPath), decodeExceptSlash(requestPath)].map(foldCase);
  if (requests.some((path) => audiences.some((audience) => audience === path || audience.startsWith(`${path}/`)))) {
    return true;
  }
  // the documentation signs a broadcast with the URL of the hub.
  const hubPath = method === "POST" ? /^(\/api\/hubs\/[^/]+)\/(?::|%3A)send$/i.exec(requestPath)?.[1] : undefined;
  if (hubPath === undefined) return false;
  const hubs = [foldCase(hubPath), foldCase(decodeOnce(hubPath))];
  return audiences.some((audience) => hubs.includes(withoutTrailingSlash(audience)));
}

function isHubInQuery(audience: Pick<Audience, "path" | "query">, hub: string): boolean {
  if (foldCase(audience.path) !== foldCase("/client")) return false;
  const named = new URLSearchParams(audience.query).getAll("hub");
  return named.length === 1 && foldCase(named[0] ?? "") === foldCase(hub);
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function decodeOnce(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // not valid percent-encoding: only the raw text can match
  }
}

/** The form ASP.NET routes by: everything decoded but the slash. */
function decodeExceptSlash(path: string): string {
  if (!path.includes("%")) return path;
  return path
    .split(/%2f/i)
    .map((part) => decodeOnce(part))
    .join("%2F");
}

/**
 * Ordinal case folding: each character by itself, ASCII and the rest never meeting. JavaScript's own conversions would
 * also equate `ß` with `SS`, the Kelvin sign with `k` and `ı` with `i`, and so one user's path with another's.
 */
function foldCase(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text.toUpperCase();
  let folded = "";
  for (const character of text) {
    const upper = character.toUpperCase();
    const isSimple = upper.length === character.length && (character <= "\u007f" || upper > "\u007f");
    folded += isSimple ? upper : character;
  }
  return folded;
}

/** One log line; what the token says is clipped and stripped of control characters first. */
function failureText(expected: readonly string[], actual: readonly string[]): string {
  return `Failed to validate audience. Expected Audiences: ${listText(expected)}. Actual Audiences: ${listText(actual)}`;
}

function listText(texts: readonly string[]): string {
  const shown = texts.slice(0, 5).map((text) => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 300));
  return shown.join(", ") + (texts.length > shown.length ? ", …" : "");
}
