import { type GroupPattern, parseGroupPattern } from "../../core/pattern.ts";
import type { EventHandlerSettings, HandlerTls, HubUpstreamSettings } from "../settings.ts";
import { type EventPattern, parseEventPattern } from "./event-pattern.ts";
import type { Authenticator } from "./handler-auth.ts";
import { parseUrlTemplate, type UrlTemplate } from "./url-template.ts";

/** One event handler, ready to be called. */
export interface Handler {
  readonly whenNoTunnel: NoTunnelRule;
  /** Null: the handler cannot be used and every event that matches it fails. */
  readonly template: UrlTemplate | null;
  /** Null: requests carry no `Authorization`. */
  readonly authenticator: Authenticator | null;
  readonly tls: HandlerTls | null;
}

/** What becomes of an event of a tunnel handler while its hub has no tunnel: it fails, goes on, or takes this handler. */
type NoTunnelRule = "fail" | "next" | Handler;

/** Whether an application is connected by tunnel. */
export type HasTunnel = (hub: string) => boolean;

interface Route {
  readonly handler: Handler;
  readonly userEvents: EventPattern | null;
  readonly systemEvents: ReadonlySet<string>;
  readonly presenceEvents: ReadonlySet<string>;
  /** Empty: all groups. */
  readonly groupFilters: readonly Pick<GroupPattern, "matches">[];
}

/** The handlers of one settings object. Immutable; each event is routed on its own, the first match wins (E-7, E-8). */
export class HubRoutes {
  readonly hasPresence: boolean;
  readonly #routes: readonly Route[];
  readonly #hasTunnel: HasTunnel;

  constructor(routes: readonly Route[], hasTunnel: HasTunnel) {
    this.#routes = routes;
    this.#hasTunnel = hasTunnel;
    this.hasPresence = routes.some((route) => route.presenceEvents.size > 0);
  }

  get all(): readonly Handler[] {
    return this.#routes.flatMap(({ handler }) =>
      typeof handler.whenNoTunnel === "string" ? [handler] : [handler, handler.whenNoTunnel],
    );
  }

  system(event: "connect" | "connected" | "disconnected", hub: string): Handler | null {
    return this.#first((route) => route.systemEvents.has(event), hub);
  }

  /** A user event named like a system event is a user event still (E-9). */
  user(event: string, hub: string): Handler | null {
    return this.#first(({ userEvents }) => userEvents?.matches(event) === true, hub);
  }

  presence(change: "joined" | "left", group: string, hub: string): Handler | null {
    const wants = ({ presenceEvents, groupFilters }: Route) =>
      presenceEvents.has(change) && (groupFilters.length === 0 || groupFilters.some((filter) => filter.matches(group)));
    return this.#first(wants, hub);
  }

  /** A tunnel handler hands an event on only while its hub has no tunnel, and only where it is told to (T-35). */
  #first(wants: (route: Route) => boolean, hub: string): Handler | null {
    for (const route of this.#routes) {
      if (!wants(route)) continue;
      const { whenNoTunnel } = route.handler;
      if (whenNoTunnel === "fail" || this.#hasTunnel(hub)) return route.handler;
      if (whenNoTunnel !== "next") return whenNoTunnel;
    }
    return null;
  }
}

/** What is wrong with a handler's settings. */
export interface SettingsProblem {
  /** Place in `eventHandlers`. */
  readonly index: number;
  readonly key: "urlTemplate" | "whenNoTunnel" | "userEventPattern" | "groupPresenceEvents.groupFilters";
  /** Completes "<key> …"; holds no secret. */
  readonly message: string;
}

interface CompileOptions {
  readonly globEventPatterns: boolean;
  readonly hasTunnel: HasTunnel;
  createAuthenticator(settings: EventHandlerSettings): Authenticator | null;
}

/**
 * Compiles a hub's handlers. A handler with a problem keeps its place and fails what it matches: leaving it out would hand
 * its events to a handler they were not meant for.
 */
export function compileRoutes(
  settings: HubUpstreamSettings,
  options: CompileOptions,
): { readonly routes: HubRoutes; readonly problems: readonly SettingsProblem[] } {
  const problems: SettingsProblem[] = [];
  const routes = settings.eventHandlers.map((entry, index): Route => {
    const usable = <T extends object>(key: SettingsProblem["key"], parsed: T | string | null): T | null => {
      if (parsed !== null && typeof parsed !== "string") return parsed;
      problems.push({ index, key, message: parsed ?? "has an invalid pattern" });
      return null;
    };
    const { eventNames, groupFilters } = entry.groupPresenceEvents;
    const shared = { authenticator: options.createAuthenticator(entry), tls: entry.tls ?? null };
    const template = usable("urlTemplate", parseUrlTemplate(entry.urlTemplate));
    const { whenNoTunnel = "fail" } = entry;
    const rule = (): NoTunnelRule => {
      if (template?.origin !== null) return "fail"; // not about tunnels
      if (whenNoTunnel === "fail" || whenNoTunnel === "next") return whenNoTunnel;
      return { template: usable("whenNoTunnel", parseUrlTemplate(whenNoTunnel)), ...shared, whenNoTunnel: "fail" };
    };
    return {
      handler: { template, ...shared, whenNoTunnel: rule() },
      userEvents: usable("userEventPattern", parseEventPattern(entry.userEventPattern, options.globEventPatterns)),
      systemEvents: new Set(entry.systemEvents),
      presenceEvents: new Set(eventNames),
      groupFilters: groupFilters.map(
        (filter) => usable("groupPresenceEvents.groupFilters", parseGroupPattern(filter)) ?? neverMatches,
      ),
    };
  });
  return { routes: new HubRoutes(routes, options.hasTunnel), problems };
}

/** Stands for an invalid filter: an empty list would mean all groups. */
const neverMatches: Pick<GroupPattern, "matches"> = { matches: () => false };
