import type * as z from "zod";
import { parseIpRange } from "../core/ip-address.ts";
import { requestTypes } from "../core/network-access.ts";
import { choice, flag, group, leaf, list, optional, text, wholeNumber } from "./fields.ts";

const maxIpRules = 30;

const typeList = (what: string) =>
  list(choice(requestTypes, { description: "Request type." }), { description: `Request types ${what}.` }).default([]);

const typeRules = (whose: string) => ({
  allow: typeList(`let through for ${whose}`),
  deny: typeList(`refused for ${whose}; wins over \`allow\``),
});

const ipRule = group(
  {
    value: leaf(
      (raw) => {
        const range = typeof raw === "string" ? parseIpRange(raw) : null;
        return range === null
          ? { expected: "must be an IP address or a range such as 203.0.113.0/24 (service tags are not supported)" }
          : { value: range };
      },
      { type: "IP address or range", description: "Addresses the rule is for, IPv4 or IPv6." },
    ),
    action: choice(["Allow", "Deny"], { description: "What happens to requests from them." }),
  },
  "One rule.",
);

const networkAcls = group(
  {
    defaultAction: choice(["Allow", "Deny"], { description: "Decision where no rule gives one." }).default("Allow"),
    publicNetwork: group(
      typeRules("public traffic"),
      "Request types of public traffic: `ClientConnection` (WebSocket clients), `ServerConnection`, `RESTAPI`, `Trace`.",
    ).prefault({}),
    privateEndpoints: list(
      group(
        {
          name: text({ description: "Name of a listener, see `service.listen[].name`." }),
          ...typeRules("this listener"),
        },
        "Rules of one listener.",
      ),
      { description: "Rules of named listeners; they replace the public rules there." },
    ).default([]),
    ipRules: list(ipRule, {
      description: "Address rules of public traffic; the first match decides.",
      max: maxIpRules,
    }).default([]),
  },
  "Who may connect; refused requests get 403 before authentication. Health checks always pass.",
);

const logCategories = (description: string) =>
  list(
    group(
      {
        name: choice(["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"], { description: "Log category." }),
        enabled: flag({ description: "Whether the category is written." }).default(true),
      },
      "One category.",
    ),
    { description },
  ).default([]);

const countRule = group(
  {
    type: choice(["ThrottleByUserIdRule", "ThrottleByJwtSignatureRule"], {
      description: "What connections are counted by.",
    }),
    maxCount: wholeNumber({
      description: "Concurrent connections of one user or token; one more is refused with 429.",
      min: 1,
      max: 2_147_483_647,
    }),
  },
  "One rule.",
);

const trafficRule = group(
  {
    type: choice(["TrafficThrottleByUserIdRule", "TrafficThrottleByJwtSignatureRule"], {
      description: "What traffic is summed by.",
    }),
    aggregationWindowInSeconds: wholeNumber({
      description: "Length of the window.",
      unit: "seconds",
      min: 1,
      max: 86_400,
    }),
    maxInboundMessageBytes: wholeNumber({
      description: "Inbound message bytes per window; more closes the connection.",
      unit: "bytes",
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
    }),
  },
  "One rule.",
);

/** Read-only properties of an exported resource: accepted so that it can be pasted, and without effect. */
const exported = optional(
  leaf<unknown>((raw) => ({ value: raw }), {
    type: "anything",
    description: "Read-only property of an exported resource; accepted and ignored.",
  }),
);

/** ARM's `properties` of a resource, names and values as there. */
export const propertiesSchema = group(
  {
    disableLocalAuth: flag({ description: "Refuse everything applications sign with an access key." }).default(false),
    disableAadAuth: flag({ description: "Refuse OIDC (Entra) tokens." }).default(false),
    tls: group(
      {
        clientCertEnabled: flag({
          description: "Ask WebSocket clients for a certificate; its thumbprint goes to the `connect` handler.",
          takesEffect: "restart",
        }).default(false),
      },
      "Client certificates.",
    ).prefault({}),
    publicNetworkAccess: choice(["Enabled", "Disabled"], {
      description: "`Disabled` refuses all public traffic whatever the rules say.",
    }).default("Enabled"),
    networkACLs: networkAcls.prefault({}),
    liveTraceConfiguration: group(
      {
        enabled: flag({ description: "Whether live trace may be used; switching it off closes the views." }).default(
          false,
        ),
        categories: logCategories("Categories that are shown; empty for all."),
      },
      "Live trace at `/livetrace`, for the official trace views and `tidewire trace`. Nothing is computed while nobody watches.",
    ).prefault({}),
    resourceLogConfiguration: group(
      { categories: logCategories("Categories that are written.") },
      "Resource logs.",
    ).prefault({}),
    applicationFirewall: group(
      {
        clientConnectionCountRules: list(countRule, {
          description: "Rules on concurrent connections, checked in order.",
        }).default([]),
        clientTrafficControlRules: list(trafficRule, {
          description: "Rules on inbound traffic, checked in order.",
        }).default([]),
      },
      "Application firewall; concerns client connections after authentication.",
    ).prefault({}),
    socketIO: group(
      { serviceMode: choice(["Default", "Serverless"], { description: "Socket.IO mode." }).default("Default") },
      "Socket.IO.",
    ).prefault({}),
    regionEndpointEnabled: choice(["Enabled", "Disabled"], {
      description: "`Disabled` drains this node: health answers 503, existing connections stay.",
    }).default("Enabled"),
    resourceStopped: flag({ description: "Answer 503 to everything except health." }).default(false),
    provisioningState: exported,
    externalIP: exported,
    hostName: exported,
    hostNamePrefix: exported,
    publicPort: exported,
    serverPort: exported,
    version: exported,
    privateEndpointConnections: exported,
    sharedPrivateLinkResources: exported,
  },
  "ARM's `properties` of the resource; those of an exported resource can be pasted.",
).prefault({});

export type PropertiesSettings = z.output<typeof propertiesSchema>;
