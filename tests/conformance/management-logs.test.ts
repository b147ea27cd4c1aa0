import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson } from "../support/clients.ts";
import { startEventHandler } from "../support/event-handler.ts";
import { type HubApi, hubApi } from "../support/hub-api.ts";
import { resourceLines, resourceLinesWith } from "../support/log-lines.ts";
import { adminSettings, readMetrics, untilMetric } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { rejection } from "../support/rejection.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { type Server, startServer } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { handshake } from "../support/web-socket.ts";

const all = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"] as const;
const logging = (categories: readonly string[]) => ({
  resourceLogConfiguration: { categories: all.map((name) => ({ name, enabled: String(categories.includes(name)) })) },
});

describe("resource logs", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ properties: logging(all) });
  });
  afterAll(async () => await server.stop());

  test("M-50 opening and closing a connection, and losing its socket, write their lines", async () => {
    const hub = freshName("hub");
    const [byClient, byRest, lost] = [
      await connectJson(server, { hub, userId: "u" }),
      await connectJson(server, { hub }),
      await connectJson(server, { hub, userId: "u" }),
    ];
    byClient.socket.close(1000);
    expectEmpty(await hubApi(server, hub)("DELETE", `/connections/${byRest.connectionId}`), 204);
    lost.socket.abort();
    for (const [client, operationName, userId] of [
      [byClient, "ConnectionEnded", "u"],
      [byRest, "ConnectionEnded", null],
      [lost, "ConnectionAborted", "u"],
    ] as const) {
      const { connectionId } = client;
      const [started] = await resourceLinesWith(server, "ConnectionStarted", connectionId);
      const { time, resourceId, location } = started ?? {};
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
      expect([typeof resourceId, typeof location]).toEqual(["string", "string"]);
      expect(started).toMatchObject({
        level: "Informational",
        category: "ConnectivityLogs",
        operationName: "ConnectionStarted",
        properties: { message: "Connection started", collection: "Connection", connectionId, userId, hub },
      });
      const ends = await resourceLinesWith(server, operationName, connectionId);
      expect(ends).toHaveLength(1);
      expect(ends[0]).toMatchObject({
        category: "ConnectivityLogs",
        properties: { collection: "Connection", connectionId, userId, hub },
      });
    }
  });

  test("M-51 a REST call writes its route, URL without secrets, status and duration", async () => {
    const hub = freshName("hub");
    const path = `/groups/g/:send?access_token=to-be-redacted&filter=true`;
    expectEmpty(await hubApi(server, hub)("POST", path, { body: "x" }), 202);
    const lines = await resourceLinesWith(server, "HttpRequestCompleted", hub);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      category: "HttpRequestLogs",
      level: "Informational",
      callerIpAddress: "127.0.0.1",
      properties: {
        hub,
        routeTemplate: "/api/hubs/{hub}/groups/{group}/:send",
        httpMethod: "POST",
        url: `/api/hubs/${hub}/groups/g/:send?access_token=REDACTED&filter=true&api-version=2024-12-01`,
        statusCode: 202,
      },
    });
    expect(lines[0]?.properties["duration"]).toBeNumber();
    expect((await hubApi(server, hub)("POST", "/:send?top=0", { body: "x", token: null })).status).toBe(401);
    const [refused] = (await resourceLinesWith(server, "HttpRequestCompleted", `${hub}/:send`)).slice(-1);
    expect(refused).toMatchObject({ level: "Warning", properties: { statusCode: 401 } });
  });

  test("M-52 a refused audience is logged with what was expected and what was there", async () => {
    const hub = freshName("hub");
    const actual = `https://wrong.example.com/client/hubs/${hub}`;
    const token = clientToken(server, { hub, claims: { aud: actual } });
    expect((await handshake(server.endpoint, { path: clientPath(server, { hub, token }) })).status).toBe(401);
    const [line] = await resourceLinesWith(server, "AudienceRefused", hub);
    expect(line).toMatchObject({
      category: "ConnectivityLogs",
      level: "Warning",
      properties: { collection: "Authorization" },
    });
    expect(line?.properties["message"]).toMatch(
      /^Failed to validate audience\. Expected Audiences: \S+\. Actual Audiences: \S+$/,
    );
    expect(line?.properties["message"]).toContain(actual);
    const from = server.process.output.length;
    const claims = { aud: `https://wrong.example.com/api/hubs/${hub}/:send` };
    expect((await hubApi(server, hub)("POST", "/:send", { body: "x", signing: { claims } })).status).toBe(401);
    await server.process.written(/Failed to validate audience\. Expected Audiences: \S+\. Actual Audiences: \S+/, {
      from,
    });
  });

  test.each([
    {
      answer: { status: 200 },
      name: "AbuseProtectionResponseMissingAllowedOrigin",
      words: "missing allowed origins: .",
    },
    { answer: { status: 401 }, name: "AbuseProtectionResponseInvalidStatusCode", words: "failed: 401." },
  ])("M-53 a failed abuse protection is logged in the documented words: $name", async ({ answer, name, words }) => {
    const handler = await startEventHandler();
    try {
      handler.answerValidation(answer);
      const hub = freshName("hub");
      await server.reconfigure({ hubs: { [hub]: { eventHandlers: [handler.settings()] } } });
      expect(await rejection(connectJson(server, { hub }))).toContain("answered 500");
      const url = `${handler.url}/hooks/${hub}/validate`;
      const [line] = await resourceLinesWith(server, name, url);
      expect(line).toMatchObject({ category: "MessagingLogs" });
      expect(line?.properties["message"]).toBe(`Abuse protection for '${url}' ${words}`);
    } finally {
      await handler.stop();
    }
  });
});

