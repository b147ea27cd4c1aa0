import { handleAdmin } from "../admin/api.ts";
import { createGuard } from "../admin/guard.ts";
import type { AdminService } from "../admin/settings.ts";
import type { Config } from "../config/config.ts";
import { formatListenUrl } from "../config/urls.ts";
import type { Telemetry } from "../core/ports.ts";
import { listenError } from "../transport/listener.ts";

/** Biggest request body; the settings of a hub are far smaller. Ours. */
const maxBodyBytes = 1_048_576;

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
}

/**
 * Opens the administration listener with `/metrics` and the administration API, if one is configured. Every request needs
 * the token as a bearer token; anything else is 401, whatever its path, and logged.
 */
export function openAdminListener(config: Config, { metrics, service, telemetry }: AdminParts): AdminResult | null {
  const { adminListen } = config.service;
  if (adminListen === null) return null;
  const { address } = adminListen;
  const guard = createGuard(adminListen);
  try {
    const server = Bun.serve({
      hostname: address.hostname,
      port: address.port,
      maxRequestBodySize: maxBodyBytes,
      // Its error pages show source code.
      development: false,
      // Which would let the runtime share the port with whoever listens there already.
      reusePort: false,
      async fetch(request, self) {
        const refusal = guard(request);
        if (refusal !== null) {
          const callerIpAddress = self.requestIP(request)?.address ?? "";
          const message = `A request to the administration listener was refused with ${refusal.status}.`;
          telemetry.log("warning", "AdministrationRefused", { message, callerIpAddress });
          return refusal;
        }
        const path = pathOf(request.url);
        if (path === "/metrics" && config.metrics.prometheus) return metrics.response();
        return (await handleAdmin(service, request, path)) ?? new Response(null, { status: 404 });
      },
    });
    const url = formatListenUrl({ ...address, port: server.port ?? address.port });
    return { ok: true, listener: { url, stop: () => server.stop(true) } };
  } catch (error) {
    return { ok: false, problem: `service.adminListen: ${listenError(error, address.hostname, address.port).message}` };
  }
}

/** Path of a URL whose host is what the client wrote, so that it may be none that `URL` takes. */
function pathOf(url: string): string {
  return url.replace(/^http:\/\/[^/]*/, "").replace(/\?.*$/s, "");
}
