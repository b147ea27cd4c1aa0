import { ApiError, call, request } from "./http.ts";

/** What names the recipients of a message, or what a membership is about. */
export type Recipients =
  | { readonly kind: "hub" }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "connection"; readonly name: string };

export interface TokenRequest {
  readonly hub: string;
  readonly userId?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly minutesToExpire?: number;
}

const apiVersion = "2024-12-01";

/** `/api/hubs/{hub}/…` with encoded segments; the same REST operations as on the public endpoint. */
function path(hub: string, segments: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const parameters = new URLSearchParams({ ...query, "api-version": apiVersion });
  return `/api/hubs/${[hub, ...segments].map(encodeSegment).join("/")}?${parameters}`;
}

/** Operations such as `:send` keep their colon. */
const encodeSegment = (segment: string): string =>
  /^:[A-Za-z]+$/.test(segment) ? segment : encodeURIComponent(segment);

const recipientSegments = (to: Recipients): readonly string[] => (to.kind === "hub" ? [] : [`${to.kind}s`, to.name]);

/** The data plane as an application server uses it; every call rejects with an `ApiError`. */
export const dataPlane = {
  send: (hub: string, to: Recipients, message: { readonly body: string; readonly contentType: string }) =>
    request(path(hub, [...recipientSegments(to), ":send"]), { method: "POST", ...message }),
  /** The token of a client URL. */
  generateToken: async ({ hub, userId, roles = [], groups = [], minutesToExpire = 60 }: TokenRequest) => {
    const parameters = new URLSearchParams({ "api-version": apiVersion, minutesToExpire: String(minutesToExpire) });
    if (userId !== undefined && userId !== "") parameters.set("userId", userId);
    for (const role of roles) parameters.append("role", role);
    for (const group of groups) parameters.append("group", group);
    const target = `/api/hubs/${encodeURIComponent(hub)}/:generateToken?${parameters}`;
    return (await call<{ readonly token: string }>(target, { method: "POST" })).token;
  },
  closeConnection: (hub: string, id: string, reason: string) =>
    request(path(hub, ["connections", id], reason === "" ? {} : { reason }), { method: "DELETE" }),
  closeAll: (hub: string, to: Recipients, reason: string) =>
    request(path(hub, [...recipientSegments(to), ":closeConnections"], reason === "" ? {} : { reason }), {
      method: "POST",
    }),
  addToGroup: (hub: string, group: string, id: string) =>
    request(path(hub, ["groups", group, "connections", id]), { method: "PUT" }),
  removeFromGroup: (hub: string, group: string, id: string) =>
    request(path(hub, ["groups", group, "connections", id]), { method: "DELETE" }),
  grant: (hub: string, permission: string, { id, group }: { readonly id: string; readonly group: string }) =>
    request(path(hub, ["permissions", permission, "connections", id], { targetName: group }), { method: "PUT" }),
  revoke: (hub: string, permission: string, { id, group }: { readonly id: string; readonly group: string }) =>
    request(path(hub, ["permissions", permission, "connections", id], { targetName: group }), { method: "DELETE" }),
  /** Whether there is such a user, group or connection. */
  exists: async (hub: string, to: Exclude<Recipients, { readonly kind: "hub" }>): Promise<boolean> => {
    try {
      await request(path(hub, recipientSegments(to)), { method: "HEAD" });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  },
};

/** A client URL with its token, such as `ws://localhost:8080/client/hubs/chat?access_token=…`. */
export function clientUrl(endpoint: string, hub: string, token: string): string {
  const url = new URL(`${endpoint.replace(/\/+$/, "")}/client/hubs/${encodeURIComponent(hub)}`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("access_token", token);
  return url.href;
}

/** The endpoint a browser reaches without a certificate it has to trust first, if there is one. */
export function bestEndpoint(endpoints: readonly string[]): string {
  const [first = location.origin] = endpoints;
  return endpoints.find((endpoint) => endpoint.startsWith("http:")) ?? first;
}
