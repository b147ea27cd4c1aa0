import type { GroupName, HubName } from "../core/names.ts";
import type { ConnectEvent, ConnectOutcome, EventSource, Upstream, UserEvent, UserEventOutcome } from "../core/ports.ts";
import { EventSender, eventFacts, type OutgoingEvent } from "./event-sender.ts";
import { EventSession } from "./event-session.ts";
import type { HubUpstreamSettings, UpstreamOptions, UpstreamSettings } from "./settings.ts";
import { readConnectResponse, refuseConnect } from "./webhooks/connect-response.ts";
import { createAuthenticator } from "./webhooks/handler-auth.ts";
import { payloadBody } from "./webhooks/headers.ts";
import { isSuccess } from "./webhooks/http-client.ts";
import { NotificationQueue } from "./webhooks/notifications.ts";
import { compileRoutes, type Handler, HubRoutes } from "./webhooks/routing.ts";
import { nextState } from "./webhooks/state.ts";
import { readUserEventResponse } from "./webhooks/user-event-response.ts";

/** The event handlers of all hubs, reached by webhooks. */
export interface WebhookUpstream extends Upstream {
  /** Later events see the new settings; events in flight finish with the handler, URL and limits they started with (E-11). */
  reload(settings: UpstreamSettings): void;
  /** Validates the handlers of these hubs in the background, so that a misconfiguration shows up before the first event. */
  warmUp(hubs: readonly HubName[]): void;
  /**
   * Takes no new events, waits until all requests are done or the deadline is over, then cuts what is left and closes the
   * sockets. Calling it again returns the same promise.
   */
  close(deadlineMs: number): Promise<void>;
  readonly stats: UpstreamStats;
}

export interface UpstreamStats {
  /** Blocking events under way. */
  readonly blocking: number;
  /** Notifications waiting or under way. */
  readonly notifications: number;
  readonly droppedNotifications: number;
}

const jsonContent = "application/json; charset=utf-8";
const noRoutes = new HubRoutes([]);
const acceptedUnchanged: ConnectOutcome = {
  kind: "accepted",
  userId: undefined,
  roles: undefined,
  groups: undefined,
  subprotocol: undefined,
};
const connectFailed: ConnectOutcome = { kind: "refused", status: 500, body: "" };
/** Ours: with all retries, a notification to a dead handler keeps its place for 9 s. */
const maxStartedNotifications = 256;
const overflowNewsMs = 60_000; // event-handlers 8.3

/**
 * Creates the upstream.
 *
 * Event ids are taken in call order, whether or not a handler matches; `connect` has id 0 and takes none (E-26). Handlers
 * with faulty settings fail what they match; check settings with `checkHubSettings` before they get here.
 */
export function createUpstream(options: UpstreamOptions): WebhookUpstream {
  return new Webhooks(options);
}

