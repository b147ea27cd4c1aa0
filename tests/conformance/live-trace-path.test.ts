import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { adminSettings, readMetrics } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { connectReliable } from "../support/reliable.ts";
import { type Server, startServer } from "../support/server.ts";
import { lineOf, openTrace, type TraceLine, type TraceViewer } from "../support/trace-viewer.ts";

let handler: EventHandler;
let server: Server;
beforeAll(async () => {
  handler = await startEventHandler();
  server = await startServer({
    service: adminSettings,
    properties: { liveTraceConfiguration: { enabled: "true", categories: [] } },
    upstream: { retryDelaysSeconds: [] },
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: ["connect"], userEventPattern: "ask" })] } },
  });
});
afterAll(async () => {
  await server.stop();
  await handler.stop();
});

const sendAnywhere = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];
const droppedTotal = "webpubsub_live_trace_lines_dropped_total";

/** The next lines of the message that the first one, which passes, belongs to. */
async function follow(viewer: TraceViewer, first: (line: TraceLine) => boolean, lines: number): Promise<TraceLine[]> {
  const start = await viewer.line(first);
  const { traceId } = start.logContext;
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  const path = [start];
  while (path.length < lines) path.push(await viewer.line(({ logContext }) => logContext["traceId"] === traceId));
  return path;
}

const nameOf = async (viewer: TraceViewer, { eventId }: TraceLine): Promise<unknown> => {
  viewer.call("LogProperty", eventId);
  for (;;) {
    const { target, arguments: args } = await viewer.next();
    if (target === "LogProperty") return (args as { readonly eventName: unknown }[])[0]?.eventName;
  }
};

const elapsedOf = ({ logContext }: TraceLine): number => Number(logContext["elapsed"]);

test("a message is followed from its sender to each recipient, with the time since it was received", async () => {
  const hub = freshName("hub");
  const sender = await connectJson(server, { hub, userId: "ann", roles: sendAnywhere });
  const receivers = [
    await connectJson(server, { hub, userId: "bob", groups: ["g"] }),
    await connectReliable(server, { hub, userId: "eve", groups: ["g"] }),
  ];
  const viewer = await openTrace(server);
  sender.send({ type: "sendToGroup", group: "g", dataType: "text", data: "hello" });
  const path = await follow(viewer, ({ logContext }) => logContext["kind"] === "sendToGroup", 4);
  const shared = {
    category: "MessagingLogs",
    hub,
    traceId: path[0]?.logContext["traceId"],
    elapsed: expect.any(Number) as unknown,
  };
  const from = { connectionId: sender.connectionId, userId: "ann" };
  const address = { callerIpAddress: "127.0.0.1" };
  const delivered = { ...shared, ...address, stage: "written", queued: expect.any(Number) as unknown };
  expect(path.slice(0, 2).map(({ logContext }) => logContext)).toEqual([
    { ...shared, ...from, ...address, kind: "sendToGroup", size: 5 },
    { ...shared, ...from, recipients: 2 },
  ]);
  const deliveries = path.slice(2).map(({ logContext }) => logContext);
  expect(deliveries.toSorted((left, right) => String(left["userId"]).localeCompare(String(right["userId"])))).toEqual([
    { ...delivered, connectionId: receivers[0]?.connectionId, userId: "bob" },
    { ...delivered, connectionId: receivers[1]?.connectionId, userId: "eve", sequenceId: 1 },
  ]);
  expect(path.map(({ values }) => values)).toEqual([
    ["A client sent a message to group 'g' (length 5)."],
    ["A message of a client to group 'g' was handed to 2 connections (text, 5 characters)."],
    ["The message was written to the socket."],
    ["The message was written to the socket."],
  ]);
  // Milliseconds to the microsecond, and no step before the last one.
  const times = path.map(elapsedOf);
  expect(times.every((time) => time >= 0 && Math.round(time * 1000) / 1000 === time)).toBe(true);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  for (const { logContext } of path.slice(2))
    expect(Number(logContext["queued"])).toBeLessThanOrEqual(Number(logContext["elapsed"]));
  const names = [];
  for (const line of path) names.push(await nameOf(viewer, line));
  expect(names).toEqual(["MessageReceived", "MessagePublished", "MessageDelivered", "MessageDelivered"]);
});

test("a message waits for a client that does not read, and is delivered when it does", async () => {
  const hub = freshName("hub");
  const slow = await connectJson(server, { hub, userId: "slow" });
  const quick = await connectJson(server, { hub, userId: "quick" });
  const viewer = await openTrace(server);
  slow.socket.pause();
  const api = hubApi(server, hub);
  const delayed = viewer.line(({ logContext }) => logContext["stage"] === "waiting");
  let isDelayed = false;
  void delayed.then(() => {
    isDelayed = true;
  });
  let sent = 0;
  for (; !isDelayed; sent++) await api("POST", "/:send", { body: "x".repeat(500_000) });
  const { logContext, values } = await delayed;
  expect(logContext).toMatchObject({ connectionId: slow.connectionId, userId: "slow", queueLength: 1 });
  expect(values).toEqual(["The message waits: the socket is full, and 1 message is in the queue."]);
  for (let read = 0; read < sent; read++) await quick.next();
  slow.socket.resume();
  const written = await viewer.line(
    (line) =>
      line.logContext["traceId"] === logContext["traceId"] &&
      line.logContext["stage"] === "written" &&
      line.logContext["userId"] === "slow",
  );
  expect(elapsedOf(written)).toBeGreaterThan(Number(logContext["elapsed"]));
  expect(written.logContext["queued"]).toBe(logContext["queued"]);
});

