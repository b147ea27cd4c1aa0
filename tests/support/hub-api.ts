import type { HttpResponse } from "./http-response.ts";
import type { RestRequest } from "./rest.ts";
import type { Target } from "./server.ts";

/** One signed REST request below `/api/hubs/{hub}`: `api("PUT", "/users/u/groups/g")`. */
export type HubApi = (
  method: string,
  path: string,
  more?: Omit<RestRequest, "method" | "path">,
) => Promise<HttpResponse>;

export function hubApi(target: Pick<Target, "rest">, hub: string): HubApi {
  return (method, path, more = {}) => target.rest({ ...more, method, path: `/api/hubs/${hub}${path}` });
}
