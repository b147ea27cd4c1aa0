import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { type AdminCall, adminCall, adminJson, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const version = "api-version=2024-12-01";
const awkward = "a/b <i>é漢🎈</i>&%2F";

/** One operation of the data-plane API on the administration listener. */
const callsOf =
  (server: Server) =>
  (method: string, path: string, more: Partial<AdminCall> = {}) =>
    adminCall(server, { method, path: `${path}${path.includes("?") ? "&" : "?"}${version}`, ...more });

describe.skipIf(isForeign)("the data-plane API on the administration listener", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: adminSettings });
  });
  afterAll(async () => await server.stop());

  const call: ReturnType<typeof callsOf> = (method, path, more) => callsOf(server)(method, path, more);

  test("does what it does for applications, without a signed token", async () => {
    const hub = freshName("hub");
    const base = `/api/hubs/${hub}`;
    const client = await connectJson(server, { hub, userId: awkward });
    const group = encodeURIComponent(awkward);
    const member = `${base}/groups/${group}/connections/${client.connectionId}`;
    expect((await call("PUT", member)).status).toBe(200);
    expect((await call("POST", `${base}/groups/${group}/:send`, { json: { a: 1 } })).status).toBe(202);
    expect(await client.next()).toMatchObject({ from: "group", group: awkward, data: { a: 1 } });
    expect((await call("HEAD", `${base}/users/${group}`)).status).toBe(200);
    const listed = await call("GET", `${base}/groups/${group}/connections`);
    expect(listed.json).toMatchObject({ value: [{ connectionId: client.connectionId, userId: awkward }] });
    expect([listed.header("cache-control"), listed.header("access-control-allow-origin")]).toEqual(["no-store", null]);
    const target = `targetName=${group}`;
    const permission = `${base}/permissions/sendToGroup/connections/${client.connectionId}?${target}`;
    expect((await call("PUT", permission)).status).toBe(200);
    expect(
      await client.ask({ type: "sendToGroup", group: awkward, dataType: "text", data: "x", noEcho: true }),
    ).toEqual({ success: true });
    expect((await call("DELETE", `${base}/connections/${client.connectionId}?reason=bye`)).status).toBe(204);
    expect(await client.next()).toMatchObject({ event: "disconnected" });
  });

  test("R-95 a minted client token is good for the service's own endpoint", async () => {
    const hub = freshName("hub");
    const path = `/api/hubs/${hub}/:generateToken?userId=ann&role=webpubsub.sendToGroup&minutesToExpire=5`;
    const { status, json } = await call("POST", path);
    expect(status).toBe(200);
    const { token } = json as { token: string };
    expect((await connectJson(server, { hub, token })).connected).toMatchObject({ userId: "ann" });
  });

  test("refuses what it refuses to applications, in the same words", async () => {
    const send = (path: string, more: Partial<AdminCall> = {}) =>
      adminJson(server, { method: "POST", path, json: "x", ...more });
    expect((await send("/api/hubs/h/:send?api-version=1")).status).toBe(400);
    expect((await send(`/api/hubs/no-hub/:send?${version}`)).status).toBe(400);
    expect((await send(`/api/nothing?${version}`)).status).toBe(404);
    expect((await send(`/api/hubs/h/:send?${version}`, { method: "PATCH" })).status).toBe(405);
    const tooBig = await send(`/api/hubs/h/:send?${version}`, { json: "x".repeat(1_048_576) });
    expect(tooBig).toMatchObject({ status: 400, body: { code: "Error.BadRequest" } });
  });

  test("M-64 wants the administration token, and the public listener wants its own", async () => {
    const hub = freshName("hub");
    for (const token of [null, "wrong", server.primaryKey])
      expect((await call("POST", `/api/hubs/${hub}/:send`, { token, json: "x" })).status).toBe(401);
    const rebound = { host: "rebound.example.com", json: "x" };
    expect((await call("POST", `/api/hubs/${hub}/:send`, rebound)).status).toBe(421);
    const { adminListen } = adminSettings;
    const answer = await hubApi(server, hub)("POST", "/:send", { body: "x", token: adminListen.token });
    expect(answer.status).toBe(401);
  });
});

test("M-24 M-34 it works while access keys are switched off and network rules deny REST, a minted token too", async () => {
  const server = await startServer({
    service: { ...adminSettings, pathBase: "/base" },
    properties: {
      disableLocalAuth: true,
      networkACLs: { publicNetwork: { deny: ["RESTAPI"] } },
    },
  });
  const call = callsOf(server);
  try {
    const hub = freshName("hub");
    expect((await hubApi(server, hub)("POST", "/:send", { body: "x" })).status).toBe(403);
    const minted = await call("POST", `/api/hubs/${hub}/:generateToken`);
    const client = await connectJson(server, { hub, token: (minted.json as { token: string }).token });
    expect((await call("POST", `/api/hubs/${hub}/:send`, { json: "hello" })).status).toBe(202);
    expect(await client.next()).toMatchObject({ data: "hello" });
  } finally {
    await server.stop();
  }
});

test("M-60 a stopped service is stopped for it as well, but for its health", async () => {
  const server = await startServer({ service: adminSettings });
  const call = callsOf(server);
  try {
    await server.reconfigure({ properties: { resourceStopped: "true" } });
    expect((await call("POST", "/api/hubs/h/:send", { json: "x" })).status).toBe(503);
    expect((await call("HEAD", "/api/health")).status).toBe(200);
    expect((await adminCall(server, { path: "/admin/status" })).status).toBe(200);
  } finally {
    await server.stop();
  }
});
