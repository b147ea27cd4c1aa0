import { billedMessages } from "../core/billed-messages.ts";
import { type CloseCategory, type Ending, type EndingCause, endings } from "../core/endings.ts";
import type { MessageTrace } from "../core/message-trace.ts";
import type { ConnectionFacts, LogFields, LogLevel, MessageTelemetry, Telemetry } from "../core/ports.ts";
import type { Logger } from "./logger.ts";
import { createMessageLines, microseconds, type PathSink } from "./message-lines.ts";
import type { Metrics, RestCategory, WebhookOutcome } from "./metrics.ts";
import {
  type EventRequestFacts,
  type RecordSink,
  type ResourceCategory,
  type ResourceLevel,
  type ResourceProperties,
  unexpectedResponseText,
} from "./resource-logs.ts";
import type { WebhookExchange } from "./webhook-bodies.ts";

/** One answered REST request. */
export interface RestReport {
  readonly category: RestCategory;
  readonly statusCode: number;
  readonly durationMs: number;
  readonly httpMethod: string;
  /** The path with placeholders, such as `/api/hubs/{hub}/groups/{group}/:send`; null for an unknown path. */
  readonly routeTemplate: string | null;
  /** As requested, built when it is written; written redacted. */
  url(): string;
  readonly callerAddress: string;
  readonly hub: string | null;
  /** Null: nobody watches. */
  readonly trace: MessageTrace | null;
}

/** One finished request to an event handler; a retry is a request of its own. */
export interface WebhookReport extends EventRequestFacts {
  readonly outcome: WebhookOutcome;
  /** null: there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Size of the request body; counts as outbound traffic (M-45). */
  readonly bytes: number;
  /** As requested; written redacted. */
  readonly url: string;
  readonly connectionId: string;
  readonly userId: string | null;
  /** What went wrong, as a sentence; null when the outcome says it all. */
  readonly detail: string | null;
  /** The message that the event is; null: it is none, or nobody watches. */
  readonly trace: MessageTrace | null;
  /** Null unless somebody asked for it. */
  readonly exchange: WebhookExchange | null;
}

/** A connection by which an application server gets its events. */
export interface ServerConnectionFacts {
  readonly hub: string;
  readonly id: string;
  /** What the server calls itself; null for nothing. */
  readonly serverId: string | null;
  readonly caller: { readonly address: string };
}

/** The core's `Telemetry` and what the REST API and the upstream report besides. Cheap; never throws. */
export interface ServiceTelemetry extends Telemetry {
  /** Records the latency of a REST request and writes its HttpRequestLogs line (M-51, M-55). */
  rest(report: RestReport): void;
  /** Counts a request to an event handler, writes its MessagingLogs line and, unless it succeeded, a log line. */
  webhook(report: WebhookReport): void;
  /** Whether reports should have what was exchanged with the event handler. */
  wantsExchange(): boolean;
  /** Counts and logs the connections of application servers (tunnels). */
  serverConnectionOpened(connection: ServerConnectionFacts): void;
  serverConnectionEnded(connection: ServerConnectionFacts, code: number, reason: string): void;
  /** Counts events that an event listener took. `messages`: each counted by `billedMessages`. */
  listenerSent(
    type: string,
    sent: { readonly events: number; readonly bytes: number; readonly messages: number },
  ): void;
  /** Counts events that it did not get. */
  listenerLost(type: string, kind: "failed" | "dropped", events: number): void;
  /** Counts a notification that was given up; logs it unless the same was said a moment ago (`isNews` false). */
  notificationDropped(facts: EventRequestFacts, reason: string, isNews: boolean): void;
}

/** The telemetry with what its owner has to tell it. */
export interface ObservedTelemetry extends ServiceTelemetry {
  /** What the sinks want may have changed; until told, `messages` stays as it is. */
  refresh(): void;
}

export interface TelemetryParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The resource log, and whoever watches. */
  readonly records: RecordSink;
  /** Whoever watches. */
  readonly paths: PathSink;
  /** Milliseconds since the epoch with fractions, never going back. */
  readonly now: () => number;
}

