import { describe, expect, test } from "bun:test";
import { connectJson, openClient } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { successAck, textEvent } from "../support/events.ts";
import { resourceLinesWith } from "../support/log-lines.ts";
import { adminSettings, untilMetric } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { acceptAllBut, openTunnel, tunnelHandshake } from "../support/tunnel.ts";
import { until } from "../support/until.ts";

const resourceLogs = { resourceLogConfiguration: { categories: [{ name: "ConnectivityLogs", enabled: "True" }] } };
const allEvents = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };
const tunnelHandler = { urlTemplate: "tunnel:///eventhandler/{event}", ...allEvents };

async function withServer(overrides: Parameters<typeof startServer>[0], act: (server: Server) => Promise<void>) {
  const server = await startServer(overrides);
  try {
    await act(server);
  } finally {
    if (!server.process.hasExited) await server.stop();
  }
}

describe.skipIf(isForeign)("routing between tunnels", () => {
  test("T-32 T-33 a client stays with one application, over any of its tunnels; new clients go to the other", () =>
    withServer({ hubs: { "*": { eventHandlers: [tunnelHandler] } } }, async (server) => {
      const hub = freshName("hub");
      const seen: (readonly [application: string, user: string | null])[] = [];
      const open = (serverId: string) =>
        openTunnel(server, {
          hub,
          serverId,
          auto: (request) => {
            if (request.event === "connect") return undefined;
            seen.push([serverId, request.header("ce-userId")]);
            return {};
          },
        });
      const tunnels = [await open("one"), await open("one"), await open("two")];
      const clients = [connectJson(server, { hub, userId: "u0" }), connectJson(server, { hub, userId: "u1" })];
      // Neither connect is answered before both have been sent, so the second one goes to the idle application.
      await until("both connects are there", async () => {
        await server.rest({ path: "/api/health" });
        return tunnels.flatMap(({ events }) => events.untaken).length === 2;
      });
      const owners = new Map<string | null, string>();
      for (const tunnel of tunnels) {
        for (const request of [...tunnel.events.untaken]) {
          owners.set(request.header("ce-userId"), String((await tunnel.greeting()).json["UserId"]));
          await tunnel.serve("connect");
        }
      }
      expect(new Set(owners.values())).toEqual(new Set(["one", "two"]));
      for (const client of await Promise.all(clients))
        for (let round = 0; round < 5; round++) expect(await client.ask(textEvent("ev"))).toEqual(successAck);
      expect(seen.length).toBeGreaterThanOrEqual(10);
      for (const [application, user] of seen) expect([user, application]).toEqual([user, owners.get(user) ?? ""]);
    }));

  test("T-34 when an application is gone for 5 s another one takes over its clients", () =>
    withServer({ hubs: { "*": { eventHandlers: [tunnelHandler] } } }, async (server) => {
      const hub = freshName("hub");
      const first = await openTunnel(server, { hub, auto: acceptAllBut() });
      const client = await connectJson(server, { hub });
      await openTunnel(server, { hub, auto: acceptAllBut() });
      first.socket.close(1000);
      await first.closed();
      client.send({ ...textEvent("ev"), ackId: 1 });
      expect(await client.next({ withinMs: 9000 })).toMatchObject(successAck);
    }));

  test("T-35 the next handler, or another URL, is used only while there is no tunnel", async () => {
    const [app, other]: EventHandler[] = [await startEventHandler(), await startEventHandler()];
    if (app === undefined || other === undefined) throw new Error("two handlers are expected");
    const toNext = { eventHandlers: [{ ...tunnelHandler, whenNoTunnel: "next" }, app.settings()] };
    const toUrl = { eventHandlers: [{ ...tunnelHandler, whenNoTunnel: `${other.url}/hooks/{event}` }, app.settings()] };
    const fails = { eventHandlers: [tunnelHandler, app.settings()] };
    const hubs = { next: toNext, url: toUrl, fails };
    await withServer({ hubs, upstream: { retryDelaysSeconds: [] } }, async (server) => {
      for (const [hub, handler] of [
        ["next", app],
        ["url", other],
      ] as const) {
        const before = await connectJson(server, { hub });
        await handler.hub(hub).next("connect");
        await handler.hub(hub).next("connected");
        const tunnel = await openTunnel(server, { hub });
        before.send({ ...textEvent("ev"), ackId: 1 });
        // An error of the application is no reason to go elsewhere.
        await tunnel.serve("ev", { status: 500 });
        expect(await before.next()).toMatchObject({ type: "ack", success: false });
        expect(handler.hub(hub).untaken).toEqual([]);
        tunnel.socket.close(1000);
        await tunnel.closed();
        before.send({ ...textEvent("ev"), ackId: 2 });
        expect(await before.next()).toMatchObject({ ackId: 2, success: true });
        await handler.hub(hub).next("ev");
      }
      expect(await openClient(server, { hub: "fails" }).catch((error: unknown) => String(error))).toContain(
        "answered 500",
      );
      expect(app.hub("fails").untaken).toEqual([]);
    });
    await app.stop();
    await other.stop();
  });

  test("a reload that adds the first tunnel handler raises the limit of frames for new tunnels", () =>
    withServer({}, async (server) => {
      const hub = freshName("hub");
      await server.reconfigure({ hubs: { [hub]: { eventHandlers: [tunnelHandler] } } });
      const tunnel = await openTunnel(server, { hub, auto: acceptAllBut("ev") });
      const client = await connectJson(server, { hub });
      client.send({ ...textEvent("ev"), ackId: 1 });
      await tunnel.serve("ev", { headers: { "content-type": ["text/plain"] }, body: "x".repeat(2_000_000) });
      expect((await client.next())["data"]).toHaveLength(2_000_000);
      client.socket.send("x".repeat(1_048_577));
      expect(await client.next()).toMatchObject({ type: "ack" });
      expect((await client.socket.closed()).code).toBe(1009);
    }));
});

