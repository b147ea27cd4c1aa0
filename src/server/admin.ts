import { randomBytes } from "node:crypto";
import { handleAdmin } from "../admin/api.ts";
import { createGuard } from "../admin/guard.ts";
import type { AdminService } from "../admin/settings.ts";
import type { Config } from "../config/config.ts";
import { formatListenUrl } from "../config/urls.ts";
import { createConsole } from "../console/console.ts";
import { createSessions } from "../console/sessions.ts";
import type { Telemetry } from "../core/ports.ts";
import { listenError } from "../transport/listener.ts";
import { buildPortal } from "./portal.ts";

/** Biggest request body; the settings of a hub are far smaller. Ours. */
const maxBodyBytes = 1_048_576;

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
}

/**
 * Opens the administration listener with the console, `/metrics` and the administration API, if one is configured. Every
 * request but those for the console's page needs the token as a bearer token or the session of a signed-in console;
 * anything else is 401, whatever its path, and logged.
 */
export function openAdminListener(config: Config, { metrics, service, telemetry }: AdminParts): AdminResult | null {
  const { adminListen } = config.service;
  if (adminListen === null) return null;
  const { address } = adminListen;
  const guard = createGuard(adminListen);
  const signInToken = randomBytes(24).toString("base64url");
  let boundPort = address.port;
  const consolePage = createConsole({
    sessions: createSessions({
      secrets: [adminListen.token, signInToken],
      port: () => boundPort,
      now: () => Date.now(),
    }),
    assets: buildPortal,
    endpoints: () => service.status().endpoints,
    refused: (request) => refused(request, 401),
  });
  const refused = (request: Request, status: number): void => {
    const callerIpAddress = server.requestIP(request)?.address ?? "";
    const message = `A request to the administration listener was refused with ${status}.`;
    telemetry.log("warning", "AdministrationRefused", { message, callerIpAddress });
  };
  const answer = async (request: Request): Promise<Response> => {
    const path = pathOf(request.url);
    const wrongHost = guard.host(request);
    const shown = wrongHost === null ? await consolePage.handle(request, path) : null;
    if (shown !== null) return shown;
    const refusal = wrongHost ?? (consolePage.isSignedIn(request) ? null : guard.token(request));
    if (refusal !== null) {
      refused(request, refusal.status);
      return refusal;
    }
    if (path === "/metrics" && config.metrics.prometheus) return metrics.response();
    return (await handleAdmin(service, request, path)) ?? new Response(null, { status: 404 });
  };
  const options = {
    hostname: address.hostname,
    port: address.port,
    maxRequestBodySize: maxBodyBytes,
    // Its error pages show source code.
    development: false,
    fetch: answer,
  };
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve(options);
  } catch (error) {
    return { ok: false, problem: `service.adminListen: ${listenError(error, address.hostname, address.port).message}` };
  }
  boundPort = server.port ?? address.port;
  const url = formatListenUrl({ ...address, port: boundPort });
  return { ok: true, listener: { url, signInUrl: `${url}/#signin=${signInToken}`, stop: () => server.stop(true) } };
}

/** Path of a URL whose host is what the client wrote, so that it may be none that `URL` takes. */
function pathOf(url: string): string {
  return url.replace(/^http:\/\/[^/]*/, "").replace(/\?.*$/s, "");
}
