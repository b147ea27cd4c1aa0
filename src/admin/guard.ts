import { readBearerToken } from "../auth/bearer.ts";
import { digestSecret, matchesDigest } from "../auth/secret-digest.ts";
import type { AdminListenConfig } from "../config/config.ts";
import { isLoopbackHost } from "../config/urls.ts";
import { parseIpAddress } from "../core/ip-address.ts";
import { failure, toResponse } from "./answers.ts";

/** Each decides whether a request may go on: the answer to give instead, or null. */
export interface Guard {
  /** By the name under which the listener was reached; for every path. */
  host(request: Request): Response | null;
  /** By the token; for everything but the console's page. */
  token(request: Request): Response | null;
}

/**
 * Guards the administration listener: first the host, then the token.
 *
 * A web page can reach a loopback address under a name of its own whose address changes (DNS rebinding), but it cannot
 * choose the `Host` header: only addresses, `localhost` and configured names pass (421). Browsers always send the header,
 * so a request without one passes. The token is compared in constant time (401); it travels in `Authorization` only, which
 * no page of another origin can set without a CORS answer, and there is none.
 * @spec M-64
 */
export function createGuard({ address, token, hostNames }: AdminListenConfig): Guard {
  const names = new Set([address.hostname, ...hostNames].map((name) => name.toLowerCase()));
  const expected = digestSecret(token);
  return {
    host(request) {
      const host = hostOf(request.headers.get("host") ?? "");
      const isKnown = host === "" || isLoopbackHost(host) || parseIpAddress(host) !== null || names.has(host);
      return isKnown ? null : wrongHost();
    },
    token(request) {
      const given = readBearerToken(request.headers.get("authorization"));
      if (given !== null && matchesDigest(given, expected)) return null;
      return new Response(null, { status: 401, headers: { "WWW-Authenticate": "Bearer" } });
    },
  };
}

function wrongHost(): Response {
  const message = "This host name is not one of the administration listener, see service.adminListen.hostNames.";
  return toResponse(failure(421, "MisdirectedRequest", message));
}

/** The host of a `Host` header in lower case, without port and brackets. */
function hostOf(header: string): string {
  return header
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/^\[(.*)\]$/, "$1");
}
