import type { MessageTrace } from "../core/message-trace.ts";
import type { HubName } from "../core/names.ts";
import type { Clock, Scheduler, Telemetry } from "../core/ports.ts";
import type { EventAudience } from "./listeners/audience.ts";
import type { EventTunnels } from "./tunnel/event-target.ts";

/** How event requests to one handler authenticate beside their signature (event-handlers 2.5). */
export type HandlerAuth =
  | { readonly type: "None" }
  | { readonly type: "Bearer"; readonly token: string }
  | {
      readonly type: "ClientCredentials";
      readonly tokenUrl: string;
      readonly clientId: string;
      /** A shared secret, or a PKCS #8 PEM (RSA or P-256) for `private_key_jwt`. */
      readonly credential:
        | { readonly kind: "secret"; readonly secret: string }
        | { readonly kind: "privateKey"; readonly pem: string };
      readonly scope: string | null;
      readonly audience: string | null;
    };

/** TLS of one handler, PEM: certificates trusted instead of the system's, and a client certificate. */
export interface HandlerTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** One event handler as configured; secrets are inserted into the URL template already. */
export interface EventHandlerSettings {
  readonly urlTemplate: string;
  /** Of a `tunnel:///` handler whose hub has no tunnel: its events fail (default), go to the next handler, or to this URL. */
  readonly whenNoTunnel?: string | undefined;
  /** Empty: no user events. */
  readonly userEventPattern: string;
  readonly systemEvents: readonly ("connect" | "connected" | "disconnected")[];
  readonly auth: HandlerAuth;
  readonly groupPresenceEvents: {
    readonly eventNames: readonly ("joined" | "left")[];
    /** Patterns as in wildcard group roles; empty: all groups. */
    readonly groupFilters: readonly string[];
  };
  readonly tls?: HandlerTls | undefined;
}

/** Handlers of one hub in order. Immutable: a change is another object, by whose identity routes are cached. */
export interface HubUpstreamSettings {
  readonly eventHandlers: readonly EventHandlerSettings[];
}

/** Where event requests may go. Link-local and cloud metadata addresses are refused whatever is set here (H-53). */
export interface TargetPolicy {
  readonly allowLoopback: boolean;
  readonly allowPrivate: boolean;
  /** Host names, or `*.` and a domain; empty: any. */
  readonly allowedHosts: readonly string[];
}

/** What a reload may change. */
export interface UpstreamSettings {
  /** Settings of a hub, null for none; called on every event and join, so it must be cheap. */
  hub(name: HubName): HubUpstreamSettings | null;
  /** Hosts of the public endpoints, with port where it is not the scheme's default; best first. */
  readonly publicHosts: readonly string[];
  /** Replaces the request origin; empty: first public host without port, else the host the client used. */
  readonly origins: readonly string[];
  /** Delays between attempts; their number is that of the retries (event-handlers 8.2). */
  readonly retryDelaysMs: readonly number[];
  /** From dispatch to response headers, and again for the body (event-handlers 8.1). */
  readonly timeoutMs: number;
  /** Biggest response body, before and after decoding. */
  readonly maxResponseBytes: number;
  /** Concurrent requests to one origin; more wait in order. A quarter of them is for notifications. */
  readonly maxSocketsPerHost: number;
  /** Notifications that may wait per hub; beyond, the oldest is dropped. */
  readonly notificationQueue: number;
  readonly forwardConnectErrorBody: boolean;
  /** Whether an event after a failed validation and its back-off waits for a fresh one. */
  readonly retryOnDemand: boolean;
  readonly targets: TargetPolicy;
  readonly globEventPatterns: boolean;
}

/** The defaults of event-handlers 3, 7 and 8. */
export const defaultUpstreamSettings: Omit<UpstreamSettings, "hub"> = {
  publicHosts: [],
  origins: [],
  retryDelaysMs: [1000, 3000, 5000],
  timeoutMs: 100_000,
  maxResponseBytes: 16_777_216,
  maxSocketsPerHost: 256,
  notificationQueue: 10_000,
  forwardConnectErrorBody: false,
  retryOnDemand: true,
  targets: { allowLoopback: true, allowPrivate: true, allowedHosts: [] },
  globEventPatterns: false,
};

/** The event a request belongs to. `sys` covers system and presence events. */
export interface EventRequestFacts {
  readonly hub: string;
  readonly event: string;
  readonly type: "sys" | "user";
}

/** How one request went. `unexpectedStatus`: an answer, but not one that counts as success. */
export type WebhookOutcome =
  | "succeeded"
  | "unexpectedStatus"
  | "invalidResponse"
  | "timedOut"
  | "unreachable"
  | "aborted";

/** One finished event request; a retry is a request of its own. */
export interface WebhookReport extends EventRequestFacts {
  readonly outcome: WebhookOutcome;
  /** null: there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Size of the request body. */
  readonly bytes: number;
  /** Without its query, which may hold a key. */
  readonly url: string;
  readonly connectionId: string;
  readonly userId: string | null;
  readonly detail: string | null;
  /** The message that the event is; null: it is none, or nobody watches. */
  readonly trace: MessageTrace | null;
  /** Null unless `wantsExchange`. The only part of a report that may hold secrets and payloads. */
  readonly exchange: WebhookExchange | null;
}

/** A request to an event handler and its answer. */
export interface WebhookExchange {
  /** `[name, value, …]`; without `Host`, `Content-Length` and `Authorization`. */
  readonly requestHeaders: readonly string[];
  readonly requestBody: string | Uint8Array;
  /** Null: there was no answer. The body is decoded, and empty where it did not matter and was left out. */
  readonly answer: { readonly headers: readonly string[]; readonly body: Uint8Array } | null;
}

/** Where this room reports. Cheap, never throws; no report holds a key, a token, a payload or a query. */
export interface UpstreamTelemetry extends Pick<Telemetry, "log"> {
  webhook(report: WebhookReport): void;
  /** Whether reports should have what was exchanged; asked when a request begins. */
  wantsExchange(): boolean;
  /** `isNews` is false for an overflow within a minute after the last one that was reported with true. */
  notificationDropped(facts: EventRequestFacts, reason: string, isNews: boolean): void;
}

/** Resolves a host name to addresses; rejects when there are none. */
export type ResolveHost = (
  hostname: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Makes the `ce-signature` of a connection; null without a key. */
export type Signer = (connectionId: string) => string | null;

/** What `createUpstream` needs. */
export interface UpstreamOptions {
  readonly settings: UpstreamSettings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly telemetry: UpstreamTelemetry;
  /** Product version, for `User-Agent`. */
  readonly version: string;
  /** The applications connected by tunnel. */
  readonly tunnels: EventTunnels;
  /** The signer in force. Signatures are kept per connection while this returns the same function (E-25). */
  readonly signer: () => Signer;
  /** Default: the system's resolver. */
  readonly resolveHost?: ResolveHost | undefined;
  /** Told of events before the handlers are; default: nobody listens. The caller closes them. */
  readonly listeners?: EventAudience | undefined;
}
