import type { CancelSignal } from "../core/cancellation.ts";
import type { GroupName, HubName } from "../core/names.ts";
import type {
  ConnectEvent,
  ConnectOutcome,
  EventSource,
  Upstream,
  UserEvent,
  UserEventOutcome,
} from "../core/ports.ts";
import { EventSender, eventFacts, type OutgoingEvent } from "./event-sender.ts";
import { EventSession } from "./event-session.ts";
import type { HeardEvent } from "./listeners/audience.ts";
import { listenerBody } from "./listeners/event.ts";
import type { HubUpstreamSettings, UpstreamOptions, UpstreamSettings } from "./settings.ts";
import { readConnectResponse, refuseConnect } from "./webhooks/connect-response.ts";
import { createAuthenticator } from "./webhooks/handler-auth.ts";
import { type HandlerTest, type HandlerUnderTest, testHandler } from "./webhooks/handler-test.ts";
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
  /** Validates a handler, which need not be one of the hub's, for a person to look at; changes nothing for events. */
  test(subject: HandlerUnderTest): Promise<HandlerTest>;
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
const noRoutes = new HubRoutes([], () => false);
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
 * with faulty settings fail what they match; the configuration refuses such settings before they get here.
 */
export function createUpstream(options: UpstreamOptions): WebhookUpstream {
  return new Webhooks(options);
}

class Webhooks implements WebhookUpstream {
  readonly #options: UpstreamOptions;
  readonly #sender: EventSender;
  readonly #queues = new Map<HubName, NotificationQueue>();
  #settings: UpstreamSettings;
  #routes = new WeakMap<HubUpstreamSettings, HubRoutes>();
  #blocking = 0;
  #dropped = 0;
  #overflowNewsAt = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | null = null;
  #isCut = false;
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

