import type * as z from "zod";
import { defaultLimits } from "../core/limits.ts";
import { checkedText, choice, flag, group, leaf, list, optional, text, wholeNumber } from "./fields.ts";
import { hubsSchema, managedIdentitySchema } from "./schema-hubs.ts";
import { propertiesSchema } from "./schema-properties.ts";
import { serviceSchema } from "./schema-service.ts";
import { checkHttpUrl, checkOrigin } from "./urls.ts";

const unbounded = Number.MAX_SAFE_INTEGER;
const maxSeconds = 86_400;
const mebibyte = 1_048_576;
const maxBytes = 1024 * mebibyte;

const seconds = (description: string, bounds: { readonly min: number; readonly max?: number }) =>
  wholeNumber({ description, unit: "seconds", min: bounds.min, max: bounds.max ?? maxSeconds });
const bytes = (description: string) => wholeNumber({ description, unit: "bytes", min: 1, max: maxBytes });
const count = (description: string, min = 0) => wholeNumber({ description, min, max: unbounded });

const oidcAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] as const;

const oidcIssuer = group(
  {
    issuer: text({
      description: "Value of `iss`, compared exactly; must be a URL where the keys are discovered from it.",
    }),
    jwksUri: optional(
      checkedText(checkHttpUrl, {
        type: "URL",
        description: "Where the issuer's keys are; default: discovered below the issuer.",
      }),
    ),
    audiences: list(text({ description: "Accepted `aud`." }), { description: "Accepted values of `aud`." }).default([
      "https://webpubsub.azure.com",
    ]),
    algorithms: list(choice(oidcAlgorithms, { description: "Signature algorithm." }), {
      description: "Accepted signature algorithms.",
    }).default(["RS256", "ES256"]),
    roles: list(
      group(
        {
          claim: text({ description: "Name of the claim, such as `oid`, `appid`, `roles`." }),
          value: text({ description: "Value it has, or contains where it is a list." }),
          role: choice(["owner", "reader"], { description: "`owner`: everything; `reader`: read-only operations." }),
        },
        "One mapping.",
      ),
      { description: "What tokens may do; a token that no mapping fits gets 403." },
    ).default([]),
  },
  "One issuer of OIDC tokens.",
);

const authSchema = group(
  {
    clockSkewSeconds: seconds("Tolerance on `exp` and `nbf` of tokens.", { min: 0, max: 3600 }).default(300),
    audience: group(
      {
        validateHost: flag({ description: "Whether the host of a token's audience must be one of ours." }).default(
          true,
        ),
      },
      "Audience of tokens.",
    ).prefault({}),
    oidc: list(oidcIssuer, { description: "Issuers whose tokens REST accepts in place of Entra ID." }).default([]),
    allowUnvalidatedEntraTokens: flag({
      description:
        "Accept tokens for `https://webpubsub.azure.com` without checking their signature. For development only.",
    }).default(false),
    managedIdentity: optional(managedIdentitySchema),
  },
  "Tokens.",
).prefault({});