describe.skipIf(isForeign)("the life of tunnels", () => {
  test("tunnels are counted and logged as server connections", () =>
    withServer({ service: adminSettings, properties: resourceLogs }, async (server) => {
      const tunnel = await openTunnel(server, { hub: "chat", serverId: "srv-1" });
      await untilMetric(server, 'webpubsub_server_connection_count{hub="chat"}', 1);
      const id = String((await tunnel.greeting()).json["ConnectionId"]);
      tunnel.socket.close(1000);
      await untilMetric(server, 'webpubsub_server_connection_count{hub="chat"}', 0);
      await untilMetric(server, 'webpubsub_server_connection_open_total{hub="chat"}', 1);
      await untilMetric(server, 'webpubsub_total_connection_count{hub="chat"}', 0);
      for (const operationName of ["ServerConnectionStarted", "ServerConnectionEnded"]) {
        const [line] = await resourceLinesWith(server, operationName, id);
        const properties = { collection: "Connection", connectionId: id, hub: "chat" };
        expect(line).toMatchObject({ category: "ConnectivityLogs", callerIpAddress: "127.0.0.1", properties });
      }
    }));

  test("T-31 a stopping service finishes what is in flight, then closes with 1001", () =>
    withServer({ hubs: { "*": { eventHandlers: [tunnelHandler] } }, limits: { drainSeconds: 10 } }, async (server) => {
      const hub = freshName("hub");
      const tunnel = await openTunnel(server, { hub });
      const connecting = connectJson(server, { hub });
      await tunnel.serve("connect");
      const client = await connecting;
      await tunnel.serve("connected");
      server.process.kill("SIGTERM");
      expect((await client.next())["event"]).toBe("disconnected");
      const disconnected = await tunnel.next("disconnected");
      // Still answered, while nobody new gets in.
      expect((await tunnel.call("HEAD", "/api/health")).status).toBe(503);
      await tunnelHandshake(server, { hub }).then(
        ({ status }) => expect(status).toBe(503),
        () => undefined, // the listener is closed already
      );
      tunnel.answer(disconnected);
      expect(await tunnel.closed()).toMatchObject({ code: 1001, reason: "Service is restarting." });
      expect(await server.process.exited).toBe(0);
      expect(tunnel.others.untaken).toEqual([]);
      expect(server.output()).not.toContain("NotificationDropped");
    }));
});
