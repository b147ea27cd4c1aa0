import * as z from "zod";
import { parseHubName } from "../core/names.ts";
import { parseGroupPattern } from "../core/pattern.ts";
import { checkedText, choice, group, list, wholeNumber } from "./fields.ts";
import { handlerAuth, userEventPattern } from "./schema-auth.ts";
import { eventListener } from "./schema-listeners.ts";
import { checkUrlTemplate } from "./url-template.ts";
import { checkOrigin } from "./urls.ts";

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
