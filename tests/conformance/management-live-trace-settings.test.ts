import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { adminJson, adminRequest, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { openTrace, tracePath } from "../support/trace-viewer.ts";
import { handshake } from "../support/web-socket.ts";

interface Minted {
  readonly url: string;
  readonly accessToken: string;
  readonly expiresAt: string;
}

const path = "/admin/liveTrace";
const change = (server: Server, json: unknown) => adminJson(server, { method: "PATCH", path, json });
const mint = (server: Server, json?: unknown) => adminJson(server, { method: "POST", path: `${path}/token`, json });
const watchStatus = async (server: Server, { accessToken }: Minted): Promise<number> =>
  (await handshake(new URL(server.endpoint).origin, { path: tracePath(server, accessToken) })).status;

const shown = (...names: readonly string[]) =>
  ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"].map((name) => ({ name, enabled: names.includes(name) }));
const all = shown("ConnectivityLogs", "MessagingLogs", "HttpRequestLogs");
const asConfigured = { enabled: false, categories: all, source: "configuration" };

describe.skipIf(isForeign)("live trace settings of a running service", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: adminSettings });
  });
  afterAll(async () => await server.stop());

  test("M-46 M-49 live trace is switched on and off, its categories are chosen, and the configuration comes back", async () => {
    expect(await adminJson(server, { path })).toEqual({ status: 200, body: asConfigured });
    const { body } = await mint(server);
    const minted = body as Minted;
    expect(await watchStatus(server, minted)).toBe(403);
    expect(await change(server, { enabled: "true" })).toEqual({
      status: 200,
      body: { enabled: true, categories: all, source: "overlay" },
    });
    const viewer = await openTrace(server);
    const categories = [
      { name: "connectivitylogs", enabled: "true" },
      { name: "HttpRequestLogs", enabled: false },
    ];
    expect(await change(server, { categories })).toEqual({
      status: 200,
      body: { enabled: true, categories: shown("ConnectivityLogs"), source: "overlay" },
    });
    // What is shown can be sent back as it is.
    const before = await adminJson(server, { path });
    expect(await change(server, before.body)).toEqual(before);
    expect((await adminJson(server, { path: "/admin/status" })).body).toMatchObject({
      configuration: { overlay: { settings: ["properties.liveTraceConfiguration"] } },
    });
    const hub = freshName("hub");
    await connectJson(server, { hub });
    await viewer.line(({ logContext }) => logContext["hub"] === hub);
    expect((await change(server, { categories: null })).body).toMatchObject({ enabled: true, categories: all });
    expect(await change(server, { enabled: false })).toMatchObject({ status: 200, body: { enabled: false } });
    expect(await viewer.next()).toMatchObject({ type: 7, error: "Live trace was switched off." });
    expect(await viewer.socket.closed()).toMatchObject({ code: 1001 });
    const restored = await adminJson(server, { method: "POST", path: `${path}/restore` });
    expect(restored).toEqual({ status: 200, body: asConfigured });
    expect(await adminJson(server, { method: "POST", path: `${path}/restore` })).toEqual(restored);
  });

  test.each([
    ["no object", []],
    ["an unknown member", { enabld: true }],
    ["no flag", { enabled: "perhaps" }],
    ["an unknown category", { categories: [{ name: "Gossip", enabled: true }] }],
    ["categories that are no list", { categories: { name: "MessagingLogs" } }],
  ])("%s is refused and changes nothing", async (_what, json) => {
    const before = await adminJson(server, { path });
    expect((await change(server, json)).status).toBe(400);
    expect(await adminJson(server, { path })).toEqual(before);
  });

  test("M-48 H-55 a token lets a view in for an hour, is for nothing else, and is written nowhere", async () => {
    await change(server, { enabled: true });
    const { status, body } = await mint(server);
    const minted = body as Minted;
    expect(status).toBe(200);
    expect(minted).toEqual({
      url: `${server.endpoint.replace("http", "ws")}/livetrace`,
      accessToken: expect.any(String) as unknown as string,
      expiresAt: expect.any(String) as unknown as string,
    });
    const leftSeconds = (Date.parse(minted.expiresAt) - Date.now()) / 1000;
    expect(leftSeconds).toBeGreaterThan(3500);
    expect(leftSeconds).toBeLessThanOrEqual(3600);
    expect(await watchStatus(server, minted)).toBe(101);
    const asRest = await server.rest({
      method: "POST",
      path: "/api/hubs/h/:send",
      body: "x",
      token: minted.accessToken,
    });
    expect(asRest.status).toBe(401);
    expect((await adminRequest(server, "/admin/status", minted.accessToken)).status).toBe(401);
    expect(server.output()).not.toContain(minted.accessToken);
    expect((await mint(server, { endpoint: `${server.endpoint.toUpperCase()}/` })).body).toMatchObject({
      url: minted.url,
    });
    for (const wrong of [{ endpoint: "http://elsewhere.example" }, { endpoint: 1 }, "x", []])
      expect(await mint(server, wrong)).toMatchObject({ status: 400, body: { error: { code: "BadRequest" } } });
  });
});

test("M-48 while access keys are switched off, only a token of the service itself lets a view in", async () => {
  const server = await startServer({
    service: { ...adminSettings, pathBase: "/base" },
    properties: { disableLocalAuth: true, liveTraceConfiguration: { enabled: true } },
  });
  try {
    const { body } = await mint(server);
    const { url, accessToken } = body as Minted;
    expect(url).toBe(`${server.endpoint.replace("http", "ws")}/livetrace`);
    const at = { path: `${new URL(url).pathname}?access_token=${accessToken}` };
    expect((await handshake(new URL(server.endpoint).origin, at)).status).toBe(101);
    expect((await handshake(new URL(server.endpoint).origin, { path: `/base${tracePath(server)}` })).status).toBe(401);
  } finally {
    await server.stop();
  }
});
