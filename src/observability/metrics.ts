import type { CloseCategory } from "../core/endings.ts";
import type { Clock, Scheduler } from "../core/ports.ts";
import { expositionContentType, formatExposition, Histogram, type MetricFamily, type Sample } from "./exposition.ts";
import type { ProcessUsage } from "./process-usage.ts";

export type ClientType = "WebPubSub" | "MQTT" | "SocketIO";

/** What a REST request was about (management 15, RestApiCategory). */
export type RestCategory =
  | "SendToAll"
  | "SendToConnection"
  | "SendToGroup"
  | "SendToUser"
  | "CheckConnectionExists"
  | "CheckGroupExists"
  | "CheckUserExists"
  | "CheckUserExistsInGroup"
  | "AddConnectionToGroup"
  | "AddConnectionsToGroups"
  | "AddUserToGroup"
  | "RemoveConnectionFromGroup"
  | "RemoveConnectionFromAllGroups"
  | "RemoveConnectionsFromGroups"
  | "RemoveUserFromGroup"
  | "RemoveUserFromAllGroups"
  | "CloseConnection"
  | "CloseClientConnection"
  | "CloseAllConnections"
  | "CloseGroupConnections"
  | "CloseUserConnections"
  | "ListConnectionsInGroup"
  | "CheckPermission"
  | "GrantPermission"
  | "RevokePermission"
  | "GenerateClientToken"
  | "HealthCheck"
  | "Invoke"
  | "Execute"
  | "GetAccessKey"
  | "Uncategorized";

/** How one request to an event handler went. `unexpectedStatus`: an answer, but not one that counts as success. */
export type WebhookOutcome =
  | "succeeded"
  | "unexpectedStatus"
  | "invalidResponse"
  | "timedOut"
  | "unreachable"
  | "aborted";

export interface MetricsOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly readProcessUsage: () => ProcessUsage;
  /** The connection quota in force; 0: unlimited. */
  readonly maxConnections: () => number;
  /** Reliable connections without a socket, and what is kept for all reliable ones until they confirm it. */
  readonly reliableState: () => { readonly detached: number; readonly messages: number; readonly bytes: number };
  /** Events waiting for event listeners. */
  readonly listenerQueues: () => { readonly events: number; readonly bytes: number };
  /** Log lines left out so far; see `Logger.suppressedLines`. */
  readonly suppressedLogLines: () => number;
  /** Lines that live trace views did not get so far. */
  readonly droppedTraceLines: () => number;
}

