import { createHash, timingSafeEqual } from "node:crypto";
import { readBearerToken } from "../auth/bearer.ts";
import type { Config } from "../config/config.ts";
import { formatListenUrl } from "../config/urls.ts";
import { listenError } from "../transport/listener.ts";

/** The administration listener, apart from the public ones (M-64). */
export interface AdminListener {
  readonly url: string;
  stop(): Promise<void>;
}

export type AdminResult =
  | { readonly ok: true; readonly listener: AdminListener }
  | { readonly ok: false; readonly problem: string };

/**
 * Opens the administration listener with `/metrics`, if one is configured. Every request needs the token of the
 * configuration as a bearer token; anything else is 401.
 */
export function openAdminListener(config: Config, metrics: { response(): Response }): AdminResult | null {
  const { adminListen } = config.service;
  if (adminListen === null) return null;
  const { address, token } = adminListen;
  try {
    const server = Bun.serve({
      hostname: address.hostname,
      port: address.port,
      // Its error pages show source code.
      development: false,
      fetch(request) {
        if (!isToken(readBearerToken(request.headers.get("authorization")), token)) {
          return new Response(null, { status: 401, headers: { "WWW-Authenticate": "Bearer" } });
        }
        return pathOf(request.url) === "/metrics" && config.metrics.prometheus
          ? metrics.response()
          : new Response(null, { status: 404 });
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

/** Compares in constant time, whatever the lengths. */
function isToken(given: string | null, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return given !== null && timingSafeEqual(digest(given), digest(expected));
}
