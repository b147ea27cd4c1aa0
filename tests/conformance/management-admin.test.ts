import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { type AdminCall, adminCall, adminJson, adminRequest, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { minimal, refusedStart } from "../support/refused-start.ts";
import { rejection } from "../support/rejection.ts";
import { type Server, startServer } from "../support/server.ts";
import { tempDir } from "../support/temp.ts";

let handler: EventHandler;
beforeAll(async () => {
  handler = await startEventHandler();
});
afterAll(async () => await handler.stop());

const keys = {
  primary: "configured-primary-key-0123456789abcdef",
  secondary: "configured-secondary-key-0123456789abc",
};
const fromFile = "https://from-the-file.example.com/{event}";
const configuration = {
  service: { ...adminSettings, keys },
  upstream: { retryDelaysSeconds: [] },
  hubs: { Filed: { eventHandlers: [{ urlTemplate: fromFile, systemEvents: ["connected"] }] } },
};

const event = (name: string) => ({ type: "event", event: name, dataType: "text", data: "x" });

async function statusWith(server: Server, key: string): Promise<number> {
  const signing = { signing: { key } };
  return (await hubApi(server, freshName("hub"))("POST", "/:send", { body: "x", signing })).status;
}

describe("a server with an administration listener", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(configuration);
  });
  afterAll(async () => await server.stop());

  const admin = (call: AdminCall) => adminJson(server, call);

  test("M-64 every path and method wants the token, and says nothing without it", async () => {
    for (const [method, path] of [
      ["GET", "/admin/hubs"],
      ["PUT", "/admin/hubs/chat"],
      ["POST", "/admin/keys"],
      ["POST", "/admin/keys/regenerate"],
      ["PATCH", "/admin/networkRules"],
      ["GET", "/admin/status"],
      ["OPTIONS", "/admin/keys"],
      ["GET", "/admin/connections"],
      ["GET", "/admin/hubs/chat/connections/x"],
      ["POST", "/admin/hubs/chat/testEventHandler"],
      ["POST", "/admin/liveTrace/token"],
      ["POST", "/api/hubs/chat/:generateToken?api-version=2024-12-01"],
    ] as const) {
      for (const token of [null, "wrong", server.primaryKey]) {
        expect(await admin({ method, path, token, json: {} })).toEqual({ status: 401, body: null });
      }
    }
  });

  test("M-64 no page of another origin gets in: no CORS, and only hosts of the listener", async () => {
    const preflight = ["Origin: https://evil.example", "Access-Control-Request-Method: POST"];
    for (const token of [null, adminSettings.adminListen.token]) {
      const refused = await adminCall(server, { method: "OPTIONS", path: "/admin/keys", token, headers: preflight });
      expect([401, 405]).toContain(refused.status);
      expect(refused.headers.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
    }
    const simple = await adminCall(server, { path: "/admin/hubs", headers: ["Origin: https://evil.example"] });
    expect(simple.header("access-control-allow-origin")).toBeNull();
    expect(simple.header("cache-control")).toBe("no-store");
    for (const host of ["rebound.example.com", "rebound.example.com:80", "127.0.0.1.evil.example"]) {
      expect((await admin({ path: "/metrics", host })).status).toBe(421);
      expect((await admin({ method: "POST", path: "/admin/keys", host })).status).toBe(421);
    }
    for (const host of ["localhost", "LocalHost:9", "127.0.0.1:1", "[::1]:8081", "192.0.2.7:8081"]) {
      expect((await admin({ path: "/admin/hubs", host })).status).toBe(200);
    }
  });

  test("a hub is set, shown, replaced and removed, for the next event and without dropping a connection (M-21)", async () => {
    const hub = freshName("hub");
    const path = `/admin/hubs/${hub}`;
    const client = await connectJson(server, { hub });
    expect((await admin({ path })).status).toBe(404);
    const properties = { anonymousConnectPolicy: "Allow", eventHandlers: [handler.settings({ systemEvents: [] })] };
    const created = await admin({ method: "PUT", path, json: { name: hub, properties } });
    expect(created).toMatchObject({
      status: 201,
      body: {
        name: hub,
        source: "overlay",
        isOverridden: false,
        properties: {
          anonymousConnectPolicy: "allow",
          webSocketKeepAliveIntervalInSeconds: 20,
          eventHandlers: [{ userEventPattern: "*", systemEvents: [], auth: { type: "None" } }],
          eventListeners: [],
        },
      },
    });
    handler.hub(hub).answer("ask", { headers: [["Content-Type", "text/plain"]], body: "answered" });
    client.send(event("ask"));
    expect(await client.next()).toMatchObject({ data: "answered" });
    // What is shown can be sent back as it is.
    const shown = (await admin({ path })).body as { readonly properties: object };
    expect(await admin({ method: "PUT", path, json: shown })).toEqual({ status: 200, body: shown });
    expect(((await admin({ path: "/admin/hubs" })).body as { value: unknown[] }).value).toContainEqual(shown);
    const next = { ...shown.properties, webSocketKeepAliveIntervalInSeconds: 60, eventHandlers: [] };
    const replaced = await admin({
      method: "PUT",
      path: path.toUpperCase().replace("ADMIN", "admin"),
      json: { properties: next },
    });
    expect(replaced).toMatchObject({ status: 200, body: { properties: next } });
    expect(await admin({ method: "DELETE", path })).toEqual({ status: 204, body: null });
    expect(await admin({ method: "DELETE", path })).toEqual({ status: 204, body: null });
    expect((await admin({ path })).status).toBe(404);
    await client.nothingArrived();
  });

  test("settings of the file are overridden as a whole, removed, and restored", async () => {
    const path = "/admin/hubs/filed";
    const original = await admin({ path });
    expect(original).toMatchObject({
      status: 200,
      body: { name: "Filed", source: "configuration", isOverridden: false },
    });
    expect(original.body).toMatchObject({ properties: { eventHandlers: [{ urlTemplate: fromFile }] } });
    const overridden = await admin({
      method: "PUT",
      path,
      json: { properties: { allowedOrigins: ["https://a.example"] } },
    });
    expect(overridden).toMatchObject({ status: 200, body: { source: "overlay", isOverridden: true } });
    expect(overridden.body).toMatchObject({ properties: { eventHandlers: [], allowedOrigins: ["https://a.example"] } });
    expect((await admin({ path: "/admin/status" })).body).toMatchObject({
      configuration: { overlay: { settings: expect.arrayContaining(["hubs.Filed"]) as unknown } },
      warnings: expect.arrayContaining([expect.objectContaining({ path: "hubs.Filed" })]) as unknown,
    });
    expect((await admin({ method: "DELETE", path })).status).toBe(204);
    expect((await admin({ path })).status).toBe(404);
    expect(await admin({ method: "POST", path: `${path}/restore` })).toEqual(original);
    expect(await admin({ path })).toEqual(original);
  });

  test.each([
    ["an unknown setting", { properties: { anonymousPolicy: "deny" } }, "anonymousPolicy"],
    [
      "a value out of range",
      { properties: { webSocketKeepAliveIntervalInSeconds: 121 } },
      "webSocketKeepAliveIntervalInSeconds",
    ],
    [
      "a placeholder in the host",
      { properties: { eventHandlers: [{ urlTemplate: "https://{hub}.example.com/" }] } },
      "eventHandlers[0].urlTemplate",
    ],
    [
      "a handler that needs more",
      { properties: { eventHandlers: [{ urlTemplate: "https://a.example/", auth: { type: "Bearer" } }] } },
      "eventHandlers[0].auth.token",
    ],
    [
      "a file of this machine",
      { properties: { eventHandlers: [{ urlTemplate: "https://a.example/?x={@File(/etc/hostname)}" }] } },
      "eventHandlers[0]",
    ],
    [
      "a variable of this process",
      { properties: { eventHandlers: [{ urlTemplate: "https://a.example/?x={@Env(PATH)}" }] } },
      "eventHandlers[0]",
    ],
  ])("%s is refused by name and changes nothing", async (_what, json, target) => {
    const before = await admin({ path: "/admin/hubs" });
    const refused = await admin({ method: "PUT", path: "/admin/hubs/wrong", json });
    expect(refused).toMatchObject({
      status: 400,
      body: { error: { code: "InvalidSettings", details: [{ target: `hubs.wrong.${target}` }] } },
    });
    expect(await admin({ path: "/admin/hubs" })).toEqual(before);
  });

  test("names, bodies, paths and methods that make no sense are refused", async () => {
    const properties = {};
    for (const [call, status] of [
      [{ method: "PUT", path: "/admin/hubs/no-hyphen", json: { properties } }, 400],
      [{ method: "PUT", path: "/admin/hubs/%GG", json: { properties } }, 400],
      [{ method: "PUT", path: "/admin/hubs/chat", json: { anonymousConnectPolicy: "deny" } }, 400],
      [{ method: "PUT", path: "/admin/hubs/chat", json: { name: "other", properties } }, 400],
      [{ method: "PUT", path: "/admin/hubs/chat", json: [] }, 400],
      [{ method: "PUT", path: "/admin/hubs/chat" }, 400],
      [{ method: "POST", path: "/admin/keys/regenerate", json: { keyType: "Salt" } }, 400],
      [{ method: "POST", path: "/admin/keys/regenerate" }, 400],
      [{ method: "GET", path: "/admin/keys" }, 405],
      [{ method: "PATCH", path: "/admin/hubs" }, 405],
      [{ path: "/admin/nothing" }, 404],
      [{ path: "/admin" }, 404],
    ] as const) {
      expect({ call, status: (await admin(call)).status }).toEqual({ call, status });
    }
  });

  test("M-10 secrets of a handler are shown masked, and a masked one keeps what is there", async () => {
    const hub = freshName("hub");
    const path = `/admin/hubs/${hub}`;
    const token = "bearer-token-of-the-handler";
    const auth = { type: "Bearer", token };
    const put = (handlers: readonly object[]) =>
      admin({ method: "PUT", path, json: { properties: { eventHandlers: handlers } } });
    const own = handler.settings({ systemEvents: [] });
    const created = await put([{ ...own, auth }]);
    expect(created).toMatchObject({ body: { properties: { eventHandlers: [{ auth: { token: "(secret)" } }] } } });
    const [shown] = (created.body as { properties: { eventHandlers: object[] } }).properties.eventHandlers;
    expect(
      (
        await put([
          { ...own, userEventPattern: "other" },
          { ...shown, userEventPattern: "ask" },
        ])
      ).status,
    ).toBe(200);
    const client = await connectJson(server, { hub });
    await client.ask({ ...event("ask"), ackId: 1 });
    expect((await handler.hub(hub).next("ask")).header("authorization")).toBe(`Bearer ${token}`);
    // With another target it would hand the secret to somebody else.
    const moved = await put([{ ...shown, urlTemplate: "https://evil.example/" }]);
    expect(moved).toMatchObject({ status: 400, body: { error: { code: "InvalidSettings" } } });
    expect((await admin({ method: "DELETE", path })).status).toBe(204);
    expect(server.output()).not.toContain(token);
  });

  test("M-27 M-29 network rules are shown and changed for the next request", async () => {
    const path = "/admin/networkRules";
    const original = await admin({ path });
    expect(original).toEqual({
      status: 200,
      body: {
        publicNetworkAccess: "Enabled",
        defaultAction: "Allow",
        publicNetwork: { allow: [], deny: [] },
        privateEndpoints: [],
        ipRules: [],
        source: "configuration",
      },
    });
    const ipRules = [{ value: "203.0.113.0/24", action: "Deny" }];
    const client = await connectJson(server, { hub: "chat" });
    expect(
      await admin({ method: "PATCH", path, json: { publicNetwork: { deny: ["RESTAPI"] }, ipRules } }),
    ).toMatchObject({
      status: 200,
      body: { publicNetwork: { allow: [], deny: ["RESTAPI"] }, ipRules, source: "overlay" },
    });
    expect(await statusWith(server, server.primaryKey)).toBe(403);
    const closed = await admin({ method: "PATCH", path, json: { publicNetworkAccess: "Disabled" } });
    expect(closed).toMatchObject({ body: { publicNetworkAccess: "Disabled", ipRules } });
    expect(await rejection(connectJson(server, { hub: "chat" }))).toContain("answered 403");
    const wrong = await admin({ method: "PATCH", path, json: { ipRules: [{ value: "300.0.0.0", action: "Deny" }] } });
    expect(wrong).toMatchObject({ status: 400, body: { error: { code: "InvalidSettings" } } });
    expect(await admin({ method: "POST", path: `${path}/restore` })).toEqual(original);
    expect(await statusWith(server, server.primaryKey)).toBe(202);
    await client.nothingArrived();
  });

  test("the status says what runs and how many are connected", async () => {
    const hub = freshName("hub");
    const clients = [await connectJson(server, { hub }), await connectJson(server, { hub })];
    const { status, body } = await admin({ path: "/admin/status" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      isReady: true,
      endpoints: [server.endpoint],
      listening: [server.endpoint],
      configuration: { dataDir: server.dataDir, overlay: { file: join(server.dataDir, "overlay.json") } },
      connections: { hubs: { [hub]: clients.length } },
    });
    expect(JSON.stringify(body)).not.toContain(server.primaryKey);
    for (const client of clients) await client.nothingArrived();
  });
});

