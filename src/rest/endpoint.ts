import type { Call } from "./call.ts";

/**
 * The address under which the caller reached us, without a trailing slash, path base included. When its host is that of
 * the public endpoint, the public endpoint decides about the scheme too: a proxy that ends TLS need not be trusted for it.
 * @spec R-77 R-36
 */
export function callerEndpoint({ caller, pathBase, access }: Call): string {
  const own = access.publicEndpoint;
  if (own !== null && URL.canParse(own) && new URL(own).host === caller.host.toLowerCase()) return trimmed(own);
  return `${caller.scheme}://${caller.host}${pathBase}`;
}

/** The address clients are sent to: the configured public endpoint, otherwise the one of this request. */
export function clientEndpoint(call: Call): string {
  const own = call.access.publicEndpoint;
  return own === null ? callerEndpoint(call) : trimmed(own);
}

function trimmed(endpoint: string): string {
  return endpoint.replace(/\/+$/, "");
}
