import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { type ExpressApp, startExpressApp } from "./express-app.ts";

const allEvents = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };
const presence = { eventNames: ["joined", "left"], groupFilters: ["room*"] };
const customPath = "/eventhandler/Custom";

let server: Server;
let app: ExpressApp;
/** Its events go to a handler at the custom path. */
const customHub = freshName("custom");
beforeAll(async () => {
  app = await startExpressApp();
  server = await startServer({
    service: { listen: [{ url: "http://localhost:0" }] },
    upstream: { retryDelaysSeconds: [] },
    hubs: {
      "*": {
        eventHandlers: [
          { urlTemplate: `${app.url}/api/webpubsub/hubs/{hub}/`, ...allEvents, groupPresenceEvents: presence },
        ],
      },
      [customHub]: { eventHandlers: [{ urlTemplate: `${app.url}${customPath}`, ...allEvents }] },
    },
  });
});
afterAll(async () => {
  await server.stop();
  await app.stop();
});

/** A hub of its own, handled at the default path. */
async function handledHub() {
  const hub = freshName("Hub");
  return { hub, events: await app.handle(hub) };
}

/** Why a client may not connect. */
async function refusal(hub: string): Promise<string> {
  return connectJson(server, { hub }).then(() => "it may", String);
}

describe("the whole life of a connection", () => {
  test("E-73 with default path and allowedEndpoints of this server, state goes round", async () => {
    const hub = freshName("Hub");
    expect(server.endpoint).toMatch(/^http:\/\/localhost:\d+$/);
    const events = await app.handle(hub, { allowedEndpoints: ["https://elsewhere.example.com", server.endpoint] });
    await events.answer("connect", [["setState", "count", 1], ["success"]]);
    await events.answer("bump", [["setState", "count", 2], ["setState", "é", { deep: [null] }], ["success"]]);
    const client = await connectJson(server, { hub, userId: "u", query: { extra: "1" } });
    const connect = await events.next("connect");
    expect(connect.context).toMatchObject({ connectionId: client.connectionId, userId: "u", states: {} });
    expect(connect).toMatchObject({ query: { extra: ["1"] }, subprotocols: ["json.webpubsub.azure.v1"] });
    expect(connect["claims"]).toMatchObject({ sub: ["u"] });
    expect((await events.next("connected")).context).toMatchObject({ userId: "u", states: { count: 1 } });
    const bump = { type: "event", event: "bump", dataType: "text", data: "x" };
    expect(await client.ask(bump)).toEqual({ success: true });
    expect((await events.next("bump")).context.states).toEqual({ count: 1 });
    expect(await client.ask({ ...bump, event: "look" })).toEqual({ success: true });
    expect((await events.next("look")).context.states).toEqual({ count: 2, é: { deep: [null] } });
    client.socket.close(1000, "bye");
    expect(await events.next("disconnected")).toMatchObject({ reason: "bye", context: { states: { count: 2 } } });
  });

  test("at a custom path", async () => {
    const events = await app.handle(customHub, { path: customPath });
    const client = await connectJson(server, { hub: customHub, userId: "u" });
    expect((await events.next("connect")).context).toMatchObject({
      hub: customHub.toLowerCase(),
      eventName: "connect",
    });
    expect((await events.next("connected")).context.connectionId).toBe(client.connectionId);
    client.socket.close();
    expect((await events.next("disconnected")).context.connectionId).toBe(client.connectionId);
  });

  test("E-28 a user id beyond ASCII arrives as UTF-8, which Node shows as Latin-1", async () => {
    const { hub, events } = await handledHub();
    await connectJson(server, { hub, userId: "é 用户" });
    const { userId = "" } = (await events.next("connected")).context;
    expect(Buffer.from(userId, "latin1").toString("utf8")).toBe("é 用户");
  });

  test("endpoints that do not include this server get no events, so nobody connects", async () => {
    const hub = freshName("hub");
    await app.handle(hub, { allowedEndpoints: ["https://elsewhere.example.com"] });
    expect(await refusal(hub)).toContain("answered 500");
  });
});

