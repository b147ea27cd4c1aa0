import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import type { Ending } from "../core/endings.ts";
import { parseConnectionId, parseHubName, parseUserId } from "../core/names.ts";
import type { ConnectionFacts } from "../core/ports.ts";
import type { Publication } from "../core/publication.ts";
import { createLogger } from "./logger.ts";
import type { PathSink } from "./message-lines.ts";
import { Metrics } from "./metrics.ts";
import { createRedactor } from "./redact.ts";
import { createResourceLogs, type ResourceCategory } from "./resource-logs.ts";
import { createTelemetry, type RestReport, type WebhookReport } from "./telemetry.ts";

const all: readonly ResourceCategory[] = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"];

/** Nobody watches. */
const nobody: PathSink = {
  wants: () => false,
  write: () => expect.unreachable(),
  follow: () => expect.unreachable(),
  capturesBodies: false,
};

function harness(categories: readonly ResourceCategory[] = all) {
  const log: string[] = [];
  const resource: string[] = [];
  const clock = { now: () => Date.parse("2026-01-02T03:04:05Z") };
  const idle = (): (() => void) => () => undefined;
  const scheduler = { afterTurn: (callback: () => void) => callback(), every: idle, after: idle };
  const redactor = createRedactor();
  const write = (line: string): void => void resource.push(line);
  const settings = { level: "debug", format: "json" } as const;
  const logger = createLogger({ settings, write: (line) => log.push(line), colour: false, clock, scheduler, redactor });
  const metrics = new Metrics({
    clock,
    scheduler,
    readProcessUsage: () => ({ cpuSeconds: 0, residentBytes: 0, startedAt: 0 }),
    maxConnections: () => 0,
    reliableState: () => ({ detached: 0, messages: 0, bytes: 0 }),
    listenerQueues: () => ({ events: 2, bytes: 30 }),
    suppressedLogLines: () => logger.suppressedLines,
    droppedTraceLines: () => 0,
  });
  const resourceLogs = createResourceLogs({ serviceName: "dev", settings: { categories, write }, clock, redactor });
  const parsed = (lines: readonly string[]): unknown[] => lines.map((line): unknown => JSON.parse(line));
  return {
    telemetry: createTelemetry({ logger, metrics, records: resourceLogs, paths: nobody, now: () => 0 }),
    resourceLogs,
    write,
    metrics,
    log: () => parsed(log),
    resource: () => parsed(resource),
    text: () => [...log, ...resource].join("\n"),
  };
}

function connection(): ConnectionFacts {
  const hub = parseHubName("chat");
  const id = parseConnectionId("c1");
  if (hub === null || id === null) throw new Error("unreadable name");
  return { hub, id, userId: parseUserId("ann"), subprotocol: null, callerAddress: "192.0.2.7" };
}

const service = (cause: Extract<Ending, { by: "service" }>["cause"], text: string | null = null): Ending => ({
  by: "service",
  cause,
  text,
});
const socket = (code: number, reason = ""): Ending => ({ by: "socket", code, reason });

test("M-50 a connection writes ConnectionStarted and ConnectionEnded as Azure's resource logs do", () => {
  const { telemetry, resource } = harness();
  telemetry.connectionOpened(connection());
  telemetry.connectionEnded(connection(), socket(1000));
  const common = {
    time: "2026-01-02T03:04:05.000Z",
    level: "Informational",
    category: "ConnectivityLogs",
    callerIpAddress: "192.0.2.7",
    resourceId: "/LOCAL/WEBPUBSUB/DEV",
    location: "local",
  };
  const facts = { collection: "Connection", connectionId: "c1", userId: "ann", hub: "chat" };
  expect(resource()).toEqual([
    { ...common, operationName: "ConnectionStarted", properties: { message: "Connection started", ...facts } },
    { ...common, operationName: "ConnectionEnded", properties: { message: "Connection ended", ...facts } },
  ]);
});