/** Joins log, metrics and resource logs behind one port. @spec M-50 M-51 M-52 M-54 M-55 */
export function createTelemetry({ logger, metrics, records, paths, now }: TelemetryParts): ObservedTelemetry {
  const messageLines = createMessageLines({ records, paths, now });
  let messages: MessageTelemetry | null = null;
  const refresh = (): void => {
    messages = records.wants("MessagingLogs") ? messageLines : null;
  };
  refresh();

  function connectivity(connection: ConnectionFacts, line: ConnectionLine): void {
    if (!records.wants("ConnectivityLogs")) return;
    const { operationName, level, message } = line;
    const { id: connectionId, userId, hub, callerAddress } = connection;
    const properties = { message, collection: "Connection", connectionId, userId, hub } as const;
    records.write({
      category: "ConnectivityLogs",
      operationName,
      level,
      callerIpAddress: callerAddress,
      properties,
    });
  }

  function log(level: LogLevel, event: string, fields: LogFields): void {
    logger.log(level, event, fields);
    const place = resourceEvents.get(event);
    if (place === undefined || !records.wants(place.category)) return;
    const caller = fields["callerIpAddress"];
    records.write({
      category: place.category,
      operationName: event,
      level: resourceLevels[level],
      ...(typeof caller === "string" && { callerIpAddress: caller }),
      properties: pickProperties(fields, place.collection),
    });
  }

  return {
    get messages() {
      return messages;
    },
    refresh,
    connectionOpened(connection) {
      metrics.connectionOpened(connection.hub);
      connectivity(connection, started);
    },
    connectionEnded(connection, ending) {
      metrics.connectionClosed(connection.hub, closeCategory(ending));
      connectivity(connection, describeEnding(ending));
    },
    handshake: (status, clientType) => metrics.handshake(status, clientType),
    inbound: (bytes) => metrics.inbound(bytes),
    outbound: (bytes, messages) => metrics.outbound(bytes, messages),
    log,
    rest(report) {
      metrics.rest(report.category, report.durationMs);
      if (!records.wants("HttpRequestLogs")) return;
      const { hub, httpMethod, routeTemplate, statusCode, durationMs, callerAddress, trace } = report;
      records.write({
        category: "HttpRequestLogs",
        operationName: "HttpRequestCompleted",
        level: statusCode >= 500 ? "Error" : statusCode >= 400 ? "Warning" : "Informational",
        callerIpAddress: callerAddress,
        properties: {
          message: `${httpMethod} ${routeTemplate ?? "to an unknown path"} was answered with ${statusCode}.`,
          ...(hub !== null && { hub }),
          ...(routeTemplate !== null && { routeTemplate }),
          httpMethod,
          url: report.url(),
          statusCode,
          duration: durationMs,
          ...(trace !== null && { traceId: trace.id }),
        },
      });
    },
    webhook(report) {
      metrics.webhook(report.outcome, report.durationMs);
      metrics.outbound(report.bytes, billedMessages(report.bytes));
      const { hub, event, url, connectionId, userId, status, outcome, trace, exchange } = report;
      const operationName = webhookOperations[outcome];
      const message = describeWebhook(report);
      const isFailure = outcome !== "succeeded" && outcome !== "aborted";
      if (isFailure) logger.log("warning", operationName, { message, hub, event, connectionId, url, status });
      if (!records.wants("MessagingLogs")) return;
      const answer = status === null ? {} : { statusCode: status };
      const traced = trace === null ? {} : { traceId: trace.id, elapsed: microseconds(now() - trace.receivedAt) };
      records.write({
        category: "MessagingLogs",
        operationName,
        level: isFailure ? "Warning" : "Informational",
        properties: { message, connectionId, userId, hub, url, ...answer, duration: report.durationMs, ...traced },
        exchange,
      });
    },
    wantsExchange: () => paths.capturesBodies,
    serverConnectionOpened(connection) {
      metrics.serverConnectionOpened(connection.hub);
      log("info", "ServerConnectionStarted", { message: "Server connection started", ...serverFields(connection) });
    },
    serverConnectionEnded(connection, code, reason) {
      metrics.serverConnectionClosed(connection.hub);
      const how = reason === "" ? `with code ${code}` : `with code ${code}: ${reason}`;
      const message = `Server connection ended ${how}`;
      log("info", "ServerConnectionEnded", { message, ...serverFields(connection) });
    },
    listenerSent(type, { events, bytes, messages }) {
      metrics.listener(type, "sent", events);
      metrics.outbound(bytes, messages);
    },
    listenerLost: (type, kind, events) => metrics.listener(type, kind, events),
    notificationDropped({ hub, event }, reason, isNews) {
      metrics.notificationDropped();
      if (!isNews) return;
      log("warning", "NotificationDropped", { message: `The ${event} event was not delivered: ${reason}`, hub });
    },
  };
}

function serverFields({ hub, id, serverId, caller }: ServerConnectionFacts) {
  return { hub, connectionId: id, serverId, callerIpAddress: caller.address };
}

interface ConnectionLine {
  readonly operationName: "ConnectionStarted" | "ConnectionEnded" | "ConnectionAborted";
  readonly level: ResourceLevel;
  readonly message: string;
}

const started: ConnectionLine = {
  operationName: "ConnectionStarted",
  level: "Informational",
  message: "Connection started",
};

const resourceLevels = {
  debug: "Debug",
  info: "Informational",
  warning: "Warning",
  error: "Error",
} as const satisfies Record<LogLevel, ResourceLevel>;

const webhookOperations = {
  succeeded: "EventHandlerInvoked",
  unexpectedStatus: "HttpHandlerUnexpectedResponse",
  invalidResponse: "EventHandlerInvalidResponse",
  timedOut: "EventHandlerTimedOut",
  unreachable: "EventHandlerUnreachable",
  aborted: "EventHandlerAborted",
} as const satisfies Record<WebhookOutcome, string>;

