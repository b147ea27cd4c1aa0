import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { clientToken, nowSeconds, restToken } from "../support/tokens.ts";
import { openTunnel, packFrame, type TunnelOptions, tunnelHandshake } from "../support/tunnel.ts";
import { handshake } from "../support/web-socket.ts";

const publicEndpoint = "https://pubsub.example.com";

describe.skipIf(isForeign)("the handshake of tunnels", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: { publicEndpoints: [publicEndpoint] } });
  });
  afterAll(() => server.stop());

  const status = async (options: Partial<TunnelOptions>) =>
    (await tunnelHandshake(server, { hub: "chat", ...options })).status;
  const withAudience = (aud: unknown) => status({ claims: { aud } });
  const own = () => server.endpoint.replace(/^http/, "ws");

  test("T-2 audiences of this endpoint are accepted, whatever their scheme and query", async () => {
    const { host } = new URL(server.endpoint);
    for (const audience of [
      `${own()}/server/tunnel?hub=chat`,
      `${own()}/server/tunnel?hub=chat&target=node%202`,
      `wss://${host}/server/tunnel?hub=CHAT`,
      `http://${host}/server/tunnel`,
      "wss://pubsub.example.com/server/tunnel?hub=chat",
      "wss://pubsub.example.com:443/server/tunnel?hub=chat&target=x",
    ]) {
      expect([audience, await withAudience(audience)]).toEqual([audience, 101]);
    }
    expect(await status({ query: "&target=node%202" })).toBe(101);
    expect(await status({ query: "&opaque%20target" })).toBe(101);
  });

  test("T-2 any other token is refused with 401", async () => {
    const audiences = [
      `${own()}/server/tunnel?hub=other`,
      `${own()}/server/tunnel?hub=chat&hub=other`,
      `${own()}/server`,
      `${own()}/server/tunnel/x`,
      "wss://elsewhere.example.com/server/tunnel?hub=chat",
      "ftp://pubsub.example.com/server/tunnel?hub=chat",
      undefined,
    ];
    for (const audience of audiences) expect([audience, await withAudience(audience)]).toEqual([audience, 401]);
    const restUrl = `${server.endpoint}/api/hubs/chat/:send`;
    expect(await status({ token: clientToken(server, { hub: "chat" }) })).toBe(401);
    expect(await status({ token: restToken(server, restUrl) })).toBe(401);
    expect(await status({ token: null })).toBe(401);
    expect(await status({ token: "not.a.token" })).toBe(401);
    expect(await status({ signing: { key: "another key of the same length, or about so" } })).toBe(401);
    expect(await status({ claims: { exp: nowSeconds() - 400 } })).toBe(401);
    expect(await status({ claims: { exp: undefined } })).toBe(401);
    expect(await status({ signing: { algorithm: "HS512" } })).toBe(401);
  });

  test("T-2 a tunnel token opens no client connection", async () => {
    const claims = { aud: `${own()}/server/tunnel?hub=chat` };
    const path = clientPath(server, { hub: "chat", claims });
    expect((await handshake(server.endpoint, { path })).status).toBe(401);
  });

  test("T-3 the secondary key is as good; a hub is needed and has to be one; a plain GET is no tunnel", async () => {
    expect(await status({ signing: { key: server.secondaryKey } })).toBe(101);
    expect(await status({ hub: "" })).toBe(400);
    expect(await status({ hub: "no-hub" })).toBe(400);
    const { endpoint } = server;
    expect((await handshake(endpoint, { path: "/server/tunnel" })).status).toBe(400);
    expect((await server.rest({ path: "/server/tunnel?hub=chat", token: null })).status).toBe(400);
    expect((await handshake(endpoint, { path: "/server" })).status).toBe(404);
    expect((await handshake(endpoint, { path: "/server/other?hub=chat" })).status).toBe(404);
  });

  test("T-5 an offered sub-protocol is echoed, and none is sent to who offers none", async () => {
    const echoed = async (subprotocols?: readonly string[]) => {
      const options = { hub: "chat", ...(subprotocols === undefined ? {} : { subprotocols }) };
      return (await tunnelHandshake(server, options)).header("sec-websocket-protocol");
    };
    expect(await echoed(["TunnelServerProtocol", "other"])).toBe("TunnelServerProtocol");
    expect(await echoed()).toBeNull();
  });

  test("T-6 the first frame is type 10, with an id of its own and the subject of the token", async () => {
    const hub = freshName("hub");
    const greetings = await Promise.all(
      ["srv-1", "srv-1", null].map(async (serverId) => (await openTunnel(server, { hub, serverId })).greeting()),
    );
    expect(greetings.map(({ json }) => json)).toMatchObject([
      { Type: 10, UserId: "srv-1", ReconnectionToken: null, TracingId: null },
      { UserId: "srv-1" },
      { UserId: null },
    ]);
    expect(Object.keys(greetings[0]?.json ?? {})).toEqual([
      "Type",
      "ConnectionId",
      "UserId",
      "ReconnectionToken",
      "TracingId",
    ]);
    expect(new Set(greetings.map(({ json }) => json["ConnectionId"])).size).toBe(3);
  });

  test.each<readonly [string, string | Uint8Array, number]>([
    ["text", "hello", 1003],
    ["garbage", new Uint8Array([9, 9, 9]), 1007],
    ["a wrong length", Buffer.concat([packFrame(2, { AckId: 1, StatusCode: 200 }), Buffer.of(0)]), 1007],
    ["type 99", packFrame(99, {}), 1007],
    ["a type of the service", packFrame(7, { Message: "bye" }), 1007],
    ["a request without AckId", packFrame(1, { HttpMethod: "GET", Url: "https://host/api" }), 1007],
    ["JSON that is none", packFrame(2, "{"), 1007],
    ["JSON beyond 64 KiB", packFrame(2, { Pad: "x".repeat(65_536) }), 1009],
  ])("T-10 %s closes the tunnel, and the service goes on", async (_what, message, code) => {
    const hub = freshName("hub");
    const [bad, good] = [await openTunnel(server, { hub }), await openTunnel(server, { hub })];
    bad.socket.send(message);
    expect((await bad.closed()).code).toBe(code);
    expect((await good.call("POST", `/api/hubs/${hub}/:send`, "x")).status).toBe(202);
  });

  test("T-14 a frame above the limit closes the tunnel with 1009", async () => {
    const small = await startServer({
      hubs: { "*": { eventHandlers: [{ urlTemplate: "tunnel:///x" }] } },
      limits: { tunnel: { maxContentBytes: 2_000_000 } },
    });
    try {
      const tunnel = await openTunnel(small, { hub: "chat" });
      tunnel.socket.send(packFrame(2, { AckId: 1, StatusCode: 200 }, new Uint8Array(2_000_000)));
      expect((await tunnel.call("POST", "/api/hubs/chat/:send", "still there")).status).toBe(202);
      tunnel.socket.send(packFrame(2, { AckId: 1, StatusCode: 200 }, new Uint8Array(2_100_000)));
      expect((await tunnel.closed()).code).toBe(1009);
    } finally {
      await small.stop();
    }
  });
});

