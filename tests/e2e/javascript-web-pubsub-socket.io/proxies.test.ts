import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { nextAck, nextSaid, say, startChatExample } from "../../support/chat-example.ts";
import { connectJson, openClient } from "../../support/clients.ts";
import { startEventHandler } from "../../support/event-handler.ts";
import { successAck, textEvent, tryToConnect } from "../../support/events.ts";
import { adminSettings, untilMetric } from "../../support/metrics.ts";
import { freshName } from "../../support/names.ts";
import { failureOf } from "../../support/node-agent.ts";
import { type Server, startServer } from "../../support/server.ts";
import { Proxies } from "./proxies.ts";

const handler = {
  urlTemplate: "tunnel:///eventhandler/{event}",
  userEventPattern: "*",
  systemEvents: ["connect", "connected", "disconnected"],
};

let server: Server;
let proxies: Proxies;
beforeAll(async () => {
  proxies = new Proxies();
  // The chat listens at one path for all events.
  const chatHandler = { ...handler, urlTemplate: "tunnel:///eventhandler" };
  server = await startServer({
    service: adminSettings,
    hubs: { "*": { eventHandlers: [handler] }, chat: { eventHandlers: [chatHandler] } },
  });
});
afterAll(async () => {
  await proxies.stop();
  await server.stop();
});

describe("a handler in the application's process", () => {
  test("T-1 it connects within a second with the connection string alone", async () => {
    const app = await proxies.inProcess(server, freshName("hub"));
    expect(app.ms).toBeLessThan(1000);
    await app.stop();
  });

  test("T-12 connect, connected, events with state, and disconnected are answered as over HTTP", async () => {
    const hub = freshName("hub");
    const app = await proxies.inProcess(server, hub);
    const client = await connectJson(server, { hub, userId: "ann" });
    expect(client.connected["userId"]).toBe("ann!");
    expect(await app.next("connect")).toMatchObject({ claims: { sub: ["ann"] } });
    await app.next("connected");
    for (const [ackId, states] of [{}, { seen: "ev" }].entries()) {
      client.send({ ...textEvent("ev", "hello"), ackId });
      expect(await client.next()).toMatchObject({ type: "message", from: "server", data: "echo hello" });
      expect(await client.next()).toMatchObject({ type: "ack", ackId, ...successAck });
      expect(await app.next("ev")).toMatchObject({ data: "hello", context: { userId: "ann!", states } });
    }
    client.socket.close(1000);
    await app.next("disconnected");
    const refused = await openClient(server, { hub, userId: "nobody" }).catch((error: unknown) => String(error));
    expect(refused).toContain("answered 401");
    await app.stop();
  });

  test("T-23 T-24 its REST calls act and resolve, filters included", async () => {
    const hub = freshName("hub");
    const app = await proxies.inProcess(server, hub);
    const [ann, bob] = [
      await connectJson(server, { hub, userId: "a'n n" }),
      await connectJson(server, { hub, userId: "bob" }),
    ];
    const nextOf = async (client: typeof ann) => (await client.next())["data"];
    await app.call("sendToConnection", ann.connectionId, "to ann");
    expect(await nextOf(ann)).toBe("to ann");
    await app.call("sendToAll", "to all");
    await app.call("sendToAll", "to some", { filter: "userId eq 'a''n n!' and not ('g' in groups)" });
    expect([await nextOf(ann), await nextOf(ann), await nextOf(bob)]).toEqual(["to all", "to some", "to all"]);
    await app.call("addConnectionsToGroups", ["g"], `connectionId eq '${ann.connectionId}' or userId eq 'bob!'`);
    await app.group("g", "sendToAll", "to group");
    await app.group("g", "sendToAll", "to bob", { filter: "userId eq 'bob!'" });
    expect([await nextOf(ann), await nextOf(bob), await nextOf(bob)]).toEqual(["to group", "to group", "to bob"]);
    await app.group("g", "removeConnection", ann.connectionId);
    await app.call("removeConnectionsFromGroups", ["g"], "userId eq 'bob!'");
    await app.group("g", "sendToAll", "to nobody");
    await ann.nothingArrived();
    await bob.nothingArrived();
    expect((await failureOf(app.call("sendToAll", "x", { filter: "nonsense '" })))["message"]).toContain("400");
    await app.stop();
  });

  test("T-27 a thousand messages in a row arrive in order", async () => {
    const hub = freshName("hub");
    const app = await proxies.inProcess(server, hub);
    const client = await connectJson(server, { hub });
    await app.sendMany(1000);
    for (let at = 0; at < 1000; at++) expect((await client.next())["data"]).toBe(String(at));
    await app.stop();
  });

  test("a stopped application is forgotten", async () => {
    const hub = freshName("hub");
    const app = await proxies.inProcess(server, hub);
    await untilMetric(server, `webpubsub_server_connection_count{hub="${hub}"}`, 1);
    await app.stop();
    await untilMetric(server, `webpubsub_server_connection_count{hub="${hub}"}`, 0);
  });
});

