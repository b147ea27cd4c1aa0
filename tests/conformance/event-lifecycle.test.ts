import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { connectAnswer, successAck, textEvent } from "../support/events.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

describe.skipIf(isForeign)("the connected and disconnected events", () => {
  let handler: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  const close = async (hub: string, id: string, query = ""): Promise<number> =>
    (await server.rest({ method: "DELETE", path: `/api/hubs/${hub}/connections/${id}${query}` })).status;

  test("E-47 connected has the body {} and user, state and cookies of the connect answer", async () => {
    const hub = freshName("hub");
    const connect = connectAnswer({ userId: "new" }, [
      ["ce-connectionState", "state-of-connect"],
      ["Set-Cookie", "route=1"],
    ]);
    handler.hub(hub).answer("connect", connect);
    await connectJson(server, { hub, userId: "ann" });
    const request = await handler.hub(hub).next("connected");
    expect(request.text).toBe("{}");
    expect(request.header("ce-type")).toBe("azure.webpubsub.sys.connected");
    expect(["ce-userId", "ce-connectionState", "Cookie", "ce-subprotocol"].map((name) => request.header(name))).toEqual(
      ["new", "state-of-connect", "route=1", "json.webpubsub.azure.v1"],
    );
  });

  test("E-48 a hanging connected delays no message and outlives the client", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const release = Promise.withResolvers<void>();
    events.answer("connected", { after: release.promise });
    const client = await connectJson(server, { hub });
    const connected = await events.next("connected");
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    client.socket.close(1000, "bye");
    const disconnected = await events.next("disconnected");
    expect(disconnected.header("ce-connectionId")).toBe(client.connectionId);
    const isAborted = await Promise.race([connected.aborted.then(() => true), Promise.resolve(false)]);
    expect(isAborted).toBe(false);
    release.resolve();
  });

  test("E-49 a client's close reason is told once", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const client = await connectJson(server, { hub });
    client.socket.close(1000, "bye");
    const request = await events.next("disconnected");
    expect([request.header("ce-connectionId"), request.text]).toEqual([client.connectionId, '{"reason":"bye"}']);
    expect(request.header("ce-type")).toBe("azure.webpubsub.sys.disconnected");
    const next = await connectJson(server, { hub });
    next.socket.close(1000, "next");
    expect((await events.next("disconnected")).json).toEqual({ reason: "next" });
    expect(events.untaken).not.toContain("disconnected");
  });

  test("E-49 a close without reason tells an empty one; a connection of moments is told too", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    client.socket.close();
    expect((await handler.hub(hub).next("disconnected")).json).toEqual({ reason: "" });
    const moment = await connectSimple(server, { hub });
    moment.socket.abort();
    const request = await handler.hub(hub).next("disconnected");
    expect(request.json).toEqual({ reason: expect.any(String) as unknown });
    expect(request.header("ce-userId")).toBe(moment.userId);
  });

  test("E-49 a refused message is told with the reason the client got", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    client.socket.send(new Uint8Array([1, 2, 3]));
    expect((await handler.hub(hub).next("disconnected")).json).toEqual({
      reason: "The JSON subprotocol requires text messages.",
    });
  });

  test("E-50 a close by REST is told with its reason", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const ann = await connectJson(server, { hub });
    expect(await close(hub, ann.connectionId, "?reason=r")).toBe(204);
    expect((await events.next("disconnected")).json).toEqual({
      reason: "Application server closed the connection. Reason: r",
    });
    const bob = await connectJson(server, { hub });
    expect(await close(hub, bob.connectionId)).toBe(204);
    expect((await events.next("disconnected")).json).toEqual({ reason: "Application server closed the connection." });
    expect(events.untaken).not.toContain("disconnected");
  });

  test("E-52 500 to connected is retried, then logged; client and state are unaffected", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const state = { headers: [["ce-connectionState", "from-a-notification"]] } as const;
    events.answer("connected", { ...state, status: 500 });
    const from = server.output().length;
    const client = await connectJson(server, { hub });
    for (let attempt = 0; attempt < 4; attempt++) expect((await events.next("connected")).header("ce-id")).toBe("1");
    const [line] = await server.process.written(/^.*event:connected.*500.*$/m, { from });
    expect(line).toContain(hub);
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    expect((await events.next("x")).header("ce-connectionState")).toBeNull();
    await client.nothingArrived();
    expect(events.untaken).toEqual(["connect"]);
  });

  test("E-52 500 to disconnected is retried and ends there", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("disconnected", { status: 500 });
    const client = await connectJson(server, { hub });
    client.socket.close(1000, "bye");
    for (let attempt = 0; attempt < 4; attempt++)
      expect((await events.next("disconnected")).header("ce-connectionId")).toBe(client.connectionId);
    events.answer("disconnected", {});
    const next = await connectJson(server, { hub });
    next.socket.close();
    expect((await events.next("disconnected")).header("ce-connectionId")).toBe(next.connectionId);
    expect(events.untaken).not.toContain("disconnected");
  });
});