test("M-49 a category that is switched off writes no lines", async () => {
  const server = await startServer({ properties: logging(["HttpRequestLogs"]) });
  try {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const cycle = async (): Promise<void> => {
      const client = await connectJson(server, { hub });
      expectEmpty(await api("DELETE", `/connections/${client.connectionId}`), 204);
      expect((await handshake(server.endpoint, { path: clientPath(server, { hub, token: "x" }) })).status).toBe(401);
    };
    await cycle();
    await api("HEAD", "/groups/fence");
    await resourceLinesWith(server, "HttpRequestCompleted", "/groups/fence");
    expect(new Set(resourceLines(server).map(({ category }) => category))).toEqual(new Set(["HttpRequestLogs"]));
    await server.reconfigure({ properties: logging(["ConnectivityLogs"]) });
    const before = resourceLines(server).length;
    await cycle();
    await resourceLinesWith(server, "ClientTokenRefused", hub);
    const later = resourceLines(server).slice(before);
    expect(new Set(later.map(({ category }) => category))).toEqual(new Set(["ConnectivityLogs"]));
  } finally {
    await server.stop();
  }
});

describe("metrics", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({
      service: adminSettings,
      limits: { outboundQueue: { bytes: 262_144 } },
      hubs: { pinging: { webSocketKeepAliveIntervalInSeconds: 1 } },
    });
  });
  afterAll(async () => await server.stop());

  const closedBy = (category: string): string => `webpubsub_connection_close_total{category="${category}"}`;

  test("M-54 connections are counted over opening, client close and REST close", async () => {
    const hub = freshName("hub");
    const [open, opened] = [
      `webpubsub_total_connection_count{hub="${hub}"}`,
      `webpubsub_connection_open_total{hub="${hub}"}`,
    ];
    const before = await readMetrics(server);
    const clients = [await connectJson(server, { hub }), await connectJson(server, { hub })];
    const during = await readMetrics(server);
    expect({ open: during.get(open), opened: during.get(opened) }).toEqual({ open: 2, opened: 2 });
    clients[0]?.socket.close(1000);
    await untilMetric(server, closedBy("Normal"), (before.get(closedBy("Normal")) ?? 0) + 1);
    expectEmpty(await hubApi(server, hub)("POST", "/:closeConnections"), 204);
    await untilMetric(server, closedBy("ClosedByAppServer"), (before.get(closedBy("ClosedByAppServer")) ?? 0) + 1);
    await untilMetric(server, open, 0);
    expect((await readMetrics(server)).get(opened)).toBe(2);
  });

  test("M-54 a client that answers no ping is counted as PingTimeout", async () => {
    const { socket } = await connectJson(server, { hub: "pinging", answerPings: false });
    expect(await socket.closed()).toMatchObject({ code: 1006 });
    await untilMetric(server, closedBy("PingTimeout"), 1);
  });

  test("M-54 a client that stops reading is counted as SlowClient", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    client.socket.pause();
    const send = async (api: HubApi): Promise<number> =>
      (await api("POST", "/:send", { body: Buffer.alloc(700_000) })).status;
    await until(
      "the slow client is closed",
      async () => {
        expect(await send(hubApi(server, hub))).toBe(202);
        return (await readMetrics(server)).get(closedBy("SlowClient")) === 1;
      },
      50_000,
    );
  });

  test("M-55 REST requests are counted by category, handshakes by client type and status", async () => {
    const hub = freshName("hub");
    const seconds = (category: string, part: string) =>
      `webpubsub_rest_api_response_seconds_${part}{category="${category}"}`;
    const handshakes = (status: number) => `webpubsub_client_request_total{client_type="WebPubSub",status="${status}"}`;
    const before = await readMetrics(server);
    const since = async (name: string): Promise<number> =>
      ((await readMetrics(server)).get(name) ?? 0) - (before.get(name) ?? 0);
    for (let time = 0; time < 3; time++)
      expectEmpty(await hubApi(server, hub)("POST", "/groups/g/:send", { body: "x" }), 202);
    await server.rest({ method: "HEAD", path: "/api/health", token: null });
    await connectJson(server, { hub });
    await handshake(server.endpoint, { path: clientPath(server, { hub, token: "x" }) });
    expect(await since(seconds("SendToGroup", "count"))).toBe(3);
    expect(await since(seconds("HealthCheck", "count"))).toBe(1);
    expect(await since(seconds("SendToAll", "count"))).toBe(0);
    expect(await since(handshakes(101))).toBe(1);
    expect(await since(handshakes(401))).toBe(1);
    const bounds = [...(await readMetrics(server)).keys()]
      .map((name) => /_seconds_bucket\{(?=.*category="SendToGroup").*le="([^"]+)"/.exec(name)?.[1])
      .filter((bound) => bound !== undefined);
    expect(bounds).toEqual(["0.1", "0.5", "1", "5", "+Inf"]);
  });
});