const limitsSchema = group(
  {
    maxMessageBytes: wholeNumber({
      description: "Biggest client message and REST body.",
      unit: "bytes",
      min: 1,
      max: maxBytes,
      takesEffect: "restart",
    }).default(defaultLimits.maxMessageBytes),
    maxRequestLineBytes: wholeNumber({
      description: "Longest request line; tokens travel in it.",
      unit: "bytes",
      min: 1024,
      max: mebibyte,
    }).default(16_384),
    outboundQueue: group(
      {
        messages: count("Messages that may wait for a slow client; more closes it.", 1).default(
          defaultLimits.outboundQueue.messages,
        ),
        bytes: bytes("Bytes that may wait for a slow client; more closes it.").default(
          defaultLimits.outboundQueue.bytes,
        ),
      },
      "Outbound queue of a connection.",
    ).prefault({}),
    inboundQueue: group(
      {
        messages: count("Frames of one client that may wait behind a running user event; more closes it.", 1).default(
          defaultLimits.inboundQueue.messages,
        ),
        bytes: bytes("Bytes of these frames; more closes the client.").default(defaultLimits.inboundQueue.bytes),
      },
      "Inbound queue of a connection.",
    ).prefault({}),
    reliable: group(
      {
        recoverySeconds: seconds("How long a dropped reliable connection can be recovered.", {
          min: 0,
          max: 3600,
        }).default(30),
        messages: count("Unacknowledged messages kept for a reliable connection.", 1).default(1000),
        bytes: bytes("Bytes of these messages.").default(16 * mebibyte),
      },
      "Reliable connections.",
    ).prefault({}),
    eventHandler: group(
      {
        timeoutSeconds: seconds("Time an event handler has until its response headers, retries included.", {
          min: 1,
          max: 3600,
        }).default(100),
        maxResponseBytes: bytes("Biggest response body of an event handler.").default(16 * mebibyte),
      },
      "Event handlers.",
    ).prefault({}),
    tunnel: group(
      {
        maxContentBytes: bytes(
          "Biggest response or REST body that comes through a tunnel; more closes the tunnel.",
        ).default(16 * mebibyte),
        connectionsPerHub: count("Tunnel connections of one hub.", 1).default(128),
        connectionsPerServer: count("Tunnel connections of one application process.", 1).default(16),
        requestsPerConnection: count(
          "Requests that may wait for their answers on one tunnel connection; a quarter of them is for notifications.",
          1,
        ).default(256),
      },
      "Tunnels to `tunnel:///` handlers.",
    ).prefault({}),
    permissions: group(
      {
        literals: count("Groups named literally, per action and connection.").default(defaultLimits.permissionLiterals),
        patterns: count("Wildcard patterns, per action and connection.").default(defaultLimits.permissionPatterns),
      },
      "Permissions of a connection.",
    ).prefault({}),
    ackIds: count("Ack ids of successful requests remembered per connection.").default(defaultLimits.ackIds),
    openStreams: count("Streams to groups that one connection may have open (preview).").default(
      defaultLimits.openStreams,
    ),
    pendingInvocations: count("Invocations of one connection that may wait for the event handler (preview).").default(
      defaultLimits.pendingInvocations,
    ),
    groupState: group(
      {
        bytes: bytes("Biggest state of a connection in a group, keys and values.").default(
          defaultLimits.groupState.bytes,
        ),
        items: count("States shown in one snapshot.", 1).default(defaultLimits.groupState.items),
      },
      "Group states (preview).",
    ).prefault({}),
    handshakeSeconds: wholeNumber({
      description:
        "Time an HTTP peer may be silent within a request body or between requests; a request head has a fixed 12 s.",
      unit: "seconds",
      min: 1,
      max: 255,
      takesEffect: "restart",
    }).default(10),
    closeDrainSeconds: seconds("Time a closing connection has to take what is queued.", { min: 0, max: 300 }).default(
      defaultLimits.closeDrainMs / 1000,
    ),
    drainSeconds: seconds("Time a stopping service gives its clients.", { min: 0, max: 3600 }).default(30),
    maxConnections: count("Concurrent client connections; 0 for no limit.").default(defaultLimits.maxConnections),
    maxMessagesPerDay: count("Outbound messages (each started 2 KiB) per day; 0 for no limit.").default(0),
  },
  "Limits; the defaults are those of the Azure service or its emulator where they are known.",
).prefault({});

