import type { IpRange } from "../core/ip-address.ts";
import { type HubName, parseHubName } from "../core/names.ts";
import type { NetworkRules } from "../core/network-access.ts";
import { formatConnectionString } from "./connection-string.ts";
import type { Settings } from "./schema.ts";
import type { HubInput } from "./schema-hubs.ts";
import type { PropertiesSettings } from "./schema-properties.ts";
import { formatListenUrl, type ListenAddress } from "./urls.ts";

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** The access keys in force. */
export interface AccessKeys {
  readonly primary: string;
  /** Null: only the primary key validates (M-8). */
  readonly secondary: string | null;
  /** `development`: the emulator's well-known key; `generated`: kept in the data folder. */
  readonly origin: "configured" | "development" | "generated";
}

/** One public listener. */
export interface Listener {
  readonly name: string | null;
  readonly address: ListenAddress;
  /** Null for `http`, and for `https` with a certificate of the local authority. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
}

/** The administration listener. */
export interface AdminListenConfig {
  /** Nobody asked for it: the service does without where its port is taken. */
  readonly isDefault: boolean;
  readonly address: ListenAddress;
  readonly token: string;
  /** Where the token was generated and is kept; null when it is configured. */
  readonly tokenFile: string | null;
  /** Names by which it may be reached, beside IP addresses, `localhost` and the one it listens on. */
  readonly hostNames: readonly string[];
}

/** How event requests to one handler authenticate; `ManagedIdentity` is already replaced by its mapping (event-handlers 2.5). */
export type HandlerAuth =
  | { readonly type: "None" }
  | { readonly type: "Bearer"; readonly token: string }
  | {
      readonly type: "ClientCredentials";
      readonly tokenUrl: string;
      readonly clientId: string;
      /** A shared secret, or a PKCS #8 PEM for `private_key_jwt`. */
      readonly credential:
        | { readonly kind: "secret"; readonly secret: string }
        | { readonly kind: "privateKey"; readonly pem: string };
      readonly scope: string | null;
      readonly audience: string | null;
    };

/** One event handler; secrets are inserted into the URL template, so log it without its query. */
export interface EventHandlerConfig extends Omit<DeepReadonly<HubInput["eventHandlers"][number]>, "auth"> {
  readonly auth: HandlerAuth;
}

/** Where the events of one listener go, by kind, secrets read. */
export type ListenerEndpoint =
  | {
      readonly type: "EventHub";
      readonly eventHubName: string;
      readonly access:
        | { readonly kind: "connectionString"; readonly connectionString: string }
        /** `auth` null: `auth.managedIdentity` is not configured. */
        | { readonly kind: "token"; readonly fullyQualifiedNamespace: string; readonly auth: HandlerAuth | null };
    }
  | {
      readonly type: "Kafka";
      readonly brokers: readonly string[];
      readonly topic: string;
      readonly tls: boolean;
      readonly sasl: {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
        readonly username: string;
        readonly password: string;
      } | null;
      readonly attributeStyle: "kafka" | "amqp";
    }
  | {
      readonly type: "Nats";
      readonly servers: readonly string[];
      readonly subject: string;
      readonly jetStream: boolean;
      readonly credentials:
        | { readonly kind: "none" }
        | { readonly kind: "password"; readonly username: string; readonly password: string }
        | { readonly kind: "token"; readonly token: string }
        | { readonly kind: "file"; readonly content: string };
    }
  | { readonly type: "HttpBatch"; readonly url: string; readonly auth: HandlerAuth };

/** One event listener, its endpoint resolved. */
export interface EventListenerConfig extends Omit<DeepReadonly<HubInput["eventListeners"][number]>, "endpoint"> {
  readonly endpoint: ListenerEndpoint;
}

/** Settings of one hub; a change concerns later events and connections only. */
export interface HubConfig extends Omit<DeepReadonly<HubInput>, "eventHandlers" | "eventListeners"> {
  /** In order: the first that matches an event receives it. */
  readonly eventHandlers: readonly EventHandlerConfig[];
  readonly eventListeners: readonly EventListenerConfig[];
}

type Carried = "auth" | "limits" | "cors" | "cluster" | "logging" | "metrics" | "compat";

/** The configuration of one service, complete and valid: defaults filled in, files read, names resolved. */
export interface Config extends DeepReadonly<Pick<Settings, Carried>> {
  readonly service: {
    readonly name: string;
    readonly listen: readonly Listener[];
    readonly adminListen: AdminListenConfig | null;
    /** Without trailing slash, path base included; empty where none is configured. */
    readonly publicEndpoints: readonly string[];
    /** Empty, or begins with a slash and does not end with one. */
    readonly pathBase: string;
    readonly trustedProxies: readonly IpRange[];
    readonly keys: AccessKeys;
    readonly dataDir: string;
    readonly certificateNames: readonly string[];
  };
  /** ARM's properties except the network ones, which are in `networkRules`, and the read-only ones. */
  readonly properties: DeepReadonly<
    Pick<
      PropertiesSettings,
      | "disableLocalAuth"
      | "disableAadAuth"
      | "tls"
      | "liveTraceConfiguration"
      | "resourceLogConfiguration"
      | "applicationFirewall"
      | "socketIO"
      | "regionEndpointEnabled"
      | "resourceStopped"
    >
  >;
  readonly networkRules: NetworkRules;
  /** Entries of the configuration by canonical name; use `hubSettings` to look one up. */
  readonly hubs: ReadonlyMap<HubName, HubConfig>;
  /** Settings of hubs without an entry: those of `"*"`, or the defaults. */
  readonly defaultHub: HubConfig;
  readonly upstream: DeepReadonly<Settings["upstream"]>;
  /** Secrets that stand in URL templates; nothing that is written may hold them. */
  readonly templateSecrets: readonly string[];
}

/**
 * Settings of a hub, whatever the case of its name. An entry of its own and the default entry are never merged.
 * @spec M-12 M-23 E-10
 */
export function hubSettings(config: Config, hubName: string): HubConfig {
  const name = parseHubName(hubName);
  return (name === null ? undefined : config.hubs.get(name)) ?? config.defaultHub;
}

/**
 * The URLs by which clients reach the service, best first: the public endpoints, or where there are none the listeners.
 *
 * `bound` are the addresses the listeners really have, since a configured port may be 0. A listener on every address is
 * shown as `localhost`.
 * @spec M-3 M-40
 */
export function clientEndpoints(config: Config, bound: readonly ListenAddress[]): readonly string[] {
  if (config.service.publicEndpoints.length > 0) return config.service.publicEndpoints;
  return bound.map((address) => {
    const isEveryAddress = address.hostname === "0.0.0.0" || address.hostname === "::";
    return `${formatListenUrl(isEveryAddress ? { ...address, hostname: "localhost" } : address)}${config.service.pathBase}`;
  });
}

/**
 * The connection strings to show to the operator, for the first of `clientEndpoints`; null without a secondary key.
 * @spec M-1 M-8
 */
export function connectionStrings(
  config: Config,
  bound: readonly ListenAddress[],
): { readonly primary: string; readonly secondary: string | null } {
  const endpoint = clientEndpoints(config, bound)[0] ?? "http://localhost";
  const { primary, secondary } = config.service.keys;
  return {
    primary: formatConnectionString({ endpoint, accessKey: primary }),
    secondary: secondary === null ? null : formatConnectionString({ endpoint, accessKey: secondary }),
  };
}