  test(subject: HandlerUnderTest): Promise<HandlerTest> {
    const { clock, scheduler, resolveHost, tunnels } = this.#options;
    const hasTunnel = (hub: string): boolean => tunnels.hasTunnel(hub);
    return testHandler(subject, { clock, scheduler, resolveHost, settings: this.#settings, hasTunnel });
  }

  wantsConnect(hub: HubName): boolean {
    return this.#routesOf(hub).system("connect", hub) !== null;
  }

  wantsPresence(hub: HubName): boolean {
    return this.#routesOf(hub).hasPresence;
  }

  async connect(source: EventSource, event: ConnectEvent, signal: CancelSignal): Promise<ConnectOutcome> {
    const handler = this.#routesOf(source.hub).system("connect", source.hub);
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
      trace: null,
      exchange: this.#exchange(),
      isBlocking: true,
      signal,
      onSent: null,
    };
    this.#blocking += 1;
    const reply = await this.#sender.send(outgoing);
    this.#blocking -= 1;
    this.#checkIdle();
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
    this.#notify(source, {
      kind: "sys",
      event: "connected",
      handler: this.#routesOf(source.hub).system("connected", source.hub),
      body: "{}",
    });
  }

  disconnected(source: EventSource, reason: string): void {
    const handler = this.#routesOf(source.hub).system("disconnected", source.hub);
    this.#notify(source, { kind: "sys", event: "disconnected", handler, body: JSON.stringify({ reason }) });
  }

  presence(source: EventSource, change: "joined" | "left", group: GroupName): void {
    const handler = this.#routesOf(source.hub).presence(change, group, source.hub);
    const body = handler === null ? "" : JSON.stringify({ group });
    this.#notify(source, { kind: "gp", event: change, handler, body });
  }

  async userEvent(source: EventSource, event: UserEvent, signal: CancelSignal): Promise<UserEventOutcome> {
    const id = source.takeEventId();
    const { event: name, metadata } = event;
    const payload = () => listenerBody(event.payload);
    const isHeard = this.#tell(source, { kind: "user", event: name, id, metadata, payload });
    const handler = this.#routesOf(source.hub).user(name, source.hub);
    if (handler === null) return { kind: isHeard ? "heard" : "unhandled" };
    if (this.#closed !== null) return { kind: "failed" };
    const session = EventSession.of(source);
    this.#blocking += 1;
    session.lane.runningEvents += 1;
    const outcome = await this.#askHandler({
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
      trace: event.trace,
      exchange: this.#exchange(),
      isBlocking: true,
      signal,
      onSent: null,
    });
    session.lane.runningEvents -= 1;
    if (session.lane.runningEvents === 0) this.#queues.get(source.hub)?.eventsFinished(session.lane);
    this.#blocking -= 1;
    this.#checkIdle();
    return outcome;
  }

  async #askHandler(outgoing: OutgoingEvent): Promise<UserEventOutcome> {
    const { session } = outgoing;
    const reply = await this.#sender.send(outgoing);
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
      this.#isCut = true;
      for (const queue of this.#queues.values()) queue.clear();
      this.#sender.close();
    });
    return this.#closed;
  }

  async #drain(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.scheduler.after(deadlineMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
      this.#checkIdle();
    });
  }

  #checkIdle(): void {
    if (this.#onIdle !== null && this.#blocking === 0 && this.#queues.size === 0) this.#onIdle();
  }

  /** Where the sender leaves the headers of the request for the report of its answer. */
  #exchange(): OutgoingEvent["exchange"] {
    return this.#options.telemetry.wantsExchange() ? { requestHeaders: [] } : null;
  }

  #routesOf(hub: HubName): HubRoutes {
    const settings = this.#settings.hub(hub);
    if (settings === null) return noRoutes;
    const known = this.#routes.get(settings);
    if (known !== undefined) return known;
    const { clock, telemetry, tunnels } = this.#options;
    const { routes, problems } = compileRoutes(settings, {
      globEventPatterns: this.#settings.globEventPatterns,
      hasTunnel: (name) => tunnels.hasTunnel(name),
      createAuthenticator: ({ auth }) =>
        createAuthenticator(auth, {
          clock,
          fetchToken: async (tokenUrl, form) => await this.#sender.fetchToken(tokenUrl, form),
          failed: (reason) => {
            telemetry.log("warning", "EventHandlerTokenUnavailable", {
              message: `No token for an event handler: ${reason}.`,
              hub,
            });
          },
        }),
    });
    this.#routes.set(settings, routes);
    for (const { index, key, message } of problems) {
      const text = `Event handler ${index} of hub ${hub} cannot be used: ${key} ${message}.`;
      telemetry.log("error", "EventHandlerInvalid", { message: text, hub });
    }
    return routes;
  }

  #notify(source: EventSource, notice: Notice): void {
    const id = source.takeEventId();
    const { kind, event, handler, body } = notice;
    // Listeners know no presence events (event-handlers 1).
    if (kind === "sys") {
      const payload = () => ({ contentType: jsonContent, body });
      this.#tell(source, { kind, event, id, metadata: null, payload });
    }
    if (handler === null || this.#isCut) return;
    const session = EventSession.of(source);
    const queue = this.#queueOf(source.hub);
    const isLast = notice.event === "disconnected";
    const timeMs = this.#options.clock.now();
    const stateNow = session.connectionState;
    queue.add(session.lane, {
      waitsForEvents: isLast,
      start: (sent, done) => {
        const outgoing: OutgoingEvent = {
          source,
          session,
          handler,
          kind: notice.kind,
          event: notice.event,
          id,
          timeMs,
          connectionState: isLast ? session.connectionState : stateNow,
          contentType: jsonContent,
          body: notice.body,
          metadata: null,
          trace: null,
          exchange: this.#exchange(),
          isBlocking: false,
          signal: null, // goes on when the client is gone (E-48)
          onSent: null,
        };
        void this.#deliver(outgoing, sent).then(() => {
          done();
          this.#forget(source.hub, queue);
        });
      },
      dropped: () => {
        this.#overflow(source.hub, notice);
        this.#forget(source.hub, queue);
      },
    });
  }

  /** Tells the listeners; whether there was one (E-83, E-85). */
  #tell(source: EventSource, event: Omit<HeardEvent, "timeMs" | "connectionState">): boolean {
    const { listeners, clock } = this.#options;
    if (listeners === undefined) return false;
    const { upstreamSession: session } = source;
    const connectionState = session instanceof EventSession ? session.connectionState : null;
    return listeners.tell(source, { ...event, timeMs: clock.now(), connectionState });
  }

  async #deliver(outgoing: OutgoingEvent, sent: () => void): Promise<void> {
    let isSent = false;
    const sentOnce = () => {
      if (!isSent) sent();
      isSent = true;
    };
    const reply = await this.#sender.send({ ...outgoing, onSent: sentOnce });
    sentOnce(); // nothing was sent at all
    if (reply.kind === "reply" && isSuccess(reply.status)) this.#sender.report(outgoing, reply, null);
    else {
      // Its attempts are logged already.
      const facts = eventFacts(outgoing.source.hub, outgoing);
      this.#options.telemetry.notificationDropped(facts, "the event handler did not take it", false);
    }
  }

  #overflow(hub: HubName, notice: Notice): void {
    this.#dropped += 1;
    const now = this.#options.clock.now();
    const isNews = now - this.#overflowNewsAt >= overflowNewsMs;
    if (isNews) this.#overflowNewsAt = now;
    const reason = this.#isCut ? "the service stopped" : "too many notifications are waiting";
    this.#options.telemetry.notificationDropped(eventFacts(hub, notice), reason, isNews);
  }

  #queueOf(hub: HubName): NotificationQueue {
    let queue = this.#queues.get(hub);
    if (queue === undefined) {
      queue = new NotificationQueue({
        maxWaiting: this.#settings.notificationQueue,
        maxStarted: maxStartedNotifications,
      });
      this.#queues.set(hub, queue);
    }
    return queue;
  }

  /** Hub names come from clients: a queue is kept only while it holds something. */
  #forget(hub: HubName, queue: NotificationQueue): void {
    if (queue.size === 0 && this.#queues.get(hub) === queue) this.#queues.delete(hub);
    this.#checkIdle();
  }
}

interface Notice {
  readonly kind: "sys" | "gp";
  readonly event: "connected" | "disconnected" | "joined" | "left";
  readonly handler: Handler | null;
  readonly body: string;
}

const invalidState = "the connection state is not ASCII or longer than 8 KiB";
