import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type SelfSigned, selfSigned } from "../../support/certificate.ts";
import { connectJson } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { failureOf, type NodeAgent } from "../../support/node-agent.ts";
import { type Proxy, type ProxyOptions, startProxy } from "../../support/proxy.ts";
import { type Server, startServer } from "../../support/server.ts";
import { tempDir } from "../../support/temp.ts";
import { connectService, startSdk } from "./service-client.ts";

let certificate: SelfSigned;
let sdk: NodeAgent;
let server: Server;
const proxies: Proxy[] = [];
beforeAll(async () => {
  certificate = await selfSigned();
  const ca = join(tempDir(), "ca.pem");
  writeFileSync(ca, certificate.cert);
  sdk = startSdk({ ca });
  server = await startServer();
});
afterAll(async () => {
  await sdk.stop();
  for (const proxy of proxies) await proxy.stop();
  await server.stop();
});

/** A proxy before the server that the server does not know of yet. */
async function proxyWith(options: Omit<ProxyOptions, "target">): Promise<Proxy> {
  const proxy = await startProxy({ target: server.endpoint, ...options });
  proxies.push(proxy);
  return proxy;
}

async function makePublic(...endpoints: readonly string[]): Promise<void> {
  await server.reconfigure({ service: { publicEndpoints: endpoints } });
}

/** REST, its paging, and a page's WebSocket with the SDK's URL all work through the proxy by its own address. */
async function expectWorks(proxy: Proxy): Promise<void> {
  const hub = freshName("hub");
  const connection = `Endpoint=${proxy.url};AccessKey=${server.primaryKey};Version=1.0;`;
  const service = connectService(sdk, {
    connection,
    hub,
    keepsAlive: false,
    options: { allowInsecureConnection: false },
  });
  const { url } = await service.getClientAccessToken({ userId: "u", groups: ["g/1 é"] });
  const received = async () => {
    const event = await sdk.events.take({ what: "message", where: (each) => each["url"] === url });
    return event["message"];
  };
  expect(new URL(url).host).toBe(new URL(proxy.url).host);
  await sdk.call("open", url);
  await sdk.call("open", url);
  for (const _ of [1, 2]) expect(await received()).toMatchObject({ event: "connected", userId: "u" });
  await service.sendToAll({ a: 1 });
  for (const _ of [1, 2]) expect(await received()).toMatchObject({ from: "server", data: { a: 1 } });
  const before = proxy.requests.length;
  const pages = await service.pages("g/1 é", { maxPageSize: 1 });
  expect(pages).toMatchObject([[{ userId: "u" }], [{ userId: "u" }]]);
  expect(proxy.requests.length).toBe(before + 2); // nextLink leads through the proxy
  await service.closeAllConnections();
  for (const _ of [1, 2]) expect(await received()).toMatchObject({ event: "disconnected" });
}

describe("behind a proxy", () => {
  test("M-36 R-77 that ends TLS, by an https connection string", async () => {
    const proxy = await proxyWith({ tls: certificate });
    await makePublic(proxy.url);
    await expectWorks(proxy);
  });

  test("M-37 that overrides Host with an internal name", async () => {
    const proxy = await proxyWith({ tls: certificate, headers: { Host: "tidewire.internal:8080" } });
    await makePublic(proxy.url);
    await expectWorks(proxy);
  });

  test("R-25 whose address is not configured and whose Host is internal: 401 until it is", async () => {
    const proxy = await proxyWith({ headers: { Host: "tidewire.internal" } });
    await makePublic();
    const connection = `Endpoint=${proxy.url};AccessKey=${server.primaryKey};Version=1.0;`;
    const service = connectService(sdk, { connection, hub: freshName("hub"), keepsAlive: false });
    expect(await failureOf(service.sendToAll("x"))).toMatchObject({ name: "RestError", statusCode: 401 });
    await makePublic(proxy.url);
    await service.sendToAll("x");
  });

  test("R-26 reached by reverseProxyEndpoint, while tokens name the original endpoint", async () => {
    const proxy = await proxyWith({ tls: certificate }); // the option replaces the host alone, not the scheme
    const original = "https://pubsub.example.test";
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "u" });
    await makePublic();
    const service = connectService(sdk, {
      connection: `Endpoint=${original};AccessKey=${server.primaryKey};Version=1.0;`,
      hub,
      keepsAlive: false,
      options: { reverseProxyEndpoint: proxy.url },
    });
    expect(await failureOf(service.sendToAll("refused"))).toMatchObject({ name: "RestError", statusCode: 401 });
    await makePublic(original);
    await service.sendToAll("through the proxy");
    expect(await client.next()).toMatchObject({ data: "through the proxy" });
    await service.group("g/1 é").addUser("u");
    expect(await service.groupExists("g/1 é")).toBe(true);
    expect(proxy.requests.length).toBe(4);
  });
});
