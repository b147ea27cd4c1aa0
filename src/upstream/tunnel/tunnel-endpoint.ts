import type { AccessKey } from "../../auth/access-keys.ts";
import type { AudienceValidator } from "../../auth/audience.ts";
import { readBearerToken } from "../../auth/bearer.ts";
import type { OidcVerifier } from "../../auth/oidc.ts";
import { restTokenAlgorithms, verifyKeyToken } from "../../auth/verify.ts";
import { type HubName, parseHubName } from "../../core/names.ts";
import type { Clock, Endpoint, Telemetry, UpgradeDecision, UpgradeRequest } from "../../core/ports.ts";
import type { Tunnels } from "./tunnels.ts";

/** The keys and rules of one moment. */
export interface TunnelAccess {
  /** Keys a token may be signed with; empty while local authentication is disabled. */
  readonly keys: readonly AccessKey[];
  /** Null: no issuer is configured. */
  readonly oidc: OidcVerifier | null;
  readonly audience: AudienceValidator;
  readonly skewSeconds: number;
}

export interface TunnelEndpointOptions {
  readonly tunnels: Tunnels;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
  access(): TunnelAccess;
  /** Biggest content of a frame in bytes. */
  maxContentBytes(): number;
  /** False while the service starts or stops. */
  acceptsServers(): boolean;
}

interface Admitted {
  /** Null: nothing says which sockets belong together. */
  readonly serverId: string | null;
}

/** JSON of 64 KiB and some framing (specification: tunnel 12). */
const frameOverhead = 66_560;

/** Biggest frame an application may send, from the biggest content it may have. */
export function maxTunnelFrameBytes(maxContentBytes: number): number {
  return maxContentBytes + frameOverhead;
}

const path = /^\/server\/tunnel\/?$/i;
const unauthorized = refuse(401, { "WWW-Authenticate": "Bearer" });

/**
 * The endpoint `/server/tunnel?hub=…`, where applications connect to get the events of `tunnel:///` handlers. The token is
 * checked here only; the socket may outlive it.
 * @spec T-1 T-2 T-3 T-4 T-5
 */
export function createTunnelEndpoint(options: TunnelEndpointOptions): Endpoint {
  return { upgrade: (request) => decide(options, request) };
}

async function decide(options: TunnelEndpointOptions, request: UpgradeRequest): Promise<UpgradeDecision> {
  if (!path.test(request.path)) return refuse(404);
  const parameters = new URLSearchParams(request.query);
  const hub = parseHubName(parameters.get("hub") ?? "");
  if (!request.isUpgrade || hub === null) return refuse(400);
  if (!options.acceptsServers()) return refuse(503);
  const token = parameters.get("access_token") ?? readBearerToken(request.headers.get("authorization"));
  const admitted = token === null ? null : await admit(options, token, { request, hub });
  if (admitted === null) return unauthorized;
  const place = options.tunnels.reserve(hub, admitted.serverId, request.caller);
  if (place === null) {
    const message = "A tunnel was refused, because the hub or the application has as many as it may.";
    options.telemetry.log("warning", "ServerConnectionRefused", { message, hub });
    return refuse(429);
  }
  return {
    accept: true,
    subprotocol: firstOffer(request.headers),
    serverSocket: { maxMessageBytes: maxTunnelFrameBytes(options.maxContentBytes()) },
    open: (sink) => place.open(sink),
    abandoned: () => place.abandoned(),
  };
}

/** A key token for exactly this endpoint, or an issuer's token of an owner. The log says why another is refused. */
async function admit(
  options: TunnelEndpointOptions,
  token: string,
  { request, hub }: { readonly request: UpgradeRequest; readonly hub: HubName },
): Promise<Admitted | null> {
  const { keys, oidc, audience, skewSeconds } = options.access();
  const nowSeconds = options.clock.now() / 1000;
  const { telemetry } = options;
  const { caller } = request;
  const refused = (reason: string): null => {
    const message = `The token of a server connection was refused: ${reason}.`;
    telemetry.log("warning", "ServerTokenRefused", { message, hub, callerIpAddress: caller.address });
    return null;
  };
  const check = verifyKeyToken(token, keys, { algorithms: restTokenAlgorithms, nowSeconds, skewSeconds });
  if (check.ok) {
    const [host = caller.host, forwardedHost = null] = caller.audienceHosts;
    const match = audience.checkServer(check.claims, { host, forwardedHost, hub });
    if (!match.ok) return refused(match.message);
    const { sub } = check.claims;
    return { serverId: typeof sub === "string" && sub !== "" ? sub : null };
  }
  // Only what is no key token at all is offered to the issuers.
  if (check.reason !== "algorithm" || oidc === null) return refused(check.reason);
  const issued = await oidc.verify(token);
  if (!issued.ok) return refused(issued.reason);
  // Its subject is the application's identity, which all its processes share.
  return issued.role === "owner" ? { serverId: null } : refused("its role is not that of an owner");
}

/** Existing clients offer none, or one of their own (T-5). */
function firstOffer(headers: Headers): string | null {
  const offer = headers.get("sec-websocket-protocol")?.split(",")[0]?.trim() ?? "";
  return offer === "" ? null : offer;
}

function refuse(status: number, headers: Readonly<Record<string, string>> = {}): UpgradeDecision {
  return { accept: false, status, body: "", headers };
}
