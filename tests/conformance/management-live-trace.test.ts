import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { type Server, startServer } from "../support/server.ts";
import { lineOf, openTrace, type TraceLine, tracePath, traceToken } from "../support/trace-viewer.ts";
import { handshake, openWebSocket } from "../support/web-socket.ts";

const enabled = { liveTraceConfiguration: { enabled: "true", categories: [] } };
const information = 2;
const warning = 3;

const about = (hub: string) => (line: TraceLine) => line.logContext["hub"] === hub;

describe("a server with live trace", () => {
  let handler: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      properties: enabled,
      upstream: { retryDelaysSeconds: [] },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [], userEventPattern: "ask" })] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("M-46 M-47 a new client is a line, and its event id has a name, a template and a level", async () => {
    const viewer = await openTrace(server);
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "ann" });
    const line = await viewer.line(about(hub));
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string,
      eventId: line.eventId,
      logContext: {
        category: "ConnectivityLogs",
        collection: "Connection",
        callerIpAddress: "127.0.0.1",
        hub,
        connectionId: client.connectionId,
        userId: "ann",
      },
      values: ["Connection started"],
      exceptionMessage: null,
    });
    // Names of methods are matched ignoring case.
    viewer.call("logProperty", line.eventId);
    expect(await viewer.next()).toEqual({
      type: 1,
      target: "LogProperty",
      arguments: [
        { eventId: line.eventId, eventName: "ConnectionStarted", template: "{message}", logLevel: information },
      ],
    });
  });

  test("M-47 nothing comes before startListeningToLogEvents", async () => {
    const viewer = await openTrace(server, { listening: false });
    const hub = freshName("hub");
    await connectJson(server, { hub });
    viewer.call("LogProperty", 12);
    expect(await viewer.next()).toMatchObject({ target: "LogProperty", arguments: [{ eventId: 12 }] });
    viewer.call("startListeningToLogEvents");
    viewer.call("LogProperty", 22);
    expect(await viewer.next()).toMatchObject({ target: "LogProperty", arguments: [{ eventId: 22 }] });
    const later = freshName("hub");
    await connectJson(server, { hub: later });
    expect(lineOf(await viewer.next())?.logContext["hub"]).toBe(later);
  });

  test("M-47 messages, groups, events, refusals and requests are lines, without what they carry", async () => {
    const viewer = await openTrace(server);
    const hub = freshName("hub");
    const secret = "the-payload-of-the-test";
    const client = await connectJson(server, { hub, roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup.g"] });
    const next = async () => {
      const { logContext, values } = await viewer.line(about(hub));
      return `${String(logContext["category"])} ${String(values[0])}`;
    };
    expect(await next()).toBe("ConnectivityLogs Connection started");
    await client.ask({ type: "joinGroup", group: "g" });
    expect(await next()).toBe("MessagingLogs The connection joined group 'g'.");
    await client.ask({ type: "sendToGroup", group: "g", dataType: "text", data: secret, noEcho: true });
    expect(await next()).toBe("MessagingLogs A client sent a message to group 'g' (length 23).");
    expect(await next()).toBe(
      "MessagingLogs A message of a client to group 'g' was handed to 0 connections (text, 23 characters).",
    );
    await client.ask({ type: "sendToGroup", group: "other", dataType: "text", data: secret });
    expect(await next()).toBe("MessagingLogs A client sent a message to group 'other' (length 23).");
    expect(await next()).toStartWith("MessagingLogs A request was refused as Forbidden: ");
    await client.ask({ type: "event", event: "nobody", dataType: "text", data: secret });
    expect(await next()).toBe("MessagingLogs A client sent the event 'nobody' (length 23).");
    expect(await next()).toBe("MessagingLogs No event handler takes the user event 'nobody'.");
    expect(await next()).toStartWith("MessagingLogs A request was refused as InternalServerError: ");
    await client.ask({ type: "event", event: "ask", dataType: "text", data: secret });
    expect(await next()).toBe("MessagingLogs A client sent the event 'ask' (length 23).");
    expect(await next()).toStartWith("MessagingLogs The ask event of hub ");
    const sent = await hubApi(server, hub)("POST", "/groups/g/:send", { body: secret });
    expect(sent.status).toBe(202);
    expect(await client.next()).toMatchObject({ data: secret });
    const received = await viewer.line(about(hub));
    expect(received.values[0]).toBe("REST sent a message to group 'g' (length 23).");
    const published = await viewer.line(about(hub));
    expect(published.values[0]).toBe(
      `A message of REST to group 'g' was handed to 1 connection (text, ${secret.length} characters).`,
    );
    // Writing to the client and answering REST come in either order.
    const rest = [await viewer.line(about(hub)), await viewer.line(about(hub))];
    const answered = rest.find(({ logContext }) => logContext["category"] === "HttpRequestLogs");
    expect(answered?.logContext).toMatchObject({
      routeTemplate: "/api/hubs/{hub}/groups/{group}/:send",
      httpMethod: "POST",
      statusCode: 202,
      traceId: published.logContext["traceId"],
    });
    expect(rest.map(({ values }) => values[0])).toContain("The message was written to the socket.");
    await client.ask({ type: "leaveGroup", group: "g" });
    expect(await next()).toBe("MessagingLogs The connection left group 'g'.");
    expect(JSON.stringify([received, published, ...rest])).not.toContain(secret);
  });

  test("M-10 M-47 no line holds a token or a key", async () => {
    const viewer = await openTrace(server);
    const hub = freshName("hub");
    const path = `/:send?access_token=secret.of.a.token&key=${encodeURIComponent(server.primaryKey)}`;
    await hubApi(server, hub)("POST", path, { body: "x" });
    const lines = [await viewer.line(about(hub)), await viewer.line(about(hub)), await viewer.line(about(hub))];
    const categories = lines.map(({ logContext }) => logContext["category"]);
    expect(categories).toEqual(["MessagingLogs", "MessagingLogs", "HttpRequestLogs"]);
    const text = JSON.stringify(lines);
    expect(text).not.toContain("secret.of.a.token");
    expect(text).not.toContain(encodeURIComponent(server.primaryKey));
  });

  test("M-48 a token for something else, of no key, expired, or none is 401", async () => {
    const statusOf = async (path: string) => (await handshake(server.endpoint, { path })).status;
    const past = Math.floor(Date.now() / 1000) - 3600;
    for (const token of [
      traceToken(server, { aud: `${server.endpoint}/api/hubs/chat` }),
      traceToken(server, { aud: `${server.endpoint}/client/hubs/chat` }),
      traceToken(server, { aud: server.endpoint }),
      traceToken(server, { aud: "https://elsewhere.example/livetrace" }),
      traceToken(server, { exp: past }),
      traceToken({ ...server, primaryKey: "another-key-of-enough-bytes-0123456789" }),
      "not.a.token",
    ]) {
      expect(await statusOf(tracePath(server, token))).toBe(401);
    }
    expect(await statusOf("/livetrace")).toBe(401);
    expect(await statusOf(tracePath(server).replace("/livetrace", "/livetrace/negotiate"))).toBe(404);
    expect(await statusOf(tracePath({ ...server, primaryKey: server.secondaryKey }))).toBe(101);
    const headers = [["Authorization", `Bearer ${traceToken(server)}`]] as const;
    expect((await handshake(server.endpoint, { path: "/livetrace", headers })).status).toBe(101);
    // The hosted page connects from an origin of its own.
    const foreign = [["Origin", "https://westeurope.livetrace.webpubsub.azure.com"]] as const;
    expect((await handshake(server.endpoint, { path: tracePath(server), headers: foreign })).status).toBe(101);
  });

  test.each([
    ["no JSON", "{\u001e"],
    ["another protocol", '{"protocol":"messagepack","version":1}\u001e'],
    ["another version", '{"protocol":"json","version":2}\u001e'],
  ])("a handshake with %s is answered with an error and the end", async (_what, text) => {
    const socket = await openWebSocket(server.endpoint, { path: tracePath(server) });
    socket.send(text);
    const message = await socket.next();
    expect(message.kind === "text" ? message.text : message).toMatch(/^\{"error":"[^"]+"\}\u001e$/);
    expect(await socket.closed()).toMatchObject({ code: 1000 });
  });
});

test("M-46 M-48 without live trace the handshake is 403, network rules come first, and a view ends with it", async () => {
  const server = await startServer();
  try {
    const statusOf = async (token?: string) =>
      (await handshake(server.endpoint, { path: tracePath(server, token) })).status;
    expect(await statusOf()).toBe(403);
    expect(await statusOf("not.a.token")).toBe(401);
    await server.reconfigure({ properties: enabled });
    const viewer = await openTrace(server);
    await server.reconfigure({ properties: { networkACLs: { publicNetwork: { deny: ["Trace"] } } } });
    expect(await statusOf()).toBe(403);
    expect(await statusOf("not.a.token")).toBe(403);
    await server.reconfigure({ properties: { liveTraceConfiguration: { enabled: "false" } } });
    expect(await viewer.next()).toMatchObject({ type: 7, error: "Live trace was switched off." });
    expect(await viewer.socket.closed()).toMatchObject({ code: 1001 });
  } finally {
    await server.stop();
  }
});

test("M-49 categories that are switched off produce no lines, from the next line on", async () => {
  const categories = (name: string) => ({
    properties: {
      liveTraceConfiguration: {
        enabled: "True",
        categories: ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"].map((each) => ({
          name: each,
          enabled: String(each === name),
        })),
      },
    },
  });
  const server = await startServer(categories("HttpRequestLogs"));
  try {
    const viewer = await openTrace(server);
    const use = async () => {
      const hub = freshName("hub");
      const client = await connectJson(server, { hub, roles: ["webpubsub.joinLeaveGroup"] });
      await client.ask({ type: "joinGroup", group: "g" });
      await hubApi(server, hub)("POST", "/:send", { body: "x" });
      return lineOf(await viewer.next())?.logContext["category"];
    };
    expect(await use()).toBe("HttpRequestLogs");
    await server.reconfigure(categories("ConnectivityLogs"));
    expect(await use()).toBe("ConnectivityLogs");
    await server.reconfigure(categories("MessagingLogs"));
    expect(await use()).toBe("MessagingLogs");
  } finally {
    await server.stop();
  }
});

test("M-47 a refused request is a warning: the level is part of the event id", async () => {
  const server = await startServer({ properties: enabled });
  try {
    const viewer = await openTrace(server);
    const hub = freshName("hub");
    await hubApi(server, hub)("POST", "/:send", { body: "x", token: "not.a.token" });
    const { eventId } = await viewer.line(({ logContext }) => logContext["statusCode"] === 401);
    viewer.call("LogProperty", eventId);
    expect(await viewer.next()).toMatchObject({
      arguments: [{ eventName: "HttpRequestCompleted", logLevel: warning }],
    });
  } finally {
    await server.stop();
  }
});
