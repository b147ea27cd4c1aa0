import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const failed = { success: false, error: { name: "InternalServerError", message: "Internal server error" } };

describe.skipIf(isForeign)("a server with an event handler", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] }, unhandled: {} },
      upstream: { retryDelaysSeconds: [] },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("C-52 the handler's reply comes as a server message before the ack", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("order", { headers: [["Content-Type", "application/json"]], body: '{"total": 5.0}' });
    const client = await connectJson(server, { hub });
    client.send('{"type":"event","event":"order","ackId":3,"data":{"n": 5}}');
    expect(await client.socket.nextText()).toContain('"dataType":"json","data":{"total": 5.0}}');
    expect(await client.next()).toEqual({ type: "ack", ackId: 3, success: true });
    expect((await handler.hub(hub).next("order")).text).toBe('{"n": 5}');
  });

  test("C-52 an empty reply is an ack alone", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    expect(await client.ask({ type: "event", event: "order", dataType: "text", data: "x" })).toEqual({ success: true });
    await client.nothingArrived();
  });

  test("C-53 a failing handler is acked InternalServerError, and the same ackId can be tried again", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("order", [{ status: 500, body: "secret" }, { status: 404 }, { status: 200 }]);
    const client = await connectJson(server, { hub });
    const attempt = async (): Promise<unknown> => {
      client.send({ type: "event", event: "order", ackId: 9, data: 1 });
      return client.next();
    };
    expect(await attempt()).toEqual({ type: "ack", ackId: 9, ...failed });
    expect(await attempt()).toEqual({ type: "ack", ackId: 9, ...failed });
    expect(await attempt()).toEqual({ type: "ack", ackId: 9, success: true });
    expect(await attempt()).toMatchObject({ ackId: 9, success: false, error: { name: "Duplicate" } });
    expect(handler.hub(hub).untaken).toEqual(["order", "order", "order"]);
  });

  test("C-53 an event without handler and listener is acked InternalServerError", async () => {
    const client = await connectJson(server, { hub: "unhandled" });
    for (let time = 0; time < 2; time++) {
      client.send({ type: "event", event: "order", ackId: 1, data: 1 });
      expect(await client.next()).toEqual({ type: "ack", ackId: 1, ...failed });
    }
    await client.nothingArrived();
  });

  test("C-54 a failing event without ackId is silent and keeps the connection", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("failing", { status: 500 });
    const client = await connectJson(server, { hub });
    client.send({ type: "event", event: "failing", data: 1 });
    expect(await client.ask({ type: "event", event: "fine", data: 1 })).toEqual({ success: true });
    expect(handler.hub(hub).untaken).toEqual(["failing", "fine"]);
    const unhandled = await connectJson(server, { hub: "unhandled" });
    unhandled.send({ type: "event", event: "order", data: 1 });
    expect(await unhandled.ask({ type: "event", event: "order", data: 1 })).toEqual(failed);
    await unhandled.nothingArrived();
  });

  test("C-55 event names of 128 characters with dots, dashes and underscores are accepted", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    for (const event of [`e${"v".repeat(127)}`, "a", "Z.a-b_c.9"]) {
      expect(await client.ask({ type: "event", event, data: 1 })).toEqual({ success: true });
      expect((await handler.hub(hub).next()).event).toBe(event);
    }
  });

  test.each([`e${"v".repeat(128)}`, "1x", "a b", "a/b", "", "é", "a\n"])(
    "C-55 the event name %j closes 1007",
    async (event) => {
      const client = await connectJson(server, { hub: freshName("hub") });
      await expectDeclined(client, JSON.stringify({ type: "event", event, ackId: 1, data: 1 }));
    },
  );

  test("C-56 ping is answered while an event handler is still at work", async () => {
    const hub = freshName("hub");
    const work = Promise.withResolvers<void>();
    handler.hub(hub).answer("slow", { after: work.promise });
    const client = await connectJson(server, { hub });
    client.send({ type: "event", event: "slow", ackId: 1, data: 1 });
    await handler.hub(hub).next("slow");
    client.send({ type: "event", event: "next", ackId: 2, data: 1 });
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong" });
    expect(handler.hub(hub).untaken).toEqual([]);
    work.resolve();
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect(await client.next()).toEqual({ type: "ack", ackId: 2, success: true });
  });
});
