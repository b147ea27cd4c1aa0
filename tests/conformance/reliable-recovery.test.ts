import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonFrame } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { successAck, textAnswer, textEvent } from "../support/events.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import {
  connectReliable,
  leave,
  numbered,
  recover,
  refusedRecovery,
  reliableJson,
  tryToRecover,
} from "../support/reliable.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

const everything = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];
const forbidden: JsonFrame = { success: false, error: { name: "Forbidden", message: expect.any(String) as unknown } };

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  const send = async (hub: string, body: string): Promise<void> => {
    expect((await hubApi(server, hub)("POST", "/:send", { body })).status).toBe(202);
  };

  test("C-72 after a cut connection everything unconfirmed, sent meanwhile and live arrives in order", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: everything });
    for (const data of ["a", "b"]) await send(hub, data);
    const before = [await client.socket.nextText(), await client.socket.nextText()];
    client.socket.abort();
    for (const data of ["c", "d"]) await send(hub, data);
    const again = await recover(server, client);
    await send(hub, "e");
    expect([await again.socket.nextText(), await again.socket.nextText()]).toEqual(before);
    for (const [id, data] of [
      [3, "c"],
      [4, "d"],
      [5, "e"],
    ] as const)
      expect(await again.next()).toEqual(numbered(id, data));
    again.send({ type: "sequenceAck", sequenceId: 5 });
    await again.nothingArrived();
  });

  test("C-72 several cuts in a row lose and repeat no number", async () => {
    const hub = freshName("hub");
    let client = await connectReliable(server, { hub, roles: everything });
    for (let round = 1; round <= 10; round++) {
      await send(hub, String(round));
      client.socket.abort();
      client = await recover(server, client);
      expect(await client.next()).toEqual(numbered(round, String(round)));
      client.send({ type: "sequenceAck", sequenceId: round });
      expect(await client.ask({ type: "leaveGroup", group: "g" })).toHaveProperty("success");
    }
  });

  test("C-74 groups, permissions and ack ids survive a recovery", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: ["webpubsub.joinLeaveGroup.g"] });
    client.send({ type: "joinGroup", group: "g", ackId: 1 });
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    await leave(client);
    const again = await recover(server, client);
    again.send({ type: "joinGroup", group: "g", ackId: 1 });
    expect(await again.next()).toMatchObject({ ackId: 1, success: false, error: { name: "Duplicate" } });
    expect(await again.ask({ type: "joinGroup", group: "other" })).toEqual(forbidden);
    await hubApi(server, hub)("POST", "/groups/g/:send", { body: "x" });
    expect(await again.next()).toMatchObject({ sequenceId: 1, group: "g", data: "x" });
  });

  test("R-94 a granted permission survives a recovery and not a new connection", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectReliable(server, { hub, userId: "u" });
    const path = `/permissions/sendToGroup/connections/${client.connectionId}?targetName=g`;
    expect((await api("PUT", path)).status).toBe(200);
    await leave(client);
    expect((await api("HEAD", path)).status).toBe(200);
    const publish = { type: "sendToGroup", group: "g", dataType: "text", data: "x" };
    const again = await recover(server, client);
    expect(await again.ask(publish)).toEqual(successAck);
    const fresh = await connectReliable(server, { hub, userId: "u" });
    expect(await fresh.ask(publish)).toEqual(forbidden);
  });

  test("C-77 what cannot be recovered is upgraded as offered, closed 1008, and harms nobody", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    const plain = await connectJson(server, { hub });
    const other = await connectReliable(server, { hub });
    for (const options of [
      { reconnectionToken: "wrong" },
      { reconnectionToken: null },
      { reconnectionToken: "" },
      { reconnectionToken: other.reconnectionToken },
      { id: "unknown" },
      { id: plain.connectionId },
      { hub: freshName("hub") },
      { id: "unknown", subprotocols: ["json.webpubsub.azure.v1", reliableJson] },
    ]) {
      const socket = await tryToRecover(server, client, options);
      expect(socket.subprotocol).toBe(options.subprotocols?.[0] ?? reliableJson);
      expect(await socket.closed()).toEqual(refusedRecovery);
    }
    await client.nothingArrived();
    await leave(client);
    expect(await (await tryToRecover(server, client, { reconnectionToken: "wrong" })).closed()).toEqual(
      refusedRecovery,
    );
    expect((await recover(server, client)).connectionId).toBe(client.connectionId);
  });

  test("C-78 a recovery while the old socket is open takes over; the old one is cut", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    const again = await recover(server, client);
    expect(await client.socket.closed()).toEqual({ code: 1006, reason: "" });
    await again.nothingArrived();
    expect((await hubApi(server, hub)("HEAD", `/connections/${client.connectionId}`)).status).toBe(200);
  });

  test("C-80 a client that closed with a code other than 1000 can come back", async () => {
    const hub = freshName("hub");
    for (const code of [1001, 3000, 4999]) {
      const client = await connectReliable(server, { hub });
      client.socket.close(code, "later");
      await client.socket.ended;
      expect((await recover(server, client)).connectionId).toBe(client.connectionId);
    }
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      hubs: {
        ticking: { webSocketKeepAliveIntervalInSeconds: 1 },
        silent: { webSocketKeepAliveIntervalInSeconds: 1 },
        "*": { eventHandlers: [handler.settings()] },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("R-55 a message whose TTL ended while its client was away is not brought back, one without TTL is", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    await leave(client);
    for (const [body, ttl] of [
      ["short", 1],
      ["endless", 0],
      ["long", 300],
    ] as const) {
      const sent = await hubApi(server, hub)("POST", `/:send?messageTtlSeconds=${ttl}`, { body });
      expect(sent.status).toBe(202);
    }
    const clock = await connectSimple(server, { hub: "ticking" });
    for (let second = 0; second < 4; second++) await clock.socket.pings.take({ what: "ping" });
    const again = await recover(server, client);
    expect([await again.next(), await again.next()]).toEqual([numbered(2, "endless"), numbered(3, "long")]);
  });

  test("C-80 C-93 a client that answers no ping loses its socket alone", async () => {
    const client = await connectReliable(server, { hub: "silent", answerPings: false });
    expect(await client.socket.closed()).toEqual({ code: 1006, reason: "" });
    expect((await recover(server, client)).connectionId).toBe(client.connectionId);
  });

  test("E-45 C-82 neither connect nor connected is told of a recovery, and disconnected only of the end", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    let client = await connectReliable(server, { hub });
    for (let round = 0; round < 3; round++) {
      await leave(client);
      client = await recover(server, client);
    }
    client = await recover(server, client);
    expect(await client.ask(textEvent("marker"))).toEqual(successAck);
    for (const name of ["connect", "connected", "marker"]) await events.next(name);
    expect(events.untaken).toEqual([]);
    client.socket.close(1000, "bye");
    const ended = await events.next();
    expect([ended.event, ended.json]).toEqual(["disconnected", { reason: "bye" }]);
    // A later connection's events come after whatever might still be told of the first.
    const later = await connectReliable(server, { hub });
    later.socket.close(1000);
    await events.next("disconnected");
    expect([...events.untaken].sort()).toEqual(["connect", "connected"]);
  });

  test("E-72 the connection state survives a recovery", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("set", textAnswer("", [["ce-connectionState", "kept"]]));
    const client = await connectReliable(server, { hub });
    client.send({ ...textEvent("set"), ackId: 1 });
    await events.next("set");
    for (;;) if ((await client.next())["type"] === "ack") break;
    await leave(client);
    const again = await recover(server, client);
    again.send(textEvent("look"));
    expect((await events.next("look")).header("ce-connectionState")).toBe("kept");
  });

  test("C-78 an event that waits for its handler is answered on the new socket", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const release = Promise.withResolvers<void>();
    events.answer("slow", { ...textAnswer("answer"), after: release.promise });
    const client = await connectReliable(server, { hub });
    client.send({ ...textEvent("slow"), ackId: 7 });
    await events.next("slow");
    const again = await recover(server, client);
    release.resolve();
    expect(await again.next()).toEqual(numbered(1, "answer"));
    expect(await again.next()).toEqual({ type: "ack", ackId: 7, success: true });
  });
});
