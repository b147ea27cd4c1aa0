import { expect, test } from "bun:test";
import { clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { adminSettings, readMetrics, untilMetric } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { handshake } from "../support/web-socket.ts";

test("M-44 one more client than maxConnections is refused with 429, and it is logged", async () => {
  const categories = [{ name: "ConnectivityLogs", enabled: true }];
  const server = await startServer({
    limits: { maxConnections: 1 },
    properties: { resourceLogConfiguration: { categories } },
  });
  try {
    const hub = freshName("hub");
    const first = await connectJson(server, { hub });
    const status = async (): Promise<number> => {
      return (await handshake(server.endpoint, { path: clientPath(server, { hub: freshName("other") }) })).status;
    };
    expect(await status()).toBe(429);
    await server.process.written(/"event":"ConnectionCountLimitReached","message":"Connection count reaches limit"/);
    await server.process.written(/"operationName":"ConnectionCountLimitReached".*"collection":"Throttling"/);
    await first.nothingArrived();
    first.socket.close(1000);
    await until("the place is free again", async () => (await status()) === 101);
  } finally {
    await server.stop();
  }
});

test("M-45 each started 2 KiB to a client or a handler counts as a message", async () => {
  const handler = await startEventHandler();
  const server = await startServer({
    service: adminSettings,
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] } },
  });
  try {
    const counted = "webpubsub_outbound_messages_total";
    const hub = freshName("hub");
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectSimple(server, { hub })));
    const payload = "4".repeat(4096);
    const before = (await readMetrics(server)).get(counted) ?? 0;
    clients[0]?.socket.send(payload);
    expect((await handler.hub(hub).next()).text).toBe(payload);
    await untilMetric(server, counted, before + 2);
    expectEmpty(await hubApi(server, hub)("POST", "/:send", { body: payload }), 202);
    for (const { socket } of clients) expect(await socket.nextText()).toBe(payload);
    await untilMetric(server, counted, before + 22);
    expectEmpty(await hubApi(server, hub)("POST", "/:send", { body: "4".repeat(4097) }), 202);
    for (const { socket } of clients) expect(await socket.nextText()).toHaveLength(4097);
    await untilMetric(server, counted, before + 22 + 30);
  } finally {
    await server.stop();
    await handler.stop();
  }
});

test("beyond maxMessagesPerDay clients are closed, and sends and new clients are refused with 429", async () => {
  const server = await startServer({ limits: { maxMessagesPerDay: 5 } });
  try {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    const send = () => hubApi(server, hub)("POST", "/:send", { body: "x" });
    for (let count = 0; count < 5; count++) {
      expectEmpty(await send(), 202);
      expect(await client.socket.nextText()).toBe("x");
    }
    expectEmpty(await send(), 202); // the sixth is the one too many
    expect(await client.socket.nextText()).toBe("x");
    expect(await client.socket.closed()).toEqual({ code: 1008, reason: "Message count reaches limit" });
    await server.process.written(/"event":"MessageCountLimitReached"/);
    const refused = await send();
    expect([refused.status, refused.json]).toEqual([
      429,
      { code: "Error.Throttled", message: "Message count reaches limit" },
    ]);
    const wait = Number(refused.header("retry-after"));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(86_400);
    expect((await handshake(server.endpoint, { path: clientPath(server, { hub }) })).status).toBe(429);
    expectEmpty(await hubApi(server, hub)("HEAD", "/groups/none"), 404);
  } finally {
    await server.stop();
  }
});
