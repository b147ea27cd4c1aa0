import type { Rest } from "../rest/rest.ts";
import type { LiveSettings } from "./live-settings.ts";

/** A request that the administration listener has let in; path and query as on the request line. */
export interface OwnerRequest {
  readonly request: Request;
  readonly path: string;
  readonly query: string;
  readonly callerAddress: string;
}

/** The data-plane API for the owner of the service. */
export type OwnerApi = (request: OwnerRequest) => Promise<Response>;

/**
 * Hands requests of the administration listener to the data-plane API. Neither network rules nor switched-off access keys
 * are about that listener, a stopped service is (M-60). Tokens and links that come out of it are for the first of the
 * service's own endpoints.
 */
export function createOwnerApi(parts: {
  readonly rest: Rest["handle"];
  readonly live: () => LiveSettings;
  readonly endpoints: () => readonly string[];
}): OwnerApi {
  return async ({ request, path, query, callerAddress }) => {
    const { config, frontDoor } = parts.live();
    if (frontDoor.isStopped && !/^\/api\/health\/?$/i.test(path)) return new Response(null, { status: 503 });
    const { protocol, host } = new URL(parts.endpoints()[0] ?? "http://localhost");
    const caller = {
      address: callerAddress,
      scheme: protocol === "https:" ? "https" : "http",
      host,
      audienceHosts: [],
      certificate: null,
    } as const;
    const response = await parts.rest({ request, path, query, caller, pathBase: config.service.pathBase });
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("X-Content-Type-Options", "nosniff");
    return response;
  };
}