test("an event is followed through the event handler to its answer, and a refused message to its refusal", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, userId: "ann" });
  const viewer = await openTrace(server);
  handler.hub(hub).answer("ask", { headers: [["Content-Type", "text/plain"]], body: "answer" });
  client.send({ type: "event", event: "ask", dataType: "text", data: "question" });
  const path = await follow(viewer, ({ logContext }) => logContext["kind"] === "event", 3);
  expect(path.map(({ logContext: { connectionId, statusCode, stage } }) => [connectionId, statusCode, stage])).toEqual([
    [client.connectionId, undefined, undefined],
    [client.connectionId, 200, undefined],
    [client.connectionId, undefined, "written"],
  ]);
  expect(path[1]?.logContext["requestBody"]).toBeUndefined();
  expect(await nameOf(viewer, path[1] ?? expect.unreachable())).toBe("EventHandlerInvoked");
  client.send({ type: "sendToGroup", group: "g", dataType: "text", data: "x", ackId: 1 });
  const refused = await follow(viewer, ({ logContext }) => logContext["kind"] === "sendToGroup", 2);
  expect(refused[1]?.values[0]).toStartWith("A request was refused as Forbidden: ");
});

test("H-55 headers and bodies of event requests are for the view that asks, and without secrets", async () => {
  const hub = freshName("hub");
  const curious = await openTrace(server);
  const other = await openTrace(server);
  const isAsk = ({ logContext }: TraceLine) => logContext["hub"] === hub && logContext["url"] !== undefined;
  curious.call("CaptureWebhookBodies", true);
  curious.call("Filter", { hub });
  const cookie = "session=the-cookie-of-the-test";
  handler.hub(hub).answer("connect", { headers: [["Set-Cookie", cookie]], body: '{"userId":"ann"}' });
  const secret = "the-code-of-the-test";
  const client = await connectJson(server, { hub, query: { code: secret } });
  const signature = (await handler.hub(hub).next("connect")).header("ce-signature") ?? "";
  const connect = await curious.line(isAsk);
  expect(connect.logContext["requestBody"]).toStartWith('{"claims":{');
  expect(connect.logContext["requestBody"]).toContain('"code":"REDACTED"');
  expect(connect.logContext).toMatchObject({ responseBody: '{"userId":"ann"}' });
  handler
    .hub(hub)
    .answer("ask", { headers: [["Content-Type", "application/octet-stream"]], body: Uint8Array.of(0, 255) });
  const text = `say it with ${server.primaryKey} and ${"y".repeat(5000)}`;
  client.send({ type: "event", event: "ask", dataType: "text", data: text });
  const ask = await curious.line(isAsk);
  expect(ask.logContext["requestHeaders"]).toMatch(/^ce-signature: REDACTED$/m);
  expect(ask.logContext["requestHeaders"]).toMatch(/^Cookie: REDACTED$/m);
  expect(ask.logContext["requestHeaders"]).toMatch(/^ce-eventName: ask$/m);
  expect(ask.logContext["requestBody"]).toStartWith("say it with REDACTED and yyy");
  expect(ask.logContext["requestBody"]).toEndWith(`… (${Buffer.byteLength(text)} bytes)`);
  expect(String(ask.logContext["requestBody"]).length).toBeLessThan(4200);
  expect(ask.logContext["responseHeaders"]).toMatch(/^Content-Type: application\/octet-stream$/im);
  expect(ask.logContext["responseBody"]).toBe("base64:AP8=");
  const everything = JSON.stringify([connect, ask]);
  for (const hidden of [secret, cookie, signature, server.primaryKey]) expect(everything).not.toContain(hidden);
  for (const line of [await other.line(isAsk), await other.line(isAsk)])
    expect(Object.keys(line.logContext).filter((name) => name.startsWith("re"))).toEqual([]);
  curious.call("CaptureWebhookBodies", false);
  handler.hub(hub).answer("ask", {});
  client.send({ type: "event", event: "ask", dataType: "text", data: "more" });
  expect((await curious.line(isAsk)).logContext["requestBody"]).toBeUndefined();
});

test("a flood loses lines of views, which are told how many, and no message", async () => {
  const [hub, members, messages] = [freshName("hub"), 200, 100];
  const group = await Promise.all(
    Array.from({ length: members }, (_unused, index) =>
      connectJson(server, { hub, userId: `u${index}`, groups: ["g"] }),
    ),
  );
  const before = (await readMetrics(server)).get(droppedTotal) ?? 0;
  const [reading, asleep, follower] = [await openTrace(server), await openTrace(server), await openTrace(server)];
  asleep.socket.pause();
  follower.call("Filter", { connectionId: group[199]?.connectionId });
  // A fence: the filter is in force when it is answered.
  follower.call("LogProperty", 12);
  await follower.next();
  const sender = await connectJson(server, { hub, roles: sendAnywhere });
  for (let index = 0; index < messages; index++)
    sender.send({ type: "sendToGroup", group: "g", dataType: "text", data: `${index}` });
  for (const member of group) {
    for (let index = 0; index < messages; index++) expect(await member.next()).toMatchObject({ data: `${index}` });
  }
  // Who follows one recipient sees everything of it.
  for (let index = 0; index < messages; index++) {
    const line = lineOf(await follower.next());
    expect(line?.logContext).toMatchObject({ connectionId: group[199]?.connectionId, stage: "written" });
  }
  // 20,000 deliveries, of which 100 of each message would be followed: more than a view gets in a second.
  const told = await reading.line(({ logContext }) => logContext["dropped"] !== undefined);
  expect(told.values[0]).toStartWith(`${String(told.logContext["dropped"])} lines were left out: `);
  expect(await nameOf(reading, told)).toBe("LinesDropped");
  const dropped = ((await readMetrics(server)).get(droppedTotal) ?? 0) - before;
  expect(dropped).toBeGreaterThanOrEqual(2 * 100 * messages);
});
