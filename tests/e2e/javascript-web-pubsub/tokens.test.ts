import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { decodeJwt } from "jose";
import { connectJson } from "../../support/clients.ts";
import { parseConnectionString } from "../../support/connection-string.ts";
import { freshName } from "../../support/names.ts";
import type { NodeAgent } from "../../support/node-agent.ts";
import { type OidcIssuer, startOidcIssuer } from "../../support/oidc-issuer.ts";
import { type Server, startServer } from "../../support/server.ts";
import { handshake, openWebSocket } from "../../support/web-socket.ts";
import { connectService, type SdkVersion, startSdk } from "./service-client.ts";

const subprotocols = ["json.webpubsub.azure.v1"];
const versions: readonly SdkVersion[] = ["newest", "older"];

let server: Server;
let issuer: OidcIssuer;
let secure: {
  readonly connectionString: string;
  readonly endpoint: string;
  readonly caFile: string;
  readonly ca: string | undefined;
};
beforeAll(async () => {
  issuer = await startOidcIssuer();
  server = await startServer({
    service: { listen: [{ url: "http://127.0.0.1:0" }, { url: "https://127.0.0.1:0" }] },
    auth: { oidc: [issuer.settings()] },
  });
  const [connectionString = ""] = /Endpoint=https:\S+;/.exec(server.output()) ?? [];
  const [, caFile = ""] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(server.output()) ?? [];
  const { endpoint } = parseConnectionString(connectionString);
  secure = { connectionString, endpoint, caFile, ca: server.ca };
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

/** Path and query of the URL the SDK made, for the raw client. */
const pathOf = (url: string): string => url.slice(new URL(url).origin.length);

describe.each(versions)("client access tokens, %s", (version) => {
  let sdk: NodeAgent;
  beforeAll(() => {
    sdk = startSdk({ version, ca: secure.caFile });
  });
  afterAll(async () => await sdk.stop());

  test("a token signed by the SDK carries user, roles and groups into the connection", async () => {
    const hub = freshName("Hub");
    const service = connectService(sdk, { connection: server.connectionString, hub });
    const { url, token, baseUrl } = await service.getClientAccessToken({
      userId: "q'üser /%2F",
      roles: ["webpubsub.sendToGroup.g", "webpubsub.joinLeaveGroup"],
      groups: ["g", "h/1"],
      expirationTimeInMinutes: 5,
    });
    expect(url).toBe(`${baseUrl}?access_token=${token}`);
    expect(baseUrl).toBe(`${server.endpoint.replace("http", "ws")}/client/hubs/${hub}`);
    const client = await connectJson(server, { hub, token, roles: [] });
    expect(client.connected).toMatchObject({ userId: "q'üser /%2F" });
    const send = { type: "sendToGroup", dataType: "text", data: "x", noEcho: true };
    expect(await client.ask({ ...send, group: "g" })).toEqual({ success: true });
    expect(await client.ask({ ...send, group: "h/1" })).toMatchObject({ success: false, error: { name: "Forbidden" } });
    expect(await client.ask({ type: "joinGroup", group: "k" })).toEqual({ success: true });
    for (const group of ["g", "h/1"]) {
      await service.group(group).sendToAll(group);
      expect(await client.next()).toMatchObject({ group, data: group });
    }
  });

  test("a token without options opens an anonymous connection without permissions", async () => {
    const hub = freshName("hub");
    const service = connectService(sdk, { connection: server.connectionString, hub });
    const { url } = await service.getClientAccessToken();
    const socket = await openWebSocket(server.endpoint, { path: pathOf(url), subprotocols });
    const connected = await socket.nextJson();
    expect(connected).toMatchObject({ type: "system", event: "connected" });
    expect((connected as { userId?: unknown }).userId ?? null).toBeNull();
    const other = connectService(sdk, { connection: server.endpoint, key: "x".repeat(40), hub });
    const forged = await other.getClientAccessToken();
    expect((await handshake(server.endpoint, { path: pathOf(forged.url), subprotocols })).status).toBe(401);
  });

  test("M-2 the printed https string works with the printed authority", async () => {
    const hub = freshName("hub");
    const options = { allowInsecureConnection: false };
    const service = connectService(sdk, { connection: secure.connectionString, hub, options });
    const { url } = await service.getClientAccessToken({ userId: "u" });
    expect(url.startsWith("wss:")).toBe(true);
    const socket = await openWebSocket(secure.endpoint, { path: pathOf(url), subprotocols, ca: secure.ca });
    expect(await socket.nextJson()).toMatchObject({ event: "connected", userId: "u" });
    await service.sendToAll({ over: "https" });
    expect(await socket.nextJson()).toMatchObject({ from: "server", data: { over: "https" } });
    expect(await service.userExists("u")).toBe(true);
    await service.closeAllConnections();
    expect(await socket.nextJson()).toMatchObject({ event: "disconnected" });
  });

  test("R-34 R-95 with a TokenCredential the service mints the token and takes the calls", async () => {
    const hub = freshName("hub");
    const setup = { connection: secure.endpoint, entraToken: issuer.token(), hub };
    const service = connectService(sdk, { ...setup, options: { allowInsecureConnection: false } });
    const { url, token } = await service.getClientAccessToken({
      userId: "u 1",
      roles: ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.g/1"],
      groups: ["g/1"],
      expirationTimeInMinutes: 7,
    });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ sub: "u 1", role: ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.g/1"] });
    expect((claims.exp ?? 0) - (claims.iat ?? claims.nbf ?? 0)).toBe(420);
    const socket = await openWebSocket(secure.endpoint, { path: pathOf(url), subprotocols, ca: secure.ca });
    expect(await socket.nextJson()).toMatchObject({ event: "connected", userId: "u 1" });
    await service.group("g/1").sendToAll("minted", { contentType: "text/plain" });
    expect(await socket.nextJson()).toMatchObject({ from: "group", group: "g/1", data: "minted" });
  });
});

test("R-96 tokens for MQTT and Socket.IO clients name their paths", async () => {
  const sdk = startSdk({ ca: secure.caFile });
  try {
    const hub = freshName("hub");
    const service = connectService(sdk, { connection: secure.endpoint, entraToken: issuer.token(), hub });
    for (const clientProtocol of ["mqtt", "socketio"] as const) {
      const { token } = await service.getClientAccessToken({ clientProtocol });
      expect(decodeJwt(token).aud).toEndWith(`/clients/${clientProtocol}/hubs/${hub}`);
    }
  } finally {
    await sdk.stop();
  }
});
