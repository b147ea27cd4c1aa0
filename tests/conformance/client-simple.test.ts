import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { handshake } from "../support/web-socket.ts";

const toGroup = { webpubsub_mode: "sendToGroup", group: "g" };

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test.each(["webpubsub.sendToGroup", "webpubsub.sendToGroup.g", "webpubsub.sendToGroups.?"])(
    "C-66 in mode sendToGroup with role %s frames are published with their type",
    async (role) => {
      const hub = freshName("hub");
      const member = await connectJson(server, { hub, groups: ["g"] });
      const sender = await connectSimple(server, { hub, userId: "ann", roles: [role], query: toGroup });
      sender.socket.send("text");
      sender.socket.send(new Uint8Array([1, 2, 3]));
      const message = { type: "message", from: "group", group: "g", fromUserId: "ann" };
      expect(await member.next()).toEqual({ ...message, dataType: "text", data: "text" });
      expect(await member.next()).toEqual({ ...message, dataType: "binary", data: "AQID" });
      await restToGroup(hub); // the sender is not a member, so the marker is all it gets
      await sender.nothingArrived();
    },
  );

  async function restToGroup(hub: string): Promise<void> {
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/g/:send`, body: "for members" });
  }

  test("C-66 in mode sendToGroup without role the first frame closes 1008 and is not published", async () => {
    const hub = freshName("hub");
    const member = await connectJson(server, { hub, groups: ["g"] });
    const sender = await connectSimple(server, { hub, roles: ["webpubsub.sendToGroup.other"], query: toGroup });
    await sender.nothingArrived();
    sender.socket.send("text");
    expect(await sender.socket.closed()).toEqual({
      code: 1008,
      reason: "The connection is not authorized for raw sendToGroup mode.",
    });
    await member.nothingArrived();
  });

  test("C-66 the mode counts for simple clients only and is matched in any case", async () => {
    const hub = freshName("hub");
    const json = await connectJson(server, { hub, roles: allRoles, groups: ["g"], query: toGroup });
    json.send({ type: "ping" });
    expect(await json.next()).toEqual({ type: "pong" });
    const sender = await connectSimple(server, {
      hub,
      roles: allRoles,
      query: { ...toGroup, webpubsub_mode: "SENDTOGROUP" },
    });
    sender.socket.send("text");
    expect(await json.next()).toMatchObject({ group: "g", data: "text" });
  });

  test.each([
    ["an unknown mode", { webpubsub_mode: "nope" }],
    ["no group", { webpubsub_mode: "sendToGroup" }],
    ["an empty group", { webpubsub_mode: "sendToGroup", group: "" }],
    ["a blank group", { webpubsub_mode: "sendToGroup", group: " " }],
    ["a group of 1025 characters", { webpubsub_mode: "sendToGroup", group: "g".repeat(1025) }],
    ["noEcho=maybe", { ...toGroup, noEcho: "maybe" }],
  ])("C-67 %s is answered 400 with a line of text", async (_what, query) => {
    for (const subprotocols of [undefined, ["json.webpubsub.azure.v1"]]) {
      const path = clientPath(server, { hub: freshName("hub"), roles: allRoles, query });
      const response = await handshake(server.endpoint, { path, subprotocols });
      expect(response.status).toBe(400);
      expect(response.text).toMatch(/^[^\n]+$/);
    }
  });

  test("C-67 an empty mode is the default one, which ignores group and noEcho", async () => {
    const hub = freshName("hub");
    const path = clientPath(server, { hub, query: { webpubsub_mode: "", group: " ", noEcho: "maybe" } });
    expect((await handshake(server.endpoint, { path })).status).toBe(101);
    const empty = clientPath(server, { hub, query: { ...toGroup, noEcho: "" } });
    expect((await handshake(server.endpoint, { path: empty })).status).toBe(101);
  });

  test("C-67 of repeated parameters the last one counts", async () => {
    const path = clientPath(server, { hub: freshName("hub") });
    const status = async (query: string): Promise<number> =>
      (await handshake(server.endpoint, { path: `${path}&${query}` })).status;
    expect(await status("webpubsub_mode=nope&webpubsub_mode=sendEvent")).toBe(101);
    expect(await status("webpubsub_mode=sendEvent&webpubsub_mode=nope")).toBe(400);
  });

  test("C-68 noEcho=true keeps a message from its sender, who is in the group", async () => {
    const hub = freshName("hub");
    const options = { hub, roles: allRoles, groups: ["g"] };
    const quiet = await connectSimple(server, { ...options, query: { ...toGroup, noEcho: "TRUE" } });
    const echoed = await connectSimple(server, { ...options, query: { ...toGroup, noEcho: "false" } });
    quiet.socket.send("from quiet");
    expect(await echoed.socket.nextText()).toBe("from quiet");
    await quiet.nothingArrived();
    echoed.socket.send("from echoed");
    expect(await echoed.socket.nextText()).toBe("from echoed");
    expect(await quiet.socket.nextText()).toBe("from echoed");
  });

  test("C-69 a JSON string sent by REST arrives with its quotes", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, json: "hi" });
    expect(await client.socket.nextText()).toBe('"hi"');
  });
});

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

  test("C-64 text and binary frames reach the handler as event `message`", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    const sent: readonly (readonly [message: string | Buffer, type: RegExp])[] = [
      ["héllo", /^text\/plain(;|$)/],
      [Buffer.from([0, 1, 255]), /^application\/octet-stream$/],
      ["", /^text\/plain(;|$)/],
    ];
    for (const [message, type] of sent) {
      client.socket.send(message);
      const event = await handler.hub(hub).next();
      expect([event.event, event.header("ce-type")]).toEqual(["message", "azure.webpubsub.user.message"]);
      expect(event.header("Content-Type")).toMatch(type);
      expect(event.body).toEqual(Buffer.from(message));
    }
    await client.nothingArrived();
  });

  test("C-65 a frame that no handler and no listener wants closes 1011", async () => {
    const client = await connectSimple(server, { hub: "unhandled" });
    await client.nothingArrived();
    client.socket.send("anyone?");
    expect((await client.socket.closed()).code).toBe(1011);
  });

  test("C-65 a failing handler closes 1011 with a reason that says nothing of the handler", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("message", { status: 500, body: "secret" });
    const client = await connectSimple(server, { hub });
    client.socket.send("hello");
    expect(await client.socket.closed()).toEqual({ code: 1011, reason: "The event handler failed." });
  });
});