describe("keys", () => {
  const listed = async (server: Server) => (await adminJson(server, { method: "POST", path: "/admin/keys" })).body;

  test("M-7 a regenerated key is in force at once, survives a restart, and disturbs nobody", async () => {
    const folder = tempDir();
    const first = await startServer(configuration, { folder });
    let fresh = "";
    try {
      expect(await listed(first)).toEqual({
        primaryKey: keys.primary,
        secondaryKey: keys.secondary,
        primaryConnectionString: `Endpoint=${first.endpoint};AccessKey=${keys.primary};Version=1.0;`,
        secondaryConnectionString: `Endpoint=${first.endpoint};AccessKey=${keys.secondary};Version=1.0;`,
      });
      const hub = freshName("hub");
      const clients = [
        await connectJson(first, { hub }),
        await connectJson(first, { hub, signing: { key: keys.secondary } }),
      ];
      const path = "/admin/keys/regenerate";
      const { status, body } = await adminJson(first, { method: "POST", path, json: { keyType: "Primary" } });
      fresh = (body as { primaryKey: string }).primaryKey;
      expect({ status, secondary: (body as { secondaryKey: string }).secondaryKey }).toEqual({
        status: 200,
        secondary: keys.secondary,
      });
      expect(fresh).toMatch(/^[A-Za-z0-9]{64}$/);
      expect(await statusWith(first, keys.primary)).toBe(401);
      expect(await rejection(connectJson(first, { hub, signing: { key: keys.primary } }))).toContain("answered 401");
      expect(await statusWith(first, keys.secondary)).toBe(202);
      expect(await statusWith(first, fresh)).toBe(202);
      // The marker of nothingArrived is signed with the key that is gone; a message by the other one shows the same.
      await hubApi(first, hub)("POST", "/:send", { body: "still here", signing: { signing: { key: keys.secondary } } });
      for (const client of clients) expect(await client.next()).toMatchObject({ data: "still here" });
      expect(statSync(join(first.dataDir, "overlay.json")).mode & 0o777).toBe(0o600);
      expect(first.output()).not.toContain(fresh);
    } finally {
      await first.stop();
    }
    const second = await startServer(configuration, { folder });
    try {
      expect(second.primaryKey).toBe(fresh);
      expect(await statusWith(second, keys.primary)).toBe(401);
      expect(second.output()).toContain("service.keys.primary: is replaced by the administration API");
      const restored = await adminJson(second, {
        method: "POST",
        path: "/admin/keys/restore",
        json: { keyType: "primary" },
      });
      expect(restored.body).toMatchObject({ primaryKey: keys.primary });
      expect(await statusWith(second, keys.primary)).toBe(202);
      expect(await statusWith(second, fresh)).toBe(401);
    } finally {
      await second.stop();
    }
  });

  test("M-7 M-22 a key is regenerated while the file is broken, and the file's next content does not bring it back", async () => {
    const server = await startServer(configuration);
    try {
      const from = server.output().length;
      writeFileSync(server.process.configFile, "{ broken");
      await server.process.written(/ConfigurationRefused/, { from });
      const json = { keyType: "Secondary" };
      expect((await adminJson(server, { method: "POST", path: "/admin/keys/regenerate", json })).status).toBe(200);
      expect(await statusWith(server, keys.secondary)).toBe(401);
      await server.reconfigure({ hubs: { other: { anonymousConnectPolicy: "allow" } } });
      expect(await statusWith(server, keys.secondary)).toBe(401);
      expect(await statusWith(server, keys.primary)).toBe(202);
      expect((await adminJson(server, { path: "/admin/hubs/other" })).status).toBe(200);
    } finally {
      await server.stop();
    }
  });
});