/**
 * Counts what the service does. Counting is plain addition; names, labels and text exist only while somebody reads.
 * Counters start at zero with the process and never decrease.
 * @spec M-45 M-54 M-55
 */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #hubs = new Map<string, HubCounts>();
  readonly #closed: Record<CloseCategory, number> = {
    Normal: 0,
    Throttled: 0,
    SendEventFailed: 0,
    EventHandlerNotFound: 0,
    SlowClient: 0,
    ServiceTransientError: 0,
    BadRequest: 0,
    ServiceReload: 0,
    ClosedByAppServer: 0,
    PingTimeout: 0,
  };
  readonly #handshakes: Record<ClientType, Map<number, number>> = {
    WebPubSub: new Map(),
    MQTT: new Map(),
    SocketIO: new Map(),
  };
  readonly #rest = new Map<RestCategory, Histogram>();
  readonly #webhooks: Record<WebhookOutcome, number> = {
    succeeded: 0,
    unexpectedStatus: 0,
    invalidResponse: 0,
    timedOut: 0,
    unreachable: 0,
    aborted: 0,
  };
  readonly #webhookSeconds = new Histogram(webhookBounds);
  readonly #lagSeconds = new Histogram(lagBounds);
  readonly #stopLag: () => void;
  #connections = 0;
  #inboundMessages = 0;
  #inboundBytes = 0;
  #outboundBytes = 0;
  #billedMessages = 0;
  #droppedNotifications = 0;
  readonly #listeners = new Map<string, { sent: number; failed: number; dropped: number }>();
  #loadSince: { readonly at: number; readonly cpuSeconds: number };
  #loadPercent = 0;

  /** Starts watching the event loop with one timer; `stop` ends it. */
  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#loadSince = { at: options.clock.now(), cpuSeconds: options.readProcessUsage().cpuSeconds };
    let expected = options.clock.now() + lagIntervalMs;
    this.#stopLag = options.scheduler.every(lagIntervalMs, () => {
      const now = options.clock.now();
      this.#lagSeconds.observe(Math.max(0, now - expected) / 1000);
      expected = now + lagIntervalMs;
    });
  }

  connectionOpened(hub: string): void {
    const counts = this.#countsOf(hub);
    counts.open += 1;
    counts.opened += 1;
    this.#connections += 1;
  }

  connectionClosed(hub: string, category: CloseCategory): void {
    this.#countsOf(hub).open -= 1;
    this.#connections -= 1;
    this.#closed[category] += 1;
  }

  serverConnectionOpened(hub: string): void {
    const counts = this.#countsOf(hub);
    counts.openServers += 1;
    counts.openedServers += 1;
  }

  serverConnectionClosed(hub: string): void {
    this.#countsOf(hub).openServers -= 1;
  }

  handshake(status: number, clientType: ClientType): void {
    const counts = this.#handshakes[clientType];
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }

  /** One message of a client arrived. */
  inbound(bytes: number): void {
    this.#inboundMessages += 1;
    this.#inboundBytes += bytes;
  }

  outbound(bytes: number, messages: number): void {
    this.#outboundBytes += bytes;
    this.#billedMessages += messages;
  }

  rest(category: RestCategory, durationMs: number): void {
    let histogram = this.#rest.get(category);
    if (histogram === undefined) {
      histogram = new Histogram(restBounds);
      this.#rest.set(category, histogram);
    }
    histogram.observe(durationMs / 1000);
  }

  webhook(outcome: WebhookOutcome, durationMs: number): void {
    this.#webhooks[outcome] += 1;
    this.#webhookSeconds.observe(durationMs / 1000);
  }

  notificationDropped(): void {
    this.#droppedNotifications += 1;
  }

  /** `type` is a kind of endpoint; there are few. */
  listener(type: string, outcome: "sent" | "failed" | "dropped", events: number): void {
    const counts = this.#listeners.get(type) ?? { sent: 0, failed: 0, dropped: 0 };
    counts[outcome] += events;
    this.#listeners.set(type, counts);
  }

  /** Returns everything counted so far in the Prometheus text format. */
  render(): string {
    const usage = this.#options.readProcessUsage();
    return formatExposition([
      ...this.#trafficFamilies(usage),
      ...this.#requestFamilies(),
      ...this.#processFamilies(usage),
    ]);
  }

  /** Answers a scrape of `/metrics`. */
  response(): Response {
    return new Response(this.render(), {
      headers: { "content-type": expositionContentType, "cache-control": "no-store" },
    });
  }

  /** Stops watching the event loop. Counting and reading go on; harmless when repeated. */
  stop(): void {
    this.#stopLag();
  }

  #trafficFamilies(usage: ProcessUsage): readonly MetricFamily[] {
    const hubs = [...this.#hubs];
    const quota = this.#options.maxConnections();
    const reliable = this.#options.reliableState();
    return [
      gauge(
        "webpubsub_total_connection_count",
        "Open connections.",
        hubs.map(([hub, { open }]) => ({ labels: { hub }, value: open })),
      ),
      counter(
        "webpubsub_connection_open_total",
        "Connections opened.",
        hubs.map(([hub, { opened }]) => ({ labels: { hub }, value: opened })),
      ),
      gauge(
        "webpubsub_server_connection_count",
        "Open connections of application servers (tunnels).",
        hubs.map(([hub, { openServers }]) => ({ labels: { hub }, value: openServers })),
      ),
      counter(
        "webpubsub_server_connection_open_total",
        "Connections of application servers opened.",
        hubs.map(([hub, { openedServers }]) => ({ labels: { hub }, value: openedServers })),
      ),
      counter("webpubsub_connection_close_total", "Connections closed, by cause.", byLabel("category", this.#closed)),
      gauge(
        "webpubsub_connection_quota_utilization_percent",
        "Open connections in percent of the quota; 0 without a quota.",
        single(quota > 0 ? (100 * this.#connections) / quota : 0),
      ),
      gauge("webpubsub_detached_connection_count", "Reliable connections without a socket.", single(reliable.detached)),
      gauge(
        "webpubsub_replay_messages",
        "Messages kept until reliable clients confirm them.",
        single(reliable.messages),
      ),
      gauge("webpubsub_replay_bytes", "Size of these messages, each counted per client.", single(reliable.bytes)),
      counter("webpubsub_inbound_traffic_bytes_total", "Bytes received from clients.", single(this.#inboundBytes)),
      counter(
        "webpubsub_outbound_traffic_bytes_total",
        "Bytes sent to clients and event handlers.",
        single(this.#outboundBytes),
      ),
      counter("webpubsub_inbound_messages_total", "Messages received from clients.", single(this.#inboundMessages)),
      counter(
        "webpubsub_outbound_messages_total",
        "Outbound messages, one per started 2 KiB.",
        single(this.#billedMessages),
      ),
      gauge(
        "webpubsub_server_load_percent",
        "CPU use since the last reading; 100 is one busy core.",
        single(this.#load(usage)),
      ),
    ];
  }

  #requestFamilies(): readonly MetricFamily[] {
    const rest = [...this.#rest].flatMap(([category, histogram]) => histogram.samples({ category }));
    const handshakes = Object.entries(this.#handshakes).flatMap(([clientType, counts]) => {
      return Array.from(counts, ([status, value]) => ({
        labels: { client_type: clientType, status: String(status) },
        value,
      }));
    });
    return [
      {
        name: "webpubsub_rest_api_response_seconds",
        help: "REST response time, by category.",
        type: "histogram",
        samples: rest,
      },
      counter("webpubsub_client_request_total", "Client handshakes, by answer.", handshakes),
      counter(
        "webpubsub_event_handler_requests_total",
        "Requests to event handlers, by outcome.",
        byLabel("outcome", this.#webhooks),
      ),
      {
        name: "webpubsub_event_handler_response_seconds",
        help: "Duration of requests to event handlers.",
        type: "histogram",
        samples: this.#webhookSeconds.samples(),
      },
      counter(
        "webpubsub_notifications_dropped_total",
        "Event notifications given up.",
        single(this.#droppedNotifications),
      ),
      ...this.#listenerFamilies(),
      counter(
        "webpubsub_log_lines_suppressed_total",
        "Log lines left out by rate limiting.",
        single(this.#options.suppressedLogLines()),
      ),
      counter(
        "webpubsub_live_trace_lines_dropped_total",
        "Lines that live trace views did not get, counted per view.",
        single(this.#options.droppedTraceLines()),
      ),
    ];
  }

  #listenerFamilies(): readonly MetricFamily[] {
    const { events, bytes } = this.#options.listenerQueues();
    const of = (outcome: "sent" | "failed" | "dropped"): readonly Sample[] =>
      Array.from(this.#listeners, ([type, counts]) => ({ labels: { type }, value: counts[outcome] }));
    return [
      counter("webpubsub_listener_sent_total", "Events that event listeners took, by kind of endpoint.", of("sent")),
      counter("webpubsub_listener_failed_total", "Events that they did not take, or maybe not.", of("failed")),
      counter("webpubsub_listener_dropped_total", "Events dropped before they were sent.", of("dropped")),
      gauge("webpubsub_listener_queue_events", "Events waiting for event listeners.", single(events)),
      gauge("webpubsub_listener_queue_bytes", "Size of these events.", single(bytes)),
    ];
  }

  #processFamilies(usage: ProcessUsage): readonly MetricFamily[] {
    return [
      gauge("process_resident_memory_bytes", "Resident memory size in bytes.", single(usage.residentBytes)),
      counter("process_cpu_seconds_total", "User and system CPU time in seconds.", single(usage.cpuSeconds)),
      gauge("process_start_time_seconds", "Start of the process in seconds since the epoch.", single(usage.startedAt)),
      {
        name: "webpubsub_event_loop_lag_seconds",
        help: "How late a timer of 500 ms fires.",
        type: "histogram",
        samples: this.#lagSeconds.samples(),
      },
    ];
  }

  #countsOf(hub: string): HubCounts {
    const known = this.#hubs.get(hub);
    if (known !== undefined) return known;
    // A label lives as long as the process, so a hub keeps the one it was first counted under.
    const label = this.#hubs.size < maxHubLabels ? hub : overflowLabel;
    const counts = this.#hubs.get(label) ?? { open: 0, opened: 0, openServers: 0, openedServers: 0 };
    this.#hubs.set(label, counts);
    return counts;
  }

  /** Two scrapers at once must not shrink the other's measuring time to nothing, hence the shortest period. */
  #load({ cpuSeconds }: ProcessUsage): number {
    const at = this.#options.clock.now();
    const elapsedMs = at - this.#loadSince.at;
    if (elapsedMs < 0 || elapsedMs >= minLoadPeriodMs) {
      if (elapsedMs > 0) this.#loadPercent = (100 * 1000 * (cpuSeconds - this.#loadSince.cpuSeconds)) / elapsedMs;
      this.#loadSince = { at, cpuSeconds };
    }
    return this.#loadPercent;
  }
}

interface HubCounts {
  open: number;
  opened: number;
  openServers: number;
  openedServers: number;
}

/** Ours: bounds the size of a scrape; further hubs are counted together. */
const maxHubLabels = 100;
const overflowLabel = "other";
/** ResponseTime dimension of management 15. */
const restBounds = [0.1, 0.5, 1, 5];
/** Up to the default timeout of an event handler, 100 s (management 19.2). */
const webhookBounds = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 100];
const lagBounds = [0.01, 0.05, 0.1, 0.5, 1, 5];
const lagIntervalMs = 500;
const minLoadPeriodMs = 1000;

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: "counter", samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: "gauge", samples };
}

function single(value: number): readonly Sample[] {
  return [{ value }];
}

function byLabel(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
