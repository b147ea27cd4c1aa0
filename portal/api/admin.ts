import { call } from "./http.ts";

/** `GET /admin/status`. */
export interface Status {
  readonly name: string;
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly isReady: boolean;
  readonly endpoints: readonly string[];
  readonly listening: readonly string[];
  readonly connections: { readonly total: number; readonly hubs: Readonly<Record<string, number>> };
  readonly configuration: {
    readonly file: string | null;
    readonly dataDir: string;
    readonly overlay: { readonly file: string; readonly settings: readonly string[] };
  };
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
}

export interface Keys {
  readonly primaryKey: string;
  readonly secondaryKey: string | null;
  readonly primaryConnectionString: string;
  readonly secondaryConnectionString: string | null;
}

/** An event handler as in ARM. */
export interface EventHandler {
  readonly urlTemplate: string;
  readonly userEventPattern?: string;
  readonly systemEvents?: readonly string[];
  readonly auth?: { readonly type?: string; readonly [member: string]: unknown };
}

export interface HubProperties {
  readonly eventHandlers?: readonly EventHandler[];
  readonly eventListeners?: readonly unknown[];
  readonly anonymousConnectPolicy?: string;
  readonly webSocketKeepAliveIntervalInSeconds?: number;
  readonly [member: string]: unknown;
}

export interface Hub {
  readonly name: string;
  readonly properties: HubProperties;
  readonly source: "configuration" | "overlay";
  /** Whether the configuration has settings for it that do not count now. */
  readonly isOverridden: boolean;
}

export interface ListedConnection {
  readonly connectionId: string;
  readonly hub: string;
  readonly userId: string | null;
  readonly protocol: string | null;
  readonly callerIpAddress: string;
  readonly groups: number;
  readonly isDetached: boolean;
  readonly queue: { readonly messages: number; readonly bytes: number };
}

export interface ConnectionDetail extends ListedConnection {
  readonly groupNames: readonly string[];
  readonly permissions: readonly string[];
  /** Taken away by the REST API; they count before the others. */
  readonly revokedPermissions: readonly string[];
  readonly replay: { readonly messages: number; readonly bytes: number } | null;
  readonly recentErrors: readonly { readonly time: string; readonly name: string; readonly message: string }[];
}

/** A group or a user, with the connections of it. */
export interface NamedCount {
  readonly hub: string;
  readonly name: string;
  readonly connections: number;
}

export interface ListPage<Item> {
  readonly value: readonly Item[];
  readonly total?: number | null;
  readonly next: string | null;
}

export interface RequestTypeRules {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface NetworkRules {
  readonly publicNetworkAccess: string;
  readonly defaultAction: string;
  readonly publicNetwork: RequestTypeRules;
  readonly privateEndpoints: readonly (RequestTypeRules & { readonly name: string })[];
  readonly ipRules: readonly { readonly value: string; readonly action: string }[];
  readonly source: "configuration" | "overlay";
}

export interface LiveTraceSettings {
  readonly enabled: boolean;
  readonly categories: readonly { readonly name: string; readonly enabled: boolean }[];
}

export interface HandlerTest {
  /** `allowed` and `tunnelConnected` are good, see `docs/administration.md` for the others. */
  readonly outcome: string;
  readonly message: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  } | null;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  } | null;
  readonly durationMs: number;
}

/** What a list is asked for; empty members ask for nothing. */
export type ListQuery = Readonly<Record<string, string | number | undefined | null>>;

const hubPath = (hub: string): string => `/admin/hubs/${encodeURIComponent(hub)}`;

/** The administration API; every call rejects with an `ApiError`. */
export const admin = {
  status: () => call<Status>("/admin/status"),
  keys: () => call<Keys>("/admin/keys", { method: "POST" }),
  regenerateKey: (keyType: "Primary" | "Secondary") =>
    call<Keys>("/admin/keys/regenerate", { method: "POST", body: { keyType } }),
  restoreKey: (keyType: "Primary" | "Secondary") =>
    call<Keys>("/admin/keys/restore", { method: "POST", body: { keyType } }),
  hubs: async () => (await call<{ readonly value: readonly Hub[] }>("/admin/hubs")).value,
  putHub: (hub: string, properties: HubProperties) => call<Hub>(hubPath(hub), { method: "PUT", body: { properties } }),
  deleteHub: (hub: string) => call<undefined>(hubPath(hub), { method: "DELETE" }),
  restoreHub: (hub: string) => call<Hub | undefined>(`${hubPath(hub)}/restore`, { method: "POST" }),
  testEventHandler: (hub: string, properties: EventHandler) =>
    call<HandlerTest>(`${hubPath(hub)}/testEventHandler`, { method: "POST", body: { properties } }),
  networkRules: () => call<NetworkRules>("/admin/networkRules"),
  patchNetworkRules: (rules: Partial<NetworkRules>) =>
    call<NetworkRules>("/admin/networkRules", { method: "PATCH", body: rules }),
  restoreNetworkRules: () => call<NetworkRules>("/admin/networkRules/restore", { method: "POST" }),
  connections: (query: ListQuery, signal?: AbortSignal) => list<ListedConnection>("/admin/connections", query, signal),
  connection: (hub: string, id: string) =>
    call<ConnectionDetail>(`${hubPath(hub)}/connections/${encodeURIComponent(id)}`),
  groups: (query: ListQuery, signal?: AbortSignal) => list<NamedCount>("/admin/groups", query, signal),
  users: (query: ListQuery, signal?: AbortSignal) => list<NamedCount>("/admin/users", query, signal),
  liveTrace: () => call<LiveTraceSettings>("/admin/liveTrace"),
  patchLiveTrace: (settings: Partial<LiveTraceSettings>) =>
    call<LiveTraceSettings>("/admin/liveTrace", { method: "PATCH", body: settings }),
  liveTraceToken: (endpoint: string) =>
    call<{ readonly url: string; readonly accessToken: string; readonly expiresAt: string }>("/admin/liveTrace/token", {
      method: "POST",
      body: { endpoint },
    }),
};

function list<Item>(path: string, query: ListQuery, signal: AbortSignal | undefined): Promise<ListPage<Item>> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  return call<ListPage<Item>>(`${path}?${parameters}`, signal === undefined ? {} : { signal });
}
