import { type GroupPattern, parseGroupPattern } from "../../core/pattern.ts";
import type { EventHandlerSettings, HandlerTls, HubUpstreamSettings } from "../settings.ts";
import { type EventPattern, parseEventPattern } from "./event-pattern.ts";
import type { Authenticator } from "./handler-auth.ts";
import { parseUrlTemplate, type UrlTemplate } from "./url-template.ts";

/** One event handler, ready to be called. */
export interface Handler {
  /** Null: the handler cannot be used and every event that matches it fails. */
  readonly template: UrlTemplate | null;
  /** Null: requests carry no `Authorization`. */
  readonly authenticator: Authenticator | null;
  readonly tls: HandlerTls | null;
}

interface Route {
  readonly handler: Handler;
  readonly userEvents: EventPattern | null;
  readonly systemEvents: ReadonlySet<string>;
  readonly presenceEvents: ReadonlySet<string>;
  /** Empty: all groups. */
  readonly groupFilters: readonly GroupPattern[];
}

/** The handlers of one settings object. Immutable; each event is routed on its own, the first match wins (E-7, E-8). */
export class HubRoutes {
  readonly connect: Handler | null;
  readonly connected: Handler | null;
  readonly disconnected: Handler | null;
  readonly hasPresence: boolean;
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes;
    const system = (event: string) => routes.find((route) => route.systemEvents.has(event))?.handler ?? null;
    this.connect = system("connect");
    this.connected = system("connected");
    this.disconnected = system("disconnected");
    this.hasPresence = routes.some((route) => route.presenceEvents.size > 0);
  }

  get all(): readonly Handler[] {
    return this.#routes.map((route) => route.handler);
  }

  /** A user event named like a system event is a user event still (E-9). */
  user(event: string): Handler | null {
    for (const route of this.#routes) if (route.userEvents?.matches(event) === true) return route.handler;
    return null;
  }

  presence(change: "joined" | "left", group: string): Handler | null {
    const wants = ({ presenceEvents, groupFilters }: Route) =>
      presenceEvents.has(change) && (groupFilters.length === 0 || groupFilters.some((filter) => filter.matches(group)));
    return this.#routes.find(wants)?.handler ?? null;
  }
}

/** What is wrong with a handler's settings. */
export interface SettingsProblem {
  /** Place in `eventHandlers`. */
  readonly index: number;
  readonly key: "urlTemplate" | "userEventPattern" | "groupPresenceEvents.groupFilters";
  /** Completes "<key> …"; holds no secret. */
  readonly message: string;
}

interface CompileOptions {
  readonly globEventPatterns: boolean;
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
    return {
      handler: {
        template: usable("urlTemplate", parseUrlTemplate(entry.urlTemplate)),
        authenticator: options.createAuthenticator(entry),
        tls: entry.tls ?? null,
      },
      userEvents: usable("userEventPattern", parseEventPattern(entry.userEventPattern, options.globEventPatterns)),
      systemEvents: new Set(entry.systemEvents),
      presenceEvents: new Set(eventNames),
      groupFilters: groupFilters.map(
        (filter) => usable("groupPresenceEvents.groupFilters", parseGroupPattern(filter)) ?? neverMatches,
      ),
    };
  });
  return { routes: new HubRoutes(routes), problems };
}

/** Stands for an invalid filter: an empty list would mean all groups. */
const neverMatches: GroupPattern = { matches: () => false };