interface ResourcePlace {
  readonly category: ResourceCategory;
  readonly collection?: "Authorization" | "Connection" | "Throttling";
}

/** Log events that also belong into the resource log; names where documented from management 14.3. */
const resourceEvents: ReadonlyMap<string, ResourcePlace> = new Map([
  ["AudienceRefused", { category: "ConnectivityLogs", collection: "Authorization" }],
  ["RestAuthorizationFailed", { category: "HttpRequestLogs", collection: "Authorization" }],
  ["TraceTokenRefused", { category: "ConnectivityLogs", collection: "Authorization" }],
  ["ClientTokenRefused", { category: "ConnectivityLogs", collection: "Authorization" }],
  ["ConnectionCountLimitReached", { category: "ConnectivityLogs", collection: "Throttling" }],
  ["ServerConnectionStarted", { category: "ConnectivityLogs", collection: "Connection" }],
  ["ServerConnectionEnded", { category: "ConnectivityLogs", collection: "Connection" }],
  ["ServerTokenRefused", { category: "ConnectivityLogs", collection: "Authorization" }],
  ["MessageCountLimitReached", { category: "ConnectivityLogs", collection: "Throttling" }],
  ["AbuseProtectionResponseMissingAllowedOrigin", { category: "MessagingLogs" }],
  ["AbuseProtectionResponseInvalidStatusCode", { category: "MessagingLogs" }],
  ["NotificationDropped", { category: "MessagingLogs" }],
  ["ListenerEventDropped", { category: "MessagingLogs" }],
  ["ListenerEventFailed", { category: "MessagingLogs" }],
  ["EventListenerUnavailable", { category: "MessagingLogs" }],
  ["EventListenerRecovered", { category: "MessagingLogs" }],
]);

const textProperties = ["connectionId", "userId", "hub", "routeTemplate", "httpMethod", "url", "traceId"] as const;
const numberProperties = ["statusCode", "duration"] as const;

function pickProperties(fields: LogFields, collection: ResourcePlace["collection"]): ResourceProperties {
  const texts = textProperties.filter((name) => typeof fields[name] === "string");
  const numbers = numberProperties.filter((name) => typeof fields[name] === "number");
  const picked = Object.fromEntries([...texts, ...numbers].map((name) => [name, fields[name]]));
  return { message: fields.message, ...(collection !== undefined && { collection }), ...picked };
}

/**
 * Azure names no category for a client that vanishes. Whatever close code a client sends, and a socket that dies without
 * one, is `Normal`: the service is not at fault. Only what the transport refuses, broken framing, text that is no UTF-8 or
 * an oversized message, is the client's mistake (management 15); hardly a client sends these codes itself.
 */
function closeCategory(ending: Ending): CloseCategory {
  if (ending.by === "service") return endings[ending.cause].category;
  return refusedFraming.has(ending.code) ? "BadRequest" : "Normal";
}

const refusedFraming: ReadonlySet<number> = new Set([1002, 1007, 1009]);

/**
 * Expected are ends that one side asked for: REST closes, and close frames saying 1000, 1001 or nothing. All else is
 * aborted, with the texts of management 14.3 where they exist (M-50).
 */
function describeEnding(ending: Ending): ConnectionLine {
  if (ending.by === "socket") {
    const isExpected = ending.code === 1000 || ending.code === 1001 || ending.code === 1005;
    if (isExpected) return ended(ending.reason);
    return aborted(ending.reason === "" ? `The socket was closed with code ${ending.code}.` : ending.reason);
  }
  if (ending.cause === "closedByServer") return ended(ending.text ?? "");
  return aborted(documentedTexts[ending.cause] ?? ending.text ?? endings[ending.cause].reason);
}

const documentedTexts: Readonly<Partial<Record<EndingCause, string>>> = {
  shutdown: "Service reloading, reconnect",
  internalError: "Internal server transient error",
};

function ended(reason: string): ConnectionLine {
  return {
    operationName: "ConnectionEnded",
    level: "Informational",
    message: reason === "" ? "Connection ended" : reason,
  };
}

function aborted(message: string): ConnectionLine {
  return { operationName: "ConnectionAborted", level: "Warning", message };
}

function describeWebhook(report: WebhookReport): string {
  const { outcome, status, detail, hub, event } = report;
  const text =
    outcome === "unexpectedStatus" && status !== null
      ? unexpectedResponseText(report, status)
      : `The ${event} event of hub ${hub}: ${outcomeTexts[outcome]}.`;
  return detail === null ? text : `${text} Detail: ${detail}`;
}

const outcomeTexts = {
  succeeded: "the event handler answered",
  unexpectedStatus: "the event handler refused",
  invalidResponse: "the event handler's answer could not be used",
  timedOut: "the event handler did not answer in time",
  unreachable: "the event handler could not be reached",
  aborted: "the request was given up because the connection is gone",
} as const satisfies Record<WebhookOutcome, string>;