const endingCases: readonly (readonly [Ending, string, string, string])[] = [
  [socket(1000, "bye"), "Normal", "ConnectionEnded", "bye"],
  [socket(1001), "Normal", "ConnectionEnded", "Connection ended"],
  [socket(1005), "Normal", "ConnectionEnded", "Connection ended"],
  [socket(4000, "mine"), "Normal", "ConnectionAborted", "mine"],
  [socket(1006), "Normal", "ConnectionAborted", "The socket was closed with code 1006."],
  [socket(1002, "The client frame is invalid."), "BadRequest", "ConnectionAborted", "The client frame is invalid."],
  [socket(1009, "Too large."), "BadRequest", "ConnectionAborted", "Too large."],
  [service("closedByServer", "go away"), "ClosedByAppServer", "ConnectionEnded", "go away"],
  [service("closedByServer"), "ClosedByAppServer", "ConnectionEnded", "Connection ended"],
  [service("pingTimeout"), "PingTimeout", "ConnectionAborted", "The connection timed out."],
  [service("outboxFull"), "SlowClient", "ConnectionAborted", "The outbound message queue is full."],
  [service("shutdown"), "ServiceReload", "ConnectionAborted", "Service reloading, reconnect"],
  [service("internalError"), "ServiceTransientError", "ConnectionAborted", "Internal server transient error"],
  [service("invalidJsonMessage", "Not JSON."), "BadRequest", "ConnectionAborted", "Not JSON."],
];

test.each(endingCases)(
  "M-50 M-54 ending %j counts as %s and is logged as %s",
  (...[ending, category, operationName, message]) => {
    const { telemetry, metrics, resource } = harness();
    telemetry.connectionOpened(connection());
    telemetry.connectionEnded(connection(), ending);
    expect(resource()[1]).toMatchObject({ operationName, properties: { message } });
    const text = metrics.render();
    expect(text).toContain(`webpubsub_connection_close_total{category="${category}"} 1\n`);
    expect(text).toContain('webpubsub_total_connection_count{hub="chat"} 0\n');
  },
);

const report: RestReport = {
  category: "SendToGroup",
  statusCode: 202,
  durationMs: 3.5,
  httpMethod: "POST",
  routeTemplate: "/api/hubs/{hub}/groups/{group}/:send",
  url: () => "http://localhost/api/hubs/chat/groups/a/:send?api-version=2024-12-01&access_token=abcdef&x=1",
  callerAddress: "192.0.2.7",
  hub: "chat",
  trace: null,
};

test("M-51 M-55 a REST request writes one redacted HttpRequestLogs line and records its latency", () => {
  const { telemetry, metrics, resource } = harness();
  telemetry.rest(report);
  expect(resource()).toEqual([
    {
      time: "2026-01-02T03:04:05.000Z",
      level: "Informational",
      category: "HttpRequestLogs",
      operationName: "HttpRequestCompleted",
      callerIpAddress: "192.0.2.7",
      resourceId: "/LOCAL/WEBPUBSUB/DEV",
      location: "local",
      properties: {
        message: "POST /api/hubs/{hub}/groups/{group}/:send was answered with 202.",
        hub: "chat",
        routeTemplate: "/api/hubs/{hub}/groups/{group}/:send",
        httpMethod: "POST",
        url: "http://localhost/api/hubs/chat/groups/a/:send?api-version=2024-12-01&access_token=REDACTED&x=1",
        statusCode: 202,
        duration: 3.5,
      },
    },
  ]);
  expect(metrics.render()).toContain('webpubsub_rest_api_response_seconds_count{category="SendToGroup"} 1\n');
});

test("M-51 refused and failed REST requests have their own level", () => {
  const { telemetry, resource } = harness();
  telemetry.rest({ ...report, statusCode: 401 });
  telemetry.rest({ ...report, statusCode: 503 });
  expect(resource()).toMatchObject([{ level: "Warning" }, { level: "Error" }]);
});

