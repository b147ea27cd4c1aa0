import type { Call } from "./call.ts";

/**
 * The address by which the caller reaches the service, without a trailing slash, path base included: of the configured
 * public endpoints the one whose host the request was sent to, else the first, because a proxy may have put a name of its
 * own into `Host` (M-37); without any, where the request came to.
 * @spec R-36 R-77 R-95 M-37
 */
export function endpointOf({ caller, pathBase, access }: Call): string {
  const { publicEndpoints } = access;
  const [first] = publicEndpoints;
  if (first === undefined) return `${caller.scheme}://${caller.host}${pathBase}`;
  const host = caller.host.toLowerCase();
  const dialled = publicEndpoints.find((endpoint) => URL.canParse(endpoint) && new URL(endpoint).host === host);
  return (dialled ?? first).replace(/\/+$/, "");
}
