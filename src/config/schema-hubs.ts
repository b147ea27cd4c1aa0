import * as z from "zod";
import { parseHubName } from "../core/names.ts";
import { parseGroupPattern } from "../core/pattern.ts";
import { checkedText, choice, group, leaf, list, optional, secret, secretFile, text, wholeNumber } from "./fields.ts";
import { checkUrlTemplate } from "./url-template.ts";
import { checkHttpUrl, checkOrigin } from "./urls.ts";

const tokenSourceFields = {
  token: optional(secret({ description: "`Bearer`: the token." })),
  tokenFile: optional(secretFile("the token of `Bearer`; read again when it changes")),
  tokenUrl: optional(
    checkedText(checkHttpUrl, {
      type: "URL",
      description: "`ClientCredentials`: token endpoint of the OAuth 2 server.",
    }),
  ),
  clientId: optional(text({ description: "`ClientCredentials`: client id." })),
  clientSecret: optional(secret({ description: "`ClientCredentials`: client secret; or a private key." })),
  clientSecretFile: optional(secretFile("the client secret")),
  privateKey: optional(
    secret({ description: "`ClientCredentials`: PKCS #8 private key, PEM, for `private_key_jwt`." }),
  ),
  privateKeyFile: optional(secretFile("the private key")),
  scope: optional(
    text({
      description:
        "`ClientCredentials`: scope; default `<managedIdentity.resource>/.default` where a resource is given.",
    }),
  ),
  audience: optional(text({ description: "`ClientCredentials`: `audience` parameter of the token request." })),
};

/** Where tokens for `ManagedIdentity` handlers come from, one mapping for the whole service (event-handlers 2.5). */
export const managedIdentitySchema = group(
  { type: choice(["Bearer", "ClientCredentials"], { description: "Kind of token source." }), ...tokenSourceFields },
  "Token source that takes the place of Azure's managed identity, so that exported settings with `ManagedIdentity` work; without it they are refused.",
);

const supportedAuthTypes = ["None", "ManagedIdentity", "Bearer", "ClientCredentials"] as const;
const unsupportedAuthTypes = ["SignedJwt", "ClientCertificate"];

const authType = leaf<(typeof supportedAuthTypes)[number]>(
  (raw) => {
    const isWord = (word: string) => typeof raw === "string" && word.toLowerCase() === raw.toLowerCase();
    const supported = supportedAuthTypes.find(isWord);
    if (supported !== undefined) return { value: supported };
    const unsupported = unsupportedAuthTypes.find(isWord);
    const choices = "None, ManagedIdentity, Bearer or ClientCredentials";
    return {
      expected: unsupported === undefined ? `must be ${choices}` : `${unsupported} is not supported; use ${choices}`,
    };
  },
  {
    type: supportedAuthTypes.map((word) => `\`${word}\``).join(", "),
    description: "How event requests authenticate beside their signature.",
  },
);

const handlerAuth = group(
  {
    type: authType.default("None"),
    managedIdentity: optional(
      group(
        { resource: optional(text({ description: "Audience of the token." })) },
        "`ManagedIdentity`; needs `auth.managedIdentity`.",
      ),
    ),
    ...tokenSourceFields,
  },
  "Authentication of event requests.",
);

const userEventPattern = (who: string) =>
  text({
    description: `User events ${who} receives: \`*\` for all, or names separated by commas; empty for none.`,
    allowEmpty: true,
  }).default("");

const eventHandler = group(
  {
    urlTemplate: checkedText(checkUrlTemplate, {
      type: "URL template",
      description:
        "Where events go: an absolute `http`, `https` or `tunnel:///` URL with `{hub}` and `{event}` in path or query. `{@Env(NAME)}` and `{@File(path)}` insert a secret.",
      insertsSecrets: true,
    }),
    whenNoTunnel: checkedText((raw) => (["fail", "next"].includes(raw) ? null : checkUrlTemplate(raw)), {
      type: "`fail`, `next` or URL template",
      description:
        "Of a `tunnel:///` handler, while its hub has no tunnel: its events fail, go on to the next handler, or go to this `http` or `https` URL.",
      insertsSecrets: true,
    }).default("fail"),
    userEventPattern: userEventPattern("the handler"),
    systemEvents: list(choice(["connect", "connected", "disconnected"], { description: "System event." }), {
      description: "System events the handler receives: `connect`, `connected`, `disconnected`.",
    }).default([]),
    auth: handlerAuth.prefault({}),
    groupPresenceEvents: group(
      {
        eventNames: list(choice(["joined", "left"], { description: "Presence event." }), {
          description: "Presence events sent: `joined`, `left`.",
        }).default([]),
        groupFilters: list(
          checkedText(
            (raw) => (parseGroupPattern(raw) === null ? "must be a pattern as in wildcard group roles" : null),
            {
              type: "group pattern",
              description: "Pattern as in wildcard group roles.",
            },
          ),
          { description: "Groups they are sent for; empty for all." },
        ).default([]),
      },
      "Changes of group membership.",
    ).prefault({}),
  },
  "One event handler.",
);