test("M-52 the text of an audience failure passes through to both logs", () => {
  const { telemetry, log, resource } = harness();
  const message =
    "Failed to validate audience. Expected Audiences: http://a/client/hubs/chat. Actual Audiences: http://b/.";
  telemetry.log("warning", "AudienceRefused", { message, hub: "chat", callerIpAddress: "192.0.2.7", attempt: 1 });
  expect(log()).toMatchObject([{ level: "warning", event: "AudienceRefused", message, hub: "chat", attempt: 1 }]);
  expect(resource()).toMatchObject([
    { level: "Warning", category: "ConnectivityLogs", operationName: "AudienceRefused", callerIpAddress: "192.0.2.7" },
  ]);
  expect(resource()[0]).toHaveProperty("properties", { message, collection: "Authorization", hub: "chat" });
});

test("an event without a place in the resource log goes to the operational log only", () => {
  const { telemetry, log, resource } = harness();
  telemetry.log("info", "Listening", { message: "Ready." });
  expect(log()).toHaveLength(1);
  expect(resource()).toEqual([]);
});

test("text that clients choose stays on one line of the resource log", () => {
  const { telemetry, text, resource } = harness();
  telemetry.connectionEnded(connection(), socket(4000, "a\n\u001b[2J\u009b1m\u2028b"));
  expect(text()).not.toMatch(/\p{Cc}|\p{Zl}/u);
  expect(resource()).toMatchObject([{ properties: { message: "a\n\u001b[2J\u009b1m\u2028b" } }]);
});

test("M-49 switched off categories write nothing, and switches change at run time", () => {
  const { telemetry, resourceLogs, resource, write } = harness(["HttpRequestLogs"]);
  telemetry.connectionOpened(connection());
  telemetry.log("warning", "ConnectionCountLimitReached", { message: "Connection count reaches limit" });
  telemetry.webhook(webhook);
  resourceLogs.write({ category: "MessagingLogs", operationName: "X", level: "Error", properties: { message: "m" } });
  expect(resource()).toEqual([]);
  telemetry.rest(report);
  expect(resource()).toHaveLength(1);
  resourceLogs.configure({ categories: ["ConnectivityLogs"], write });
  telemetry.rest(report);
  telemetry.connectionOpened(connection());
  expect(resource()).toHaveLength(2);
  resourceLogs.configure({ categories: all, write: null });
  expect(all.filter((category) => resourceLogs.wants(category))).toEqual([]);
  telemetry.connectionOpened(connection());
  telemetry.rest(report);
  expect(resource()).toHaveLength(2);
});

const webhook: WebhookReport = {
  hub: "chat",
  event: "connect",
  type: "sys",
  outcome: "unexpectedStatus",
  status: 404,
  durationMs: 12,
  bytes: 4096,
  url: "http://localhost:3000/eventhandler?code=1",
  connectionId: "c1",
  userId: null,
  detail: null,
  trace: null,
  exchange: null,
};

test("an unexpected answer of an event handler is logged with the text operators search for", () => {
  const { telemetry, log, resource, metrics } = harness();
  telemetry.webhook(webhook);
  const message =
    "Sending message during operation hub:chat,event:connect,type:sys,category:connections,requestType:Connect got unexpected response with status code 404.";
  expect(log()).toMatchObject([{ level: "warning", event: "HttpHandlerUnexpectedResponse", message, hub: "chat" }]);
  expect(resource()).toMatchObject([
    {
      level: "Warning",
      category: "MessagingLogs",
      operationName: "HttpHandlerUnexpectedResponse",
      properties: { message, connectionId: "c1", userId: null, statusCode: 404, duration: 12 },
    },
  ]);
  expect(metrics.render()).toContain('webpubsub_event_handler_requests_total{outcome="unexpectedStatus"} 1\n');
});

test("M-45 a request to an event handler is outbound traffic; a successful one is no log line", () => {
  const { telemetry, log, resource, metrics } = harness();
  telemetry.outbound(10 * 4096, 20);
  telemetry.webhook({ ...webhook, outcome: "succeeded", status: 204 });
  expect(metrics.render()).toContain("webpubsub_outbound_messages_total 22\n");
  expect(log()).toEqual([]);
  expect(resource()).toMatchObject([{ level: "Informational", operationName: "EventHandlerInvoked" }]);
});

