import { parseConnectionId, parseEventName, parseGroupName, parseHubName, parseUserId } from "../../src/core/names.ts";
import type { Payload } from "../../src/core/payload.ts";
import type { ConnectEvent, EventSource, LogFields, UserEvent, UserEventOutcome } from "../../src/core/ports.ts";
import {
  defaultUpstreamSettings,
  type EventHandlerSettings,
  type ResolveHost,
  type Signer,
  type UpstreamSettings,
  type WebhookReport,
} from "../../src/upstream/settings.ts";
import { Tunnels, type TunnelsOptions } from "../../src/upstream/tunnel/tunnels.ts";
import { createUpstream, type WebhookUpstream } from "../../src/upstream/upstream.ts";
import { FakeTime } from "./fake-time.ts";
import { freshName } from "./names.ts";

/** Retry delays of the harness, different from every other time in use so that a test can elapse exactly them. */
export const retryDelaysMs = [11, 33, 55];

/** An event handler for all events at a URL template. */
export function handlerAt(urlTemplate: string, settings: Partial<EventHandlerSettings> = {}): EventHandlerSettings {
  return {
    urlTemplate,
    userEventPattern: "*",
    systemEvents: ["connect", "connected", "disconnected"],
    auth: { type: "None" },
    groupPresenceEvents: { eventNames: [], groupFilters: [] },
    ...settings,
  };
}

/** A connection as the upstream sees it, with an event counter of its own. */
export interface TestSource extends EventSource {
  userId: EventSource["userId"];
  subprotocol: EventSource["subprotocol"];
}

export interface UpstreamHarness {
  readonly upstream: WebhookUpstream;
  readonly time: FakeTime;
  readonly tunnels: Tunnels;
  readonly reports: WebhookReport[];
  readonly logs: { readonly event: string; readonly fields: LogFields }[];
  readonly dropped: { readonly event: string; readonly isNews: boolean }[];
  settings: UpstreamSettings;
  signer: Signer;
  readonly source: (facts?: {
    readonly hub?: string;
    readonly userId?: string;
    readonly subprotocol?: string | null;
  }) => TestSource;
  /** Sends a user event and waits for its outcome. */
  readonly send: (source: EventSource, payload: Payload, event?: Partial<UserEvent>) => Promise<UserEventOutcome>;
}

interface HarnessSettings extends Partial<UpstreamSettings> {
  readonly handlers: readonly EventHandlerSettings[];
  /** What tunnels do not take from the harness. */
  readonly tunnel?: Partial<Pick<TunnelsOptions, "rest" | "limits">>;
  readonly resolveHost?: ResolveHost;
}

/** A `connect` event of a client that tells nothing about itself. */
export const emptyConnect: ConnectEvent = {
  claims: {},
  query: {},
  headers: {},
  subprotocols: [],
  clientCertificates: [],
};

export const neverAborted: AbortSignal = new AbortController().signal;

/** An upstream whose hubs all have these handlers; time stands still unless the test moves it. */
export function createHarness({ handlers, resolveHost, tunnel, ...rest }: HarnessSettings): UpstreamHarness {
  const hubSettings = { eventHandlers: handlers };
  const time = new FakeTime();
  const logs: { event: string; fields: LogFields }[] = [];
  const tunnels = new Tunnels({
    clock: time,
    scheduler: time,
    telemetry: {
      log: (_level, event, fields) => void logs.push({ event, fields }),
      serverConnectionOpened: ({ id }) => void logs.push({ event: "opened", fields: { message: id } }),
      serverConnectionEnded: ({ id }, code) => void logs.push({ event: "ended", fields: { message: id, code } }),
    },
    rest: () => new Response(null, { status: 404 }),
    limits: () => ({ socketsPerHub: 128, socketsPerServer: 16, requestsPerSocket: 256 }),
    ...tunnel,
  });
  const harness = {
    time,
    reports: [] as WebhookReport[],
    logs,
    tunnels,
    dropped: [] as { event: string; isNews: boolean }[],
    settings: { ...defaultUpstreamSettings, retryDelaysMs, hub: () => hubSettings, ...rest },
    signer: (id: string): string | null => `sha256=${id}`,
  };
  const upstream = createUpstream({
    settings: harness.settings,
    clock: time,
    scheduler: time,
    telemetry: {
      log: (_level, event, fields) => void harness.logs.push({ event, fields }),
      webhook: (report) => void harness.reports.push(report),
      wantsExchange: () => false,
      notificationDropped: ({ event }, _reason, isNews) => void harness.dropped.push({ event, isNews }),
    },
    version: "9.9.9",
    tunnels: harness.tunnels,
    signer: () => harness.signer,
    resolveHost,
  });
  return Object.assign(harness, {
    upstream,
    source: ({
      hub = freshName("hub"),
      userId = "ann",
      subprotocol = "json.webpubsub.azure.v1" as string | null,
    } = {}) => {
      let nextId = 1;
      return {
        hub: known(parseHubName(hub)),
        id: known(parseConnectionId(freshName("c"))),
        userId: parseUserId(userId),
        subprotocol,
        requestHost: "dialled.example.com",
        takeEventId: () => nextId++,
        upstreamSession: null,
      };
    },
    send: async (source: EventSource, payload: Payload, event: Partial<UserEvent> = {}) =>
      await upstream.userEvent(
        source,
        { event: eventName("chat"), payload, metadata: null, trace: null, ...event },
        neverAborted,
      ),
  });
}

export function eventName(name: string): UserEvent["event"] {
  return known(parseEventName(name));
}

export function groupName(name: string): NonNullable<ReturnType<typeof parseGroupName>> {
  return known(parseGroupName(name));
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error("the test uses an invalid name");
  return value;
}