const eventListener = group(
  {
    filter: group(
      {
        type: choice(["EventName"], { description: "Kind of filter." }).default("EventName"),
        systemEvents: list(
          leaf<"connected" | "disconnected">(
            (raw) => {
              const lower = typeof raw === "string" ? raw.toLowerCase() : "";
              if (lower === "connected" || lower === "disconnected") return { value: lower };
              return {
                expected:
                  lower === "connect" ? "connect cannot be sent to a listener" : "must be connected or disconnected",
              };
            },
            { type: "`connected`, `disconnected`", description: "System event." },
          ),
          { description: "System events the listener receives; `connect` is not possible." },
        ).default([]),
        userEventPattern: userEventPattern("the listener"),
      },
      "Events the listener receives.",
    ),
    endpoint: group(
      {
        type: choice(["EventHub"], { description: "Kind of endpoint." }).default("EventHub"),
        fullyQualifiedNamespace: optional(text({ description: "Event Hubs namespace." })),
        eventHubName: text({ description: "Name of the event hub." }),
        connectionString: optional(secret({ description: "Connection string of the namespace." })),
        connectionStringFile: optional(secretFile("the connection string of the namespace")),
      },
      "Where the events go.",
    ),
  },
  "One event listener.",
);

/** ARM's `properties` of one hub, plus `allowedOrigins`. */
export const hubSchema = group(
  {
    anonymousConnectPolicy: choice(["deny", "allow"], {
      description: "Whether clients without a token may connect.",
    }).default("deny"),
    webSocketKeepAliveIntervalInSeconds: wholeNumber({
      description: "Interval of WebSocket pings.",
      unit: "seconds",
      min: 1,
      max: 120,
    }).default(20),
    allowedOrigins: list(
      checkedText(checkOrigin, { type: "origin", description: "`*` or an origin such as `https://app.example.com`." }),
      {
        description:
          "Origins of browser pages that may connect; requests without `Origin` are not concerned. Not in Azure, where any may.",
      },
    ).default(["*"]),
    eventHandlers: list(eventHandler, {
      description: "Event handlers in order: the first one that matches an event receives it.",
    }).default([]),
    eventListeners: list(eventListener, {
      description: "Event listeners: every one that matches an event receives it.",
    }).default([]),
  },
  "Settings of one hub.",
);

export type HubInput = z.output<typeof hubSchema>;

/** Names under which the default hub entry may stand; the second is that of an early emulator. */
export const defaultHubNames: readonly string[] = ["*", "_default"];

/** Settings by hub name; hub names compare ignoring case (M-20). */
export const hubsSchema = z
  .record(z.string(), hubSchema)
  .superRefine((hubs, context) => {
    const seen = new Map<string, string>();
    for (const name of Object.keys(hubs)) {
      const canonical = defaultHubNames.includes(name) ? "*" : parseHubName(name);
      if (canonical === null) {
        const message = "is not a hub name (a letter, then letters, digits and _ ` , . [ ], at most 128; no hyphen)";
        context.addIssue({ code: "custom", path: [name], message });
        continue;
      }
      const earlier = seen.get(canonical);
      if (earlier !== undefined)
        context.addIssue({ code: "custom", path: [name], message: `names the same hub as ${JSON.stringify(earlier)}` });
      seen.set(canonical, name);
    }
  })
  .meta({
    type: "object",
    description:
      'Settings of hubs by name. A hub needs no entry to work; `"*"` holds the settings of hubs without an entry of their own.',
  });
