import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { freshName } from "../support/names.ts";
import { rawRequest } from "../support/raw-http.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { type Claims, type ClientTokenOptions, clientToken, nowSeconds } from "../support/tokens.ts";
import { handshake, openWebSocket } from "../support/web-socket.ts";

const json = "json.webpubsub.azure.v1";
const minutes = 60;

/** Status of the handshake with this token. */
async function statusWith(target: Target, options: ClientTokenOptions): Promise<number> {
  return (await handshake(target.endpoint, { path: clientPath(target, options), ca: target.ca })).status;
}

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  const statusOf = (hub: string, claims: Claims): Promise<number> => statusWith(server, { hub, claims });

  test("C-1 a valid token in the query upgrades", async () => {
    const hub = freshName("hub");
    const response = await handshake(server.endpoint, { path: clientPath(server, { hub }) });
    expect(response.status).toBe(101);
    expect(response.header("Sec-WebSocket-Protocol")).toBeNull();
  });

  test.each(["/client/", "/client"])("C-2 the older form %s?hub= upgrades and lands in that hub", async (path) => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    const socket = await openWebSocket(server.endpoint, { path: `${path}?hub=${hub}&access_token=${token}` });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "to the hub" });
    expect(await socket.nextText()).toBe("to the hub");
  });

  test.each(["Bearer", "bearer"])("C-3 a token only in `Authorization: %s` upgrades", async (scheme) => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    const path = `/client/hubs/${hub}`;
    const allowed = await handshake(server.endpoint, { path, headers: [["Authorization", `${scheme} ${token}`]] });
    expect(allowed.status).toBe(101);
    const refused = await handshake(server.endpoint, { path, headers: [["Authorization", `Basic ${token}`]] });
    expect(refused.status).toBe(401);
  });

  test("C-4 the parameter name is matched in any case", async () => {
    const hub = freshName("hub");
    const path = `/client/hubs/${hub}?ACCESS_TOKEN=${clientToken(server, { hub })}`;
    expect((await handshake(server.endpoint, { path })).status).toBe(101);
  });

  test("C-5 without token a hub refuses by default, with an empty body", async () => {
    const response = await handshake(server.endpoint, { path: `/client/hubs/${freshName("hub")}` });
    expect(response.status).toBe(401);
    expect(response.text).toBe("");
    expect(response.header("WWW-Authenticate")).toBe("Bearer");
  });

  test("C-6 a wrong key, lifetime or audience is refused", async () => {
    const hub = freshName("hub");
    expect(await statusOf(hub, {})).toBe(101);
    expect(await statusWith(server, { hub, signing: { key: `${server.primaryKey}x` } })).toBe(401);
    expect(await statusOf(hub, { exp: nowSeconds() - 6 * minutes })).toBe(401);
    expect(await statusOf(hub, { exp: undefined })).toBe(401);
    expect(await statusOf(hub, { nbf: nowSeconds() + 6 * minutes })).toBe(401);
    expect(await statusOf(hub, { aud: `${server.endpoint}/client/hubs/${freshName("other")}` })).toBe(401);
    expect(await statusOf(hub, { aud: undefined })).toBe(401);
    expect(await statusOf(hub, { aud: `${server.endpoint}/api/hubs/${hub}` })).toBe(401);
  });

  test("C-7 a token that expired 4 minutes ago, or begins in 4 minutes, upgrades", async () => {
    const hub = freshName("hub");
    expect(await statusOf(hub, { exp: nowSeconds() - 4 * minutes })).toBe(101);
    expect(await statusOf(hub, { nbf: nowSeconds() + 4 * minutes })).toBe(101);
  });

  test("C-9 a token signed with the base64-decoded key is refused", async () => {
    const hub = freshName("hub");
    const key = Buffer.from(server.primaryKey, "base64");
    expect(await statusWith(server, { hub, signing: { key } })).toBe(401);
    expect(await statusWith(server, { hub, signing: { key: Buffer.from(server.primaryKey, "utf8") } })).toBe(101);
  });

  test("C-10 the audience may have any web scheme, any letter case, or be one of a list", async () => {
    const hub = freshName("hub");
    const rest = `${server.endpoint.replace(/^https?/, "")}/client/hubs/${hub}`;
    for (const scheme of ["http", "https", "ws", "wss"])
      expect(await statusOf(hub, { aud: `${scheme}${rest}` })).toBe(101);
    expect(await statusOf(hub, { aud: `http${rest}`.toUpperCase() })).toBe(101);
    expect(await statusOf(hub, { aud: ["https://elsewhere.example/client/hubs/x", `http${rest}`] })).toBe(101);
    expect(await statusOf(hub, { aud: ["https://elsewhere.example/client/hubs/x"] })).toBe(401);
    expect(await statusOf(hub, { aud: `ftp${rest}` })).toBe(401);
  });

  test("C-12 hub names that differ in case are one hub with one set of groups", async () => {
    const hub = freshName("chat");
    const upper = await connectJson(server, { hub: hub.toUpperCase(), roles: allRoles });
    const lower = await connectJson(server, { hub, roles: allRoles });
    expect(await lower.ask({ type: "joinGroup", group: "g" })).toEqual({ success: true });
    expect(await upper.ask({ type: "sendToGroup", group: "g", dataType: "text", data: "hi" })).toEqual({
      success: true,
    });
    expect(await lower.next()).toMatchObject({ type: "message", group: "g", data: "hi" });
  });

  test("C-13 a bad hub name and a request that is no upgrade are answered 400", async () => {
    const longest = `h${"o".repeat(127)}`;
    expect(await statusWith(server, { hub: longest })).toBe(101);
    for (const hub of ["1bad", "has-hyphen", `${longest}o`]) expect(await statusWith(server, { hub })).toBe(400);
    const path = clientPath(server, { hub: freshName("hub") });
    const plain = await rawRequest(
      server.endpoint,
      `GET ${path} HTTP/1.1\r\nHost: ${new URL(server.endpoint).host}\r\n\r\n`,
    );
    expect(plain.status).toBe(400);
    expect(plain.text).toBe("");
  });

  test("C-14 a blank group name in the token is answered 400 with the documented text", async () => {
    const hub = freshName("hub");
    for (const groups of [" ", ["good", ""]]) {
      const response = await handshake(server.endpoint, { path: clientPath(server, { hub, groups }) });
      expect(response.status).toBe(400);
      expect(response.text).toBe("The token contains an invalid group name.");
    }
  });

  test("C-15 `role` and `webpubsub.group` count as string and as array", async () => {
    const hub = freshName("hub");
    const single = await connectJson(server, { hub, roles: "webpubsub.sendToGroup", groups: "one" });
    const several = await connectJson(server, { hub, roles: [...allRoles], groups: ["one", "two"] });
    expect(await single.ask({ type: "sendToGroup", group: "two", dataType: "text", data: "a" })).toEqual({
      success: true,
    });
    expect(await several.next()).toMatchObject({ group: "two", data: "a" });
    expect(await several.ask({ type: "leaveGroup", group: "two" })).toEqual({ success: true });
    expect(await several.ask({ type: "sendToGroup", group: "one", noEcho: true, dataType: "text", data: "b" })).toEqual(
      { success: true },
    );
    expect(await single.next()).toMatchObject({ group: "one", data: "b" });
  });

  test("C-19 a sub-protocol offered in other letter case is spoken and echoed as offered", async () => {
    const client = await connectJson(server, { hub: freshName("hub"), subprotocols: ["JSON.WEBPUBSUB.AZURE.V1"] });
    expect(client.socket.subprotocol).toBe("JSON.WEBPUBSUB.AZURE.V1");
  });

  test("C-20 of several offered sub-protocols the first supported one is chosen", async () => {
    const behind = await connectJson(server, { hub: freshName("hub"), subprotocols: ["custom", json] });
    expect(behind.socket.subprotocol).toBe(json);
    const before = await connectJson(server, {
      hub: freshName("hub"),
      subprotocols: [json, "json.reliable.webpubsub.azure.v1"],
    });
    expect(before.socket.subprotocol).toBe(json);
    expect(before.connected).not.toHaveProperty("reconnectionToken");
    const reliable = await connectJson(server, {
      hub: freshName("hub"),
      subprotocols: ["json.reliable.webpubsub.azure.v1", json],
    });
    expect(reliable.socket.subprotocol).toBe("json.reliable.webpubsub.azure.v1");
    expect(reliable.connected).toHaveProperty("reconnectionToken");
  });

  test("C-21 an unsupported sub-protocol that is the only one is echoed, and the client is a simple one", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub, subprotocols: ["custom"] });
    expect(client.socket.subprotocol).toBe("custom");
    await client.nothingArrived();
    const none = await connectSimple(server, { hub, subprotocols: ["custom", "other"] });
    expect(none.socket.subprotocol).toBeNull();
    await none.nothingArrived();
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      hubs: {
        "*": { eventHandlers: [handler.settings()] },
        open: { anonymousConnectPolicy: "allow" },
      },
      auth: { clockSkewSeconds: 0 },
      upstream: { retryDelaysSeconds: [] },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  /** Connects to an accepting hub and waits for its `connected` event: what earlier handshakes caused has arrived by then. */
  async function expectOnlyTheNextConnection(hub: string): Promise<void> {
    handler.hub(hub).answer("connect", {});
    const client = await connectJson(server, { hub });
    expect((await handler.hub(hub).next()).event).toBe("connect");
    const event = await handler.hub(hub).next();
    expect([event.event, event.header("ce-connectionId")]).toEqual(["connected", client.connectionId]);
  }

  test("C-5 with the policy `allow` a client without token is connected without user", async () => {
    const client = await connectJson(server, { hub: "open", token: null });
    expect(client.connected).toEqual({
      type: "system",
      event: "connected",
      userId: null,
      connectionId: client.connectionId,
    });
    expect(await statusWith(server, { hub: "open", signing: { key: "not the key" } })).toBe(401);
  });

  test("C-8 a token signed with the secondary key upgrades", async () => {
    expect(await statusWith(server, { hub: freshName("hub"), signing: { key: server.secondaryKey } })).toBe(101);
  });

  test("C-10 the audience may spell out the scheme's default port, or leave it out", async () => {
    const hub = freshName("hub");
    const status = async (host: string, audience: string): Promise<number> => {
      const path = clientPath(server, { hub, claims: { aud: `${audience}/client/hubs/${hub}` } });
      return (await handshake(server.endpoint, { path, host })).status;
    };
    expect(await status("push.example", "http://push.example:80")).toBe(101);
    expect(await status("push.example", "https://push.example:443")).toBe(101);
    expect(await status("push.example:80", "http://push.example")).toBe(101);
    expect(await status("push.example", "http://push.example:81")).toBe(401);
    expect(await status("push.example", "http://else.example")).toBe(401);
  });

  test("C-11 a token made by @azure/web-pubsub for http://localhost:<port> connects", async () => {
    const hub = freshName("Hub");
    const endpoint = `http://localhost:${new URL(server.endpoint).port}`;
    const sdk = new WebPubSubServiceClient(`Endpoint=${endpoint};AccessKey=${server.primaryKey};Version=1.0;`, hub);
    const access = await sdk.getClientAccessToken({ userId: "ann", roles: ["webpubsub.sendToGroup"], groups: ["g"] });
    const url = new URL(access.url);
    const socket = await openWebSocket(server.endpoint, {
      path: url.pathname + url.search,
      host: url.host,
      subprotocols: [json],
    });
    expect(await socket.nextJson()).toMatchObject({ event: "connected", userId: "ann" });
    socket.send('{"type":"sendToGroup","group":"g","dataType":"text","data":"hi","ackId":1}');
    expect(await socket.nextJson()).toMatchObject({ type: "message", group: "g", fromUserId: "ann", data: "hi" });
  });

  test("C-16 a refusal by the connect handler is the answer of the handshake, and no other event follows", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", { status: 403, body: "secret reason" });
    const response = await handshake(server.endpoint, { path: clientPath(server, { hub }), subprotocols: [json] });
    expect(response.status).toBe(403);
    expect(response.text).toBe("");
    expect((await handler.hub(hub).next()).event).toBe("connect");
    await expectOnlyTheNextConnection(hub);
  });

  test("C-17 invalid JSON from the connect handler is a 500 for the client", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", { headers: [["Content-Type", "application/json"]], body: "not-json" });
    expect(await statusWith(server, { hub })).toBe(500);
    expect((await handler.hub(hub).next()).event).toBe("connect");
    await expectOnlyTheNextConnection(hub);
  });

  test("C-18 the connect handler replaces user and roles and sets groups", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", { body: '{"userId":"x","roles":[],"groups":["g"]}' });
    const client = await connectJson(server, {
      hub,
      userId: "from the token",
      roles: allRoles,
      groups: ["of the token"],
    });
    expect(client.connected["userId"]).toBe("x");
    expect(await client.ask({ type: "joinGroup", group: "other" })).toMatchObject({
      success: false,
      error: { name: "Forbidden" },
    });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/of%20the%20token/:send`, body: "no" });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/g/:send`, body: "yes" });
    expect(await client.next()).toMatchObject({ group: "g", data: "yes" });
  });

  test("C-18 an empty list of groups keeps those of the token", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", { body: '{"groups":[]}' });
    const client = await connectJson(server, { hub, userId: "u", roles: allRoles, groups: ["of the token"] });
    expect(client.connected["userId"]).toBe("u");
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/of%20the%20token/:send`, body: "yes" });
    expect(await client.next()).toMatchObject({ group: "of the token", data: "yes" });
    expect(await client.ask({ type: "joinGroup", group: "other" })).toEqual({ success: true });
  });

  test("C-22 a custom sub-protocol chosen by the handler makes a simple client with that header", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", { body: '{"subprotocol":"custom"}' });
    const client = await connectSimple(server, { hub, subprotocols: [json, "custom"] });
    expect(client.socket.subprotocol).toBe("custom");
    await client.nothingArrived();
  });

  test("C-23 a connection outlives its token", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub, userId: "u", claims: { exp: nowSeconds() + 5 } });
    const client = await connectJson(server, { hub, token });
    const isRefused = async (): Promise<boolean> =>
      (await handshake(server.endpoint, { path: clientPath(server, { hub, token }) })).status === 401;
    while (!(await isRefused())); // the token's end, as the server sees it
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong" });
    await client.nothingArrived();
  });
});
