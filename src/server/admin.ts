import { type AdminPath, handleAdmin } from "../admin/api.ts";
import { createGuard } from "../admin/guard.ts";
import type { AdminService } from "../admin/settings.ts";
import type { Config } from "../config/config.ts";
import { formatListenUrl } from "../config/urls.ts";
import type { Telemetry } from "../core/ports.ts";
import { listenError } from "../transport/listener.ts";
import type { OwnerApi } from "./owner-api.ts";

/** The biggest request body, for settings; ours. */
const minBodyLimit = 1_048_576;
/** The same for the data-plane API, in biggest messages: above the documented limit REST answers in its own words. */
const bodyAllowance = 4;

/** The administration listener, apart from the public ones (M-64). */
export interface AdminListener {
  readonly url: string;
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
 * Opens the administration listener with `/metrics`, the administration API and the data-plane API, if one is configured. Every request needs
 * the token as a bearer token; anything else is 401, whatever its path, and logged.
 */
export function openAdminListener(
  config: Config,
  { metrics, service, telemetry, api }: AdminParts,
): AdminResult | null {
  const { adminListen } = config.service;
  if (adminListen === null) return null;
  const { address } = adminListen;
  const guard = createGuard(adminListen);
  try {
    const server = Bun.serve({
      hostname: address.hostname,
      port: address.port,
      maxRequestBodySize: Math.max(minBodyLimit, config.limits.maxMessageBytes * bodyAllowance),
      // A test of an event handler may take longer than the default of 10 s.
      idleTimeout: 60,
      // Its error pages show source code.
      development: false,
      async fetch(request, self) {
        const refusal = guard(request);
        const callerAddress = (): string => self.requestIP(request)?.address ?? "";
        if (refusal !== null) {
          const callerIpAddress = callerAddress();
          const message = `A request to the administration listener was refused with ${refusal.status}.`;
          telemetry.log("warning", "AdministrationRefused", { message, callerIpAddress });
          return refusal;
        }
        const target = targetOf(request.url);
        const { path } = target;
        if (path === "/metrics" && config.metrics.prometheus) return metrics.response();
        if (/^\/api\//i.test(path)) return api({ request, ...target, callerAddress: callerAddress() });
        return (await handleAdmin(service, request, target)) ?? new Response(null, { status: 404 });
      },
    });
    const url = formatListenUrl({ ...address, port: server.port ?? address.port });
    return { ok: true, listener: { url, stop: () => server.stop(true) } };
  } catch (error) {
    return { ok: false, problem: `service.adminListen: ${listenError(error, address.hostname, address.port).message}` };
  }
}

/** Path and query of a URL whose host is what the client wrote, so that it may be none that `URL` takes. */
function targetOf(url: string): AdminPath {
  const [path = "", ...query] = url.replace(/^http:\/\/[^/]*/, "").split("?");
  return { path, query: query.join("?") };
}