test("a failed request without answer says why", () => {
  const { telemetry, log } = harness();
  telemetry.webhook({
    ...webhook,
    type: "user",
    event: "chatted",
    outcome: "timedOut",
    status: null,
    detail: "100 s passed",
  });
  expect(log()).toMatchObject([
    {
      event: "EventHandlerTimedOut",
      message: "The chatted event of hub chat: the event handler did not answer in time. Detail: 100 s passed",
    },
  ]);
});

test("a dropped notification is counted and logged", () => {
  const { telemetry, log, metrics } = harness();
  telemetry.notificationDropped({ hub: "chat", event: "disconnected", type: "sys" }, "the queue is full", true);
  expect(log()).toMatchObject([
    { event: "NotificationDropped", message: "The disconnected event was not delivered: the queue is full" },
  ]);
  expect(metrics.render()).toContain("webpubsub_notifications_dropped_total 1\n");
});

test("M-49 nobody is told of single messages unless MessagingLogs are wanted, and then without what they carry", () => {
  expect(harness(["ConnectivityLogs", "HttpRequestLogs"]).telemetry.messages).toBeNull();
  const { telemetry, resourceLogs, resource, text, write } = harness(["MessagingLogs"]);
  const group = named.group("g");
  const publication: Publication = {
    hub: connection().hub,
    target: { kind: "group", group },
    payload: { kind: "json", source: '{"secret":1}' },
    metadata: null,
    from: { kind: "connection", id: connection().id, user: connection().userId },
    stream: { streamId: "s", sequenceId: 1, end: null },
    excluded: null,
    filter: null,
    expiresAt: null,
    trace: { id: "t1", receivedAt: -1.5 },
  };
  const { messages } = telemetry;
  messages?.received({ id: "t1", receivedAt: 0 }, { from: connection(), kind: "sendToGroup", name: "g", size: 12 });
  expect(messages?.published(publication, [connection(), connection()])).toEqual([]);
  const byRest = { target: { kind: "hub" }, from: { kind: "server" }, stream: null, trace: null } as const;
  messages?.published({ ...publication, ...byRest }, [connection()]);
  telemetry.messages?.groupChanged(connection(), "left", group);
  expect(resource()).toMatchObject([
    {
      category: "MessagingLogs",
      operationName: "MessagePublished",
      properties: {
        message: "A message of a client to group 'g' in stream 's' was handed to 2 connections (json, 12 characters).",
        connectionId: "c1",
        userId: "ann",
        hub: "chat",
        recipients: 2,
        traceId: "t1",
        elapsed: 1.5,
      },
    },
    { properties: { message: "A message of REST to the whole hub was handed to 1 connection (json, 12 characters)." } },
    { operationName: "GroupLeft", callerIpAddress: "192.0.2.7", properties: { connectionId: "c1", hub: "chat" } },
  ]);
  expect(text()).not.toContain("secret");
  resourceLogs.configure({ categories: [], write });
  telemetry.refresh();
  expect(telemetry.messages).toBeNull();
});

test("M-10 H-55 a secret in any text of any report reaches no line", () => {
  const { telemetry, text } = harness();
  const secret = "c2VjcmV0LWtleS1vZi10aGUtc2VydmljZQ==";
  const leak = `Bearer ${secret}`;
  telemetry.connectionOpened({ ...connection(), userId: parseUserId(leak) });
  telemetry.connectionEnded(connection(), service("closedByServer", leak));
  telemetry.connectionEnded(connection(), socket(4000, leak));
  telemetry.log("error", "AudienceRefused", { message: leak, userId: leak, url: `/?access_token=${secret}` });
  telemetry.rest({ ...report, url: () => `/api?access_token=${secret}` });
  telemetry.webhook({ ...webhook, url: `http://h/?token=${secret}`, detail: leak });
  telemetry.notificationDropped(webhook, leak, true);
  expect(text()).toContain("REDACTED");
  expect(text()).not.toContain(secret);
});
