import type { AccessKey } from "../auth/access-keys.ts";
import type { AudienceValidator } from "../auth/audience.ts";
import { readBearerToken } from "../auth/bearer.ts";
import type { OidcVerifier } from "../auth/oidc.ts";
import { restTokenAlgorithms, verifyKeyToken } from "../auth/verify.ts";
import type { Clock, Endpoint, Telemetry, UpgradeDecision, UpgradeRequest } from "../core/ports.ts";
import type { LiveTrace } from "./live-trace.ts";

/** The keys and rules of one moment. */
export interface TraceAccess {
  /** Keys a token may be signed with; empty while local authentication is disabled. */
  readonly keys: readonly AccessKey[];
  /** Null: no issuer is configured. */
  readonly oidc: OidcVerifier | null;
  readonly audience: AudienceValidator;
  readonly skewSeconds: number;
}

export interface TraceEndpointOptions {
  readonly liveTrace: LiveTrace;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
  access(): TraceAccess;
  /** False while the service starts or stops. */
  acceptsViewers(): boolean;
}

const path = /^\/livetrace\/?$/i;
const audiencePath = "/livetrace";
const unauthorized = refuse(401, { "WWW-Authenticate": "Bearer" });

/**
 * The endpoint `/livetrace`: a SignalR hub without negotiation, for the official trace views and `tidewire trace`. Pages of
 * any origin may connect, as the hosted view does; the token decides. It is checked here only; the socket may outlive it.
 * @spec M-46 M-48
 */
export function createTraceEndpoint(options: TraceEndpointOptions): Endpoint {
  return { upgrade: (request) => decide(options, request) };
}

async function decide(options: TraceEndpointOptions, request: UpgradeRequest): Promise<UpgradeDecision> {
  const { liveTrace } = options;
  if (!path.test(request.path)) return refuse(404);
  const parameters = new URLSearchParams(request.query);
  const token = parameters.get("access_token") ?? readBearerToken(request.headers.get("authorization"));
  if (token === null || !(await isAdmitted(options, token, request))) return unauthorized;
  if (!liveTrace.isEnabled) return refuse(403);
  if (!request.isUpgrade) return refuse(400);
  if (!options.acceptsViewers()) return refuse(503);
  const place = liveTrace.reserve();
  if (place === null) return refuse(429);
  return { accept: true, subprotocol: null, open: (sink) => place.open(sink), abandoned: () => place.abandoned() };
}

/** A key token for exactly this endpoint, or an issuer's token of an owner. The log says why another is refused. */
async function isAdmitted(options: TraceEndpointOptions, token: string, { caller }: UpgradeRequest): Promise<boolean> {
  const { keys, oidc, audience, skewSeconds } = options.access();
  const refused = (reason: string): boolean => {
    const message = `The token of a live trace view was refused: ${reason}.`;
    options.telemetry.log("warning", "TraceTokenRefused", { message, callerIpAddress: caller.address });
    return false;
  };
  const nowSeconds = options.clock.now() / 1000;
  const check = verifyKeyToken(token, keys, { algorithms: restTokenAlgorithms, nowSeconds, skewSeconds });
  if (check.ok) {
    const [host = caller.host, forwardedHost = null] = caller.audienceHosts;
    const match = audience.checkRest(check.claims, { method: "GET", rawPath: audiencePath, host, forwardedHost });
    return match.ok || refused(match.message);
  }
  // Only what is no key token at all is offered to the issuers.
  if (check.reason !== "algorithm" || oidc === null) return refused(check.reason);
  const issued = await oidc.verify(token);
  if (!issued.ok) return refused(issued.reason);
  // Azure's role of readers does not include live trace either.
  return issued.role === "owner" || refused("its role is not that of an owner");
}

function refuse(status: number, headers: Readonly<Record<string, string>> = {}): UpgradeDecision {
  return { accept: false, status, body: "", headers };
}