describe("a handler behind a local port", () => {
  test("T-11 T-22 requests arrive as webhooks do, a user id beyond ASCII as UTF-8 bytes", async () => {
    const hub = freshName("hub");
    const local = await startEventHandler();
    const app = await proxies.http(server, hub, local.url);
    local.hub(hub).answer("ev", { headers: [["Content-Type", "text/plain"]], body: "from the port" });
    const client = await connectJson(server, { hub, userId: "jürgen 😀" });
    const connect = await local.hub(hub).next("connect");
    expect([connect.method, connect.url]).toEqual(["POST", "/eventhandler/connect"]);
    expect(Buffer.from(connect.header("ce-userId") ?? "", "latin1").toString("utf8")).toBe("jürgen 😀");
    client.send({ ...textEvent("ev"), ackId: 1 });
    expect(await client.next()).toMatchObject({ data: "from the port" });
    expect(await client.next()).toMatchObject(successAck);
    expect(local.validations.untaken).toEqual([]);
    await app.stop();
    await local.stop();
  });

  test("T-11 T-12 the chat example works: what one says comes back to everybody", async () => {
    const chat = await startChatExample({ WebPubSubConnectionString: server.connectionString });
    const app = await proxies.http(server, "chat", chat.url);
    const [ann, bob] = [await chat.enter(server, "ann"), await chat.enter(server, "jürgen")];
    for (const [speaker, from] of [
      [ann, "ann"],
      [bob, "jürgen"],
    ] as const) {
      say(speaker, `from ${from}`);
      for (const client of [ann, bob])
        expect(await nextSaid(client)).toEqual({ kind: "message", from, text: `from ${from}` });
      expect(await nextAck(speaker)).toMatchObject(successAck);
    }
    say(bob, "  ");
    expect(await nextAck(bob)).toMatchObject({ success: false });
    await app.stop();
    await chat.stop();
  });

  test("T-16 a local port that nobody listens on is a 500 that is tried again", async () => {
    const hub = freshName("hub");
    const local = await startEventHandler();
    await local.stop();
    const app = await proxies.http(server, hub, local.url);
    expect((await tryToConnect(server, { hub })).status).toBe(500);
    const attempts = server.output().match(new RegExp(`HttpHandlerUnexpectedResponse.*"${hub}".*"status":500`, "g"));
    expect(attempts).toHaveLength(4);
    await app.stop();
  });
});

test("T-29 after a restart of the service the application is back within 3 s, with the same subject", async () => {
  const first = await startServer({ service: { listen: [{ url: "http://127.0.0.1:0" }] } });
  const hub = freshName("hub");
  const app = await proxies.inProcess(first, hub);
  const opened = new RegExp(`ServerConnectionStarted.*"connectionId":"([^"]+)".*"${app.serverId}"`);
  const [, before] = await first.process.written(opened);
  await first.stop();
  const { port } = new URL(first.endpoint);
  const keys = { primary: first.primaryKey, secondary: first.secondaryKey };
  const second = await startServer({ service: { listen: [{ url: `http://127.0.0.1:${port}` }], keys } });
  const [, after] = await second.process.written(opened, { withinMs: 3000 });
  expect(after).not.toBe(before ?? "");
  await app.call("sendToAll", "still there");
  await app.stop();
  await second.stop();
});
