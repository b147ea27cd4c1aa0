import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { selfSigned } from "../support/certificate.ts";
import { clientPath, connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { startProxy } from "../support/proxy.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { type Server, startServer, type Target } from "../support/server.ts";
import { clientToken, restToken } from "../support/tokens.ts";
import { handshake, openWebSocket } from "../support/web-socket.ts";

test("M-36 behind a proxy that ends TLS the SDK and a client with the SDK's URL both work", async () => {
  const server = await startServer();
  const certificate = await selfSigned();
  const proxy = await startProxy({ target: server.endpoint, tls: certificate });
  try {
    await server.reconfigure({ service: { publicEndpoints: [proxy.url] } });
    const hub = freshName("hub");
    const connectionString = `Endpoint=${proxy.url};AccessKey=${server.primaryKey};Version=1.0;`;
    const sdk = new WebPubSubServiceClient(connectionString, hub, { tlsOptions: { ca: certificate.cert } });
    const { url } = await sdk.getClientAccessToken({ userId: "u", groups: ["g"] });
    expect(url).toStartWith(`${proxy.url.replace("https:", "wss:")}/client/hubs/${hub}?`);
    const { pathname, search } = new URL(url);
    const socket = await openWebSocket(proxy.url, { path: `${pathname}${search}`, ca: certificate.cert });
    await sdk.group("g").sendToAll("through the proxy", { contentType: "text/plain" });
    expect(await socket.nextText()).toBe("through the proxy");
    const ids: string[] = [];
    const second = await connectJson(server, { hub, groups: ["g"] });
    for await (const { connectionId } of await sdk.group("g").listConnections({ maxPageSize: 1 }))
      ids.push(connectionId);
    expect(ids).toHaveLength(2);
    expect(ids).toContain(second.connectionId);
    expect(proxy.requests.length).toBeGreaterThanOrEqual(4);
  } finally {
    await proxy.stop();
    await server.stop();
  }
});

describe("a server with a public endpoint", () => {
  const publicEndpoint = "https://ps.example.com";
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
    await server.reconfigure({ service: { publicEndpoints: [publicEndpoint] } });
  });
  afterAll(async () => await server.stop());

  test("M-37 a proxy may give the server another Host than the public one", async () => {
    const proxy = await startProxy({ target: server.endpoint, headers: { Host: "internal.local:8080" } });
    try {
      const hub = freshName("hub");
      const issuer = { endpoint: publicEndpoint, primaryKey: server.primaryKey };
      const behind = (path: string): Target => ({
        ...server,
        endpoint: proxy.url,
        rest: (request) => server.rest({ ...request, token: restToken(issuer, `${publicEndpoint}${path}`) }),
      });
      const token = clientToken(issuer, { hub });
      const path = clientPath(server, { hub, token });
      const socket = await openWebSocket(proxy.url, { path, subprotocols: ["json.webpubsub.azure.v1"] });
      expect(await socket.nextJson()).toMatchObject({ event: "connected" });
      const sent = await behind(`/api/hubs/${hub}/:send`).rest({
        method: "POST",
        path: `/api/hubs/${hub}/:send`,
        body: "x",
      });
      expectEmpty(sent, 202);
      expect(await socket.nextJson()).toMatchObject({ data: "x" });
    } finally {
      await proxy.stop();
    }
  });

  test("M-38 a request to /client that is no handshake, or names no hub, answers 400 in plain words", async () => {
    for (const path of ["/client", "/client/", "/client/hubs/", "/client/?hub=has-hyphen"]) {
      const answer = await server.rest({ path, token: null, apiVersion: null });
      expect({ path, status: answer.status }).toEqual({ path, status: 400 });
      expect(answer.text).toContain("Invalid value of 'hub'.");
    }
    const noHandshake = await server.rest({ path: "/client/hubs/chat", token: null, apiVersion: null });
    expect(noHandshake.status).toBe(400);
  });

  test("M-39 what an untrusted peer says about host and scheme counts for nothing", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    for (let count = 0; count < 2; count++) await connectJson(server, { hub, groups: ["g"] });
    const path = "/groups/g/connections?maxpagesize=1";
    const aud = `https://forged.example.com/api/hubs/${hub}/groups/g/connections`;
    for (const headers of [
      { "X-Forwarded-Host": "forged.example.com", "X-Forwarded-Proto": "https" },
      { Forwarded: "host=forged.example.com;proto=https" },
    ] as const) {
      expect((await api("GET", path, { headers, signing: { claims: { aud } } })).status).toBe(401);
      const { nextLink } = (await api("GET", path, { headers })).json as { nextLink: string };
      expect(nextLink).toStartWith("https://ps.example.com/api/");
      const token = clientToken(server, { hub, claims: { aud: `https://forged.example.com/client/hubs/${hub}` } });
      const answer = await handshake(server.endpoint, {
        path: clientPath(server, { hub, token }),
        headers: Object.entries(headers),
      });
      expect(answer.status).toBe(401);
    }
  });
});

test("M-40 with a path base everything is below it, and the connection string has it", async () => {
  const server = await startServer({ service: { pathBase: "/pubsub" } });
  try {
    const { origin, pathname } = new URL(server.endpoint);
    expect(pathname).toBe("/pubsub");
    expect(server.connectionString).toStartWith(`Endpoint=${origin}/pubsub;`);
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const sdk = new WebPubSubServiceClient(server.connectionString, hub, { allowInsecureConnection: true });
    await sdk.sendToAll("below it", { contentType: "text/plain" });
    expect(await client.next()).toMatchObject({ data: "below it" });
    const { url } = await sdk.getClientAccessToken();
    const { pathname: clientPathname, search } = new URL(url);
    expect((await handshake(origin, { path: `${clientPathname}${search}` })).status).toBe(101);
    expect((await server.rest({ path: "/client", apiVersion: null })).text).toContain("Invalid value of 'hub'.");
    const outside: Target = { ...server, endpoint: origin };
    for (const path of ["/api/health", "/client", `/pubsubx/api/health`, "/pubsub"]) {
      const answer = await fetch(`${origin}${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
    }
    const token = clientToken(server, { hub });
    expect((await handshake(origin, { path: clientPath(outside, { hub, token }) })).status).toBe(404);
  } finally {
    await server.stop();
  }
});