test("M-11 M-64 a token is generated, kept for this user alone and used again; the start names its file only", async () => {
  const folder = tempDir();
  const service = { adminListen: { url: "http://127.0.0.1:0" }, keys };
  const tokens = [];
  for (const _start of [1, 2]) {
    const server = await startServer({ service }, { folder });
    try {
      const file = join(server.dataDir, "admin-token");
      const token = readFileSync(file, "utf8").trim();
      tokens.push(token);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect((await adminRequest(server, "/admin/status", token)).status).toBe(200);
      expect((await adminRequest(server, "/admin/status")).status).toBe(401);
      expect(server.output()).toContain(file);
      expect(server.output()).not.toContain(token);
    } finally {
      await server.stop();
    }
  }
  expect(tokens[0]).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(tokens[1]).toBe(tokens[0]);
});

test("an overlay that cannot be understood stops the start: it may revoke a key", async () => {
  for (const content of ["{", "[]", '{"service":{"listen":[]}}', '{"service":{"keys":{"primary":"short"}}}']) {
    const folder = tempDir();
    writeFileSync(join(folder, "overlay.json"), content);
    const output = await refusedStart({ config: minimal({ dataDir: folder }), folder: tempDir() });
    expect(output).toMatch(/overlay\.json|service\.keys\.primary/);
  }
});