class Webhooks implements WebhookUpstream {
  readonly #options: UpstreamOptions;
  readonly #sender: EventSender;
  readonly #queues = new Map<HubName, NotificationQueue>();
  /** Cuts what is still under way at the end of `close`. */
  readonly #closing = new AbortController();
  #settings: UpstreamSettings;
  #routes = new WeakMap<HubUpstreamSettings, HubRoutes>();
  #blocking = 0;
  #dropped = 0;
  #overflowNewsAt = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#sender = new EventSender(options);
  }

  get stats(): UpstreamStats {
    let notifications = 0;
    for (const queue of this.#queues.values()) notifications += queue.size;
    return { blocking: this.#blocking, notifications, droppedNotifications: this.#dropped };
  }

  reload(settings: UpstreamSettings): void {
    this.#settings = settings;
    this.#routes = new WeakMap();
    this.#sender.reload(settings);
  }

  warmUp(hubs: readonly HubName[]): void {
    for (const hub of hubs) for (const handler of this.#routesOf(hub).all) this.#sender.warmUp(handler, hub);
  }

  wantsConnect(hub: HubName): boolean {
    return this.#routesOf(hub).connect !== null;
  }

  wantsPresence(hub: HubName): boolean {
    return this.#routesOf(hub).hasPresence;
  }

  async connect(source: EventSource, event: ConnectEvent, signal: AbortSignal): Promise<ConnectOutcome> {
    const handler = this.#routesOf(source.hub).connect;
    if (handler === null) return acceptedUnchanged;
    if (this.#closed !== null) return connectFailed;
    const session = EventSession.of(source);
    const outgoing: OutgoingEvent = {
      source,
      session,
      handler,
      kind: "sys",
      event: "connect",
      id: 0,
      timeMs: this.#options.clock.now(),
      connectionState: null, // never sent with `connect` (event-handlers 4.2)
      contentType: jsonContent,
      body: JSON.stringify({
        claims: event.claims,
        query: event.query,
        headers: event.headers,
        subprotocols: event.subprotocols,
        clientCertificates: event.clientCertificates,
      }),
      metadata: null,
      isBlocking: true,
      signal,
      onSent: null,
    };
    this.#blocking += 1;
    const reply = await this.#sender.send(outgoing);
    this.#blockingDone();
    if (reply.kind === "failed") return connectFailed;
    if (!isSuccess(reply.status)) return refuseConnect(reply, this.#settings.forwardConnectErrorBody);
    const outcome = readConnectResponse(reply.body);
    const state = nextState(null, reply.headers.connectionState);
    const problem = outcome === null ? "the body cannot be used" : state === undefined ? invalidState : null;
    this.#sender.report(outgoing, reply, problem);
    if (outcome === null || state === undefined) return connectFailed;
    session.connectionState = state;
    return outcome;
  }

  connected(source: EventSource): void {
    this.#notify(source, { kind: "sys", event: "connected", handler: this.#routesOf(source.hub).connected, body: "{}" });
  }

  disconnected(source: EventSource, reason: string): void {
    const handler = this.#routesOf(source.hub).disconnected;
    const body = handler === null ? "" : JSON.stringify({ reason });
    this.#notify(source, { kind: "sys", event: "disconnected", handler, body });
  }

  presence(source: EventSource, change: "joined" | "left", group: GroupName): void {
    const handler = this.#routesOf(source.hub).presence(change, group);
    const body = handler === null ? "" : JSON.stringify({ group });
    this.#notify(source, { kind: "gp", event: change, handler, body });
  }

  async userEvent(source: EventSource, event: UserEvent, signal: AbortSignal): Promise<UserEventOutcome> {
    const id = source.takeEventId();
    const handler = this.#routesOf(source.hub).user(event.event);
    if (handler === null) return { kind: "unhandled" };
    if (this.#closed !== null) return { kind: "failed" };
    const session = EventSession.of(source);
    const outgoing: OutgoingEvent = {
      source,
      session,
      handler,
      kind: "user",
      event: event.event,
      id,
      timeMs: this.#options.clock.now(),
      connectionState: session.connectionState,
      ...payloadBody(event.payload),
      metadata: event.metadata,
      isBlocking: true,
      signal,
      onSent: null,
    };
    this.#blocking += 1;
    session.lane.runningEvents += 1;
    const reply = await this.#sender.send(outgoing);
    session.lane.runningEvents -= 1;
    if (session.lane.runningEvents === 0) this.#queues.get(source.hub)?.eventsFinished(session.lane);
    this.#blockingDone();
    if (reply.kind === "failed" || !isSuccess(reply.status)) return { kind: "failed" };
    const outcome = readUserEventResponse(reply);
    const state = nextState(session.connectionState, reply.headers.connectionState);
    const problem = typeof outcome === "string" ? outcome : state === undefined ? invalidState : null;
    this.#sender.report(outgoing, reply, problem);
    if (typeof outcome === "string" || state === undefined) return { kind: "failed" };
    session.connectionState = state;
    return outcome;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#drain(deadlineMs).then(() => {
      for (const queue of this.#queues.values()) queue.clear();
      this.#closing.abort();
      this.#sender.close();
    });
    return this.#closed;
  }
}

const invalidState = "the connection state is not ASCII or longer than 8 KiB";