describe("the connect event", () => {
  test("success overrides the user and adds roles and groups", async () => {
    const { hub, events } = await handledHub();
    const roles = ["webpubsub.sendToGroup.given"];
    await events.answer("connect", [["success", { userId: "renamed", roles, groups: ["given"] }]]);
    const client = await connectJson(server, { hub, userId: "u" });
    expect(client.connected).toMatchObject({ userId: "renamed" });
    expect((await events.next("connected")).context.userId).toBe("renamed");
    const send = { type: "sendToGroup", group: "given", dataType: "text", data: "x" };
    client.send({ ...send, ackId: 1 });
    expect(await client.next()).toMatchObject({ group: "given", fromUserId: "renamed" });
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect(await client.ask({ ...send, group: "other" })).toMatchObject({ success: false });
  });

  test("success chooses a subprotocol that the client offered", async () => {
    const { hub, events } = await handledHub();
    await events.answer("connect", [["success", { subprotocol: "chat.v2" }]]);
    const client = await connectSimple(server, { hub, subprotocols: ["chat.v1", "chat.v2"] });
    expect(client.socket.subprotocol).toBe("chat.v2");
  });

  test.each([400, 401, 500])("fail(%p) refuses the handshake with that status", async (code) => {
    const { hub, events } = await handledHub();
    await events.answer("connect", [["fail", code, "you may not"]]);
    expect(await refusal(hub)).toContain(`answered ${code}`);
    await events.answer("connect", [["failWith", { code, detail: "still not" }]]);
    expect(await refusal(hub)).toContain(`answered ${code}`);
    await events.answer("connect", [["success"]]);
    await connectJson(server, { hub });
  });
});

describe("user events", () => {
  test("arrive as text, json and binary", async () => {
    const { hub, events } = await handledHub();
    const client = await connectJson(server, { hub });
    for (const [dataType, data, received] of [
      ["text", "grüß", "grüß"],
      ["json", { a: [1.5, null] }, { a: [1.5, null] }],
      ["binary", "AP8=", Buffer.from([0, 255])],
    ] as const) {
      expect(await client.ask({ type: "event", event: "ev", dataType, data })).toEqual({ success: true });
      expect(await events.next("ev")).toMatchObject({ dataType, data: received });
    }
    const simple = await connectSimple(server, { hub });
    simple.socket.send("raw");
    expect(await events.next("message")).toMatchObject({ dataType: "text", data: "raw" });
    simple.socket.send(new Uint8Array([7]));
    expect(await events.next("message")).toMatchObject({ dataType: "binary", data: Buffer.from([7]) });
  });

  test("C-52 E-57 replies of text, json and binary reach the client before its ack", async () => {
    const { hub, events } = await handledHub();
    const client = await connectJson(server, { hub });
    const simple = await connectSimple(server, { hub });
    let ackId = 1;
    for (const [reply, message, check] of [
      [["grüß", "text"], { dataType: "text", data: "grüß" }, "grüß"],
      [[`{"a":[1]}`, "json"], { dataType: "json", data: { a: [1] } }, `{"a":[1]}`],
      [[new Uint8Array([0, 255]), "binary"], { dataType: "binary", data: "AP8=" }, Buffer.from([0, 255])],
    ] as const) {
      await events.answer("message", [["success", ...reply]]);
      client.send({ type: "event", event: "message", dataType: "text", data: "?", ackId: ackId++ });
      expect(await client.next()).toEqual({ type: "message", from: "server", ...message });
      expect(await client.next()).toMatchObject({ type: "ack", success: true });
      simple.socket.send("?");
      const frame = await simple.socket.nextMessage();
      expect(frame.kind === "text" ? frame.text : frame.bytes).toEqual(check);
    }
  });

  test("E-62 fail is an InternalServerError and leaves the state alone", async () => {
    const { hub, events } = await handledHub();
    const client = await connectJson(server, { hub });
    await events.answer("ev", [
      ["setState", "n", 1],
      ["fail", 400, "secret detail"],
    ]);
    const ask = { type: "event", event: "ev", dataType: "text", data: "x" };
    const error = { name: "InternalServerError", message: "Internal server error" };
    expect(await client.ask(ask)).toEqual({ success: false, error });
    await events.answer("ev", [["success"]]);
    expect(await client.ask(ask)).toEqual({ success: true });
    await events.next("ev");
    expect((await events.next("ev")).context.states).toEqual({});
  });
});

describe("group presence", () => {
  test("E-77 onGroupJoined and onGroupLeft fire for the filtered groups", async () => {
    const { hub, events } = await handledHub();
    const client = await connectJson(server, { hub, userId: "u", roles: ["webpubsub.joinLeaveGroup"] });
    for (const group of ["other", "room/1 é"]) {
      expect(await client.ask({ type: "joinGroup", group })).toEqual({ success: true });
    }
    const context = { connectionId: client.connectionId, userId: "u", hub: hub.toLowerCase() };
    expect(await events.next("joined")).toMatchObject({ group: "room/1 é", context });
    for (const group of ["other", "room/1 é"]) {
      expect(await client.ask({ type: "leaveGroup", group })).toEqual({ success: true });
    }
    expect(await events.next("left")).toMatchObject({ group: "room/1 é", context });
    const put = `/api/hubs/${hub}/groups/room2/connections/${client.connectionId}`;
    expect((await server.rest({ method: "PUT", path: put })).status).toBe(200);
    expect(await events.next("joined")).toMatchObject({ group: "room2", context });
    client.socket.close();
    expect(await events.next("left")).toMatchObject({ group: "room2", context });
  });
});
