import { randomBytes } from "node:crypto";
import { type AdminPath, handleAdmin } from "../admin/api.ts";
import { createGuard } from "../admin/guard.ts";
import type { AdminService } from "../admin/settings.ts";
import type { Config } from "../config/config.ts";
import { formatListenUrl } from "../config/urls.ts";
import { createConsole } from "../console/console.ts";
import { createSessions } from "../console/sessions.ts";
import type { Telemetry } from "../core/ports.ts";
import { listenError } from "../transport/listener.ts";
import type { OwnerApi } from "./owner-api.ts";
import { buildPortal } from "./portal.ts";

/** The biggest request body, for settings; ours. */
const minBodyLimit = 1_048_576;
/** The same for the data-plane API, in biggest messages: above the documented limit REST answers in its own words. */
const bodyAllowance = 4;

/** The administration listener, apart from the public ones (M-64). */
export interface AdminListener {
  readonly url: string;
  /** Opens the console signed in; good until the process ends. A secret, in the fragment: no server and no log sees it. */
  readonly signInUrl: string;
  stop(): Promise<void>;
}

export type AdminResult =
  | { readonly ok: true; readonly listener: AdminListener }
  | { readonly ok: false; readonly problem: string };

export interface AdminParts {
  readonly metrics: { response(): Response };
  readonly service: AdminService;
  readonly telemetry: Telemetry;
  /** The data-plane API, below `/api/`. */
  readonly api: OwnerApi;
}

/**
 * Opens the administration listener with the console, `/metrics`, the administration API and the data-plane API, if one is
 * configured. Every request but those for the console's page needs the token as a bearer token or the session of a
 * signed-in console; anything else is 401, whatever its path, and logged.
 */
export function openAdminListener(
  config: Config,
  { metrics, service, telemetry, api }: AdminParts,
): AdminResult | null {
  const { adminListen } = config.service;
  if (adminListen === null) return null;
  const { address } = adminListen;
  const guard = createGuard(adminListen);
  const signInToken = randomBytes(24).toString("base64url");
  const port = (): number => server.port ?? address.port;
  const consolePage = createConsole({
    sessions: createSessions({
      secrets: [adminListen.token, signInToken],
      port,
      now: () => Date.now(),
    }),
    assets: buildPortal,
    endpoints: () => service.status().endpoints,
    refused: (request) => refused(request, 401),
  });
  const addressOf = (request: Request): string => server.requestIP(request)?.address ?? "";
  const refused = (request: Request, status: number): void => {
    const callerIpAddress = addressOf(request);
    const message = `A request to the administration listener was refused with ${status}.`;
    telemetry.log("warning", "AdministrationRefused", { message, callerIpAddress });
  };
  const answer = async (request: Request): Promise<Response> => {
    const target = targetOf(request.url);
    const { path } = target;
    const wrongHost = guard.host(request);
    const shown = wrongHost === null ? await consolePage.handle(request, path) : null;
    if (shown !== null) return shown;
    const refusal = wrongHost ?? (consolePage.isSignedIn(request) ? null : guard.token(request));
    if (refusal !== null) {
      refused(request, refusal.status);
      return refusal;
    }
    if (path === "/metrics" && config.metrics.prometheus) return metrics.response();
    if (/^\/api\//i.test(path)) return api({ request, ...target, callerAddress: addressOf(request) });
    return (await handleAdmin(service, request, target)) ?? new Response(null, { status: 404 });
  };
  const options = {
    hostname: address.hostname,
    port: address.port,
    maxRequestBodySize: Math.max(minBodyLimit, config.limits.maxMessageBytes * bodyAllowance),
    // A test of an event handler may take longer than the default of 10 s.
    idleTimeout: 60,
    // Its error pages show source code.
    development: false,
    // Which would let the runtime share the port with whoever listens there already.
    reusePort: false,
    fetch: answer,
  };
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve(options);
  } catch (error) {
    return { ok: false, problem: `service.adminListen: ${listenError(error, address.hostname, address.port).message}` };
  }
  const url = formatListenUrl({ ...address, port: port() });
  return { ok: true, listener: { url, signInUrl: `${url}/#signin=${signInToken}`, stop: () => server.stop(true) } };
}

/** Path and query of a URL whose host is what the client wrote, so that it may be none that `URL` takes. */
function targetOf(url: string): AdminPath {
  const [path = "", ...query] = url.replace(/^http:\/\/[^/]*/, "").split("?");
  return { path, query: query.join("?") };
}