describe.skipIf(isForeign)("tunnels of other configurations", () => {
  test("T-4 the endpoint is below the path base", async () => {
    const server = await startServer({ service: { pathBase: "/base" } });
    try {
      expect(server.endpoint).toEndWith("/base");
      expect((await tunnelHandshake(server, { hub: "chat" })).status).toBe(101);
      const outside = { ...server, endpoint: server.endpoint.replace("/base", "") };
      expect((await tunnelHandshake(outside, { hub: "chat" })).status).toBe(404);
    } finally {
      await server.stop();
    }
  });

  test("T-7 network rules for server connections refuse tunnels and nothing else", async () => {
    const deny = (types: readonly string[]) => ({
      properties: { networkACLs: { publicNetwork: { allow: [], deny: types } } },
    });
    const server = await startServer(deny(["ServerConnection"]));
    try {
      expect((await tunnelHandshake(server, { hub: "chat" })).status).toBe(403);
      expect((await tunnelHandshake(server, { hub: "chat", token: null })).status).toBe(403);
      const path = clientPath(server, { hub: "chat" });
      expect((await handshake(server.endpoint, { path })).status).toBe(101);
      await server.reconfigure(deny(["ClientConnection"]));
      expect((await tunnelHandshake(server, { hub: "chat" })).status).toBe(101);
    } finally {
      await server.stop();
    }
  });

  test("T-2 without local authentication no key opens a tunnel", async () => {
    const server = await startServer({ properties: { disableLocalAuth: true } });
    try {
      expect((await tunnelHandshake(server, { hub: "chat" })).status).toBe(401);
    } finally {
      await server.stop();
    }
  });

  test("one application and one hub may have so many tunnels, and no more", async () => {
    const limits = { tunnel: { connectionsPerHub: 3, connectionsPerServer: 2 } };
    const server = await startServer({ limits });
    try {
      const status = async (hub: string, serverId: string) => (await tunnelHandshake(server, { hub, serverId })).status;
      const first = await openTunnel(server, { hub: "chat", serverId: "a" });
      await openTunnel(server, { hub: "chat", serverId: "a" });
      expect(await status("chat", "a")).toBe(429);
      await openTunnel(server, { hub: "chat", serverId: "b" });
      expect(await status("chat", "c")).toBe(429);
      expect(await status("news", "a")).toBe(101);
      first.socket.close(1000);
      await first.closed();
      expect(await status("chat", "c")).toBe(101);
    } finally {
      await server.stop();
    }
  });
});
