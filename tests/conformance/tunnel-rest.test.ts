import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { openTunnel } from "../support/tunnel.ts";

const version = "api-version=2023-07-01";

describe.skipIf(isForeign)("REST through a tunnel", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  async function setUp() {
    const hub = freshName("hub");
    const tunnel = await openTunnel(server, { hub });
    const client = await connectJson(server, { hub, userId: "ann" });
    return { hub, tunnel, client, id: client.connectionId };
  }

  test("T-23 the calls of the SDK answer the status it wants, and act", async () => {
    const { hub, tunnel, client, id } = await setUp();
    const base = `/api/hubs/${hub}`;
    const bodyOf = (groups: readonly string[]) => ({ groups, filter: `connectionId eq '${id}'` });
    const status = async (method: string, path: string, body?: string | object) =>
      (await tunnel.call(method, `${base}${path}?${version}`, body)).status;
    expect(await status("POST", `/connections/${id}/:send`, "one")).toBe(202);
    expect(await client.next()).toMatchObject({ from: "server", dataType: "text", data: "one" });
    expect(await status("POST", "/:send", "two")).toBe(202);
    expect(await client.next()).toMatchObject({ data: "two" });
    expect(await status("POST", "/:addToGroups", bodyOf(["g"]))).toBe(200);
    expect(await status("POST", "/groups/g/:send", "three")).toBe(202);
    expect(await client.next()).toMatchObject({ from: "group", group: "g", data: "three" });
    expect(await status("POST", "/:removeFromGroups", bodyOf(["g"]))).toBe(200);
    expect(await status("POST", "/groups/g/:send", "to nobody")).toBe(202);
    expect(await status("POST", "/:addToGroups", bodyOf(["g"]))).toBe(200);
    expect(await status("DELETE", `/groups/g/connections/${id}`)).toBe(204);
    expect(await status("POST", "/groups/g/:send", "to nobody")).toBe(202);
    await client.nothingArrived();
  });

  test("T-24 a filter is decoded like a form", async () => {
    const { hub, tunnel, client } = await setUp();
    const send = (filter: string, body: string) =>
      tunnel.call("POST", `/api/hubs/${hub}/:send?${version}&filter=${filter}`, body);
    expect((await send("userId+eq+%27bob%27", "not for ann")).status).toBe(202);
    expect((await send("userId+eq+%27ann%27+and+not+%28%27g%27+in+groups%29", "for ann")).status).toBe(202);
    expect(await client.next()).toMatchObject({ data: "for ann" });
    expect((await send("nonsense+%27", "x")).status).toBe(400);
  });

  test("T-25 other hubs and other paths are answered, and refused", async () => {
    const { hub, tunnel, client } = await setUp();
    const status = async (method: string, path: string) => (await tunnel.call(method, path, "x")).status;
    expect(await status("POST", `/api/hubs/${hub}other/:send?${version}`)).toBe(403);
    expect(await status("POST", `/api/hubs/${hub.toUpperCase()}/:send?${version}`)).toBe(202);
    expect(await client.next()).toMatchObject({ data: "x" });
    for (const path of ["/livetrace", "/", "/client/hubs/chat", "/api", "/server/tunnel"])
      expect([path, await status("GET", path)]).toEqual([path, 404]);
    expect(await status("PATCH", `/api/hubs/${hub}/:send`)).toBe(405);
    expect(await status("POST", `/api/hubs/${hub}/:send?api-version=1999-01-01`)).toBe(202);
    expect(await status("HEAD", "/api/health")).toBe(200);
    await client.next();
    await client.nothingArrived();
  });

  test("T-27 a thousand messages in a row arrive in order, big ones among them", async () => {
    const { hub, tunnel, client } = await setUp();
    const count = 1000;
    const bodyOf = (at: number) => (at % 100 === 0 ? `${at} ${"x".repeat(100_000)}` : `${at}`);
    const answers = Array.from({ length: count }, (_, at) => tunnel.call("POST", `/api/hubs/${hub}/:send`, bodyOf(at)));
    for (let at = 0; at < count; at++) expect(Number.parseInt(String((await client.next())["data"]), 10)).toBe(at);
    const statuses = await Promise.all(answers);
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([202]));
  });

  test("an answer above 512 KiB comes in parts", async () => {
    const { hub, tunnel } = await setUp();
    const clients = 200;
    const userId = "u".repeat(3000);
    const opened = Array.from({ length: clients }, () => connectJson(server, { hub, userId }));
    for (const client of await Promise.all(opened))
      await server.rest({ method: "PUT", path: `/api/hubs/${hub}/groups/g/connections/${client.connectionId}` });
    const { status, text, parts } = await tunnel.call("GET", `/api/hubs/${hub}/groups/g/connections`);
    expect(status).toBe(200);
    expect((JSON.parse(text) as { value: unknown[] }).value).toHaveLength(clients);
    expect(parts).toEqual([524_288, text.length - 524_288]);
  });
});