const upstreamSchema = group(
  {
    origins: list(
      checkedText((raw) => (/^[^\s,/]+$/.test(raw) ? null : "must be a host name"), {
        type: "host name",
        description: "Host name of this service.",
      }),
      {
        description:
          "Names sent as `WebHook-Request-Origin`; default: the host of the first public endpoint, else the one the client used.",
      },
    ).default([]),
    retryDelaysSeconds: list(seconds("Delay before the next attempt.", { min: 0, max: 3600 }), {
      description: "Delays in seconds between attempts; empty for one attempt only.",
      max: 20,
    }).default([1, 3, 5]),
    forwardConnectErrorBody: flag({
      description: "Pass the body of a `connect` handler's refusal on to the client, up to 8 KiB.",
    }).default(false),
    validation: group(
      {
        retryOnDemand: flag({
          description:
            "Whether an event after a failed abuse-protection check waits for a fresh one instead of failing with the old result.",
        }).default(true),
      },
      "Abuse protection.",
    ).prefault({}),
    targets: group(
      {
        allowLoopback: flag({ description: "Whether handlers may be on this machine." }).default(true),
        allowPrivate: flag({ description: "Whether handlers may have private addresses." }).default(true),
        allowedHosts: list(
          checkedText((raw) => (/^(?:\*\.)?[^\s/*@]+$/.test(raw) ? null : "must be a host name or *. and a domain"), {
            type: "host name",
            description: "Host name, or `*.` and a domain.",
          }),
          { description: "Hosts handlers may be on; empty for any." },
        ).default([]),
      },
      "Where event requests may go. Link-local and cloud metadata addresses are refused whatever is set here.",
    ).prefault({}),
    maxSocketsPerHost: wholeNumber({
      description: "Concurrent requests to one handler origin; more wait.",
      min: 1,
      max: 65_535,
    }).default(256),
    notificationQueue: count(
      "Notifications (`connected`, `disconnected`, presence) that may wait per hub; beyond, the oldest is dropped.",
      1,
    ).default(10_000),
  },
  "Requests to event handlers.",
).prefault({});

const clusterBus = leaf<"none">(
  (raw) =>
    typeof raw === "string" && raw.toLowerCase() === "none"
      ? { value: "none" }
      : { expected: "must be none; other buses are not supported yet" },
  { type: "`none`", description: "What joins several nodes.", takesEffect: "restart" },
);

/**
 * Every setting: name, type, unit, default, range, text. Types, validation, documentation, help and the names of environment
 * variables all derive from it. Names under `properties` and `hubs` are ARM's (management 19.1).
 * @spec M-56
 */
export const settingsSchema = group(
  {
    service: serviceSchema,
    properties: propertiesSchema,
    hubs: hubsSchema.prefault({}),
    auth: authSchema,
    limits: limitsSchema,
    upstream: upstreamSchema,
    cors: group(
      {
        allowedOrigins: list(checkedText(checkOrigin, { type: "origin", description: "`*` or an origin." }), {
          description: "Origins that may call the REST API from a browser.",
        }).default(["*"]),
      },
      "Cross-origin requests to the REST API.",
    ).prefault({}),
    cluster: group({ bus: clusterBus.default("none") }, "Several nodes as one service.").prefault({}),
    logging: group(
      {
        level: choice(["trace", "debug", "info", "warn", "error"], {
          description: "Least severe level that is written.",
        }).default("info"),
        format: choice(["auto", "json", "pretty"], {
          description: "One JSON object per line, or text for people; `auto`: text at a terminal, else JSON.",
        }).default("auto"),
        resourceLogs: choice(["stdout", "none"], { description: "Where resource logs go." }).default("stdout"),
      },
      "Logs.",
    ).prefault({}),
    metrics: group(
      {
        prometheus: flag({
          description: "Whether `/metrics` exists on the administration listener.",
          takesEffect: "restart",
        }).default(true),
      },
      "Metrics.",
    ).prefault({}),
    compat: group(
      {
        keepEncodedSlash: flag({ description: "Leave `%2F` in REST path segments undecoded, as Azure does." }).default(
          false,
        ),
        permissionWithoutTargetMeansAll: flag({
          description: "Let permission operations without `targetName` concern all groups instead of answering 400.",
        }).default(false),
        globEventPatterns: flag({
          description: "Allow `*`, `**`, `?` and `\\` inside the items of a handler's `userEventPattern`.",
        }).default(false),
      },
      "Switches for applications that rely on a particular behaviour.",
    ).prefault({}),
  },
  "Configuration of the service.",
);

/** All settings as validated, defaults filled in; secrets from files included. */
export type Settings = z.output<typeof settingsSchema>;
