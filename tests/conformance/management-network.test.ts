import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { minimal, refusedStart } from "../support/refused-start.ts";
import { type Server, startServer } from "../support/server.ts";
import { handshake } from "../support/web-socket.ts";

interface Statuses {
  readonly rest: number;
  readonly client: number;
  readonly trace: number;
  readonly health: number;
}

/** How requests of each kind are answered, by way of a proxy that says they come from `address`. */
async function statuses(server: Server, address?: string): Promise<Statuses> {
  const hub = freshName("hub");
  const forwarded = address === undefined ? [] : [["X-Forwarded-For", address] as const];
  const headers = Object.fromEntries(forwarded);
  const path = clientPath(server, { hub });
  return {
    rest: (await hubApi(server, hub)("POST", "/:send", { body: "x", headers })).status,
    client: (await handshake(server.endpoint, { path, headers: forwarded })).status,
    trace: (await server.rest({ path: "/livetrace", token: null, headers })).status,
    health: (await server.rest({ method: "HEAD", path: "/api/health", token: null, headers })).status,
  };
}

const everything = {
  publicNetworkAccess: "Enabled",
  networkACLs: { defaultAction: "Allow", publicNetwork: { allow: [], deny: [] }, ipRules: [] },
};

describe("a server behind a trusted proxy", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: { trustedProxies: ["127.0.0.1"] } });
  });
  afterAll(async () => await server.stop());

  /** Takes over these properties; everything is allowed that they do not name. */
  const configure = (properties: Record<string, unknown>): Promise<void> =>
    server.reconfigure({
      properties: {
        ...everything,
        ...properties,
        networkACLs: { ...everything.networkACLs, ...(properties["networkACLs"] as object | undefined) },
      },
    });

  test("M-27 M-34 without public access everything but the health is refused, whatever the token", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    await configure({ publicNetworkAccess: "disabled" });
    expect(await statuses(server)).toEqual({ rest: 403, client: 403, trace: 403, health: 200 });
    const api = hubApi(server, hub);
    for (const token of [null, "not.a.token"]) {
      expect((await api("POST", "/:send", { body: "x", token })).status).toBe(403);
      const path = clientPath(server, { hub, token });
      expect((await handshake(server.endpoint, { path })).status).toBe(403);
    }
    expect((await server.rest({ path: "/client" })).status).toBe(403);
    await configure({});
    await client.nothingArrived();
  });

  test("M-28 an allowed request type is the only one where the default is Deny", async () => {
    await configure({
      networkACLs: { defaultAction: "Deny", publicNetwork: { allow: ["ClientConnection"], deny: [] } },
    });
    expect(await statuses(server)).toEqual({ rest: 403, client: 101, trace: 403, health: 200 });
  });

  test("M-29 a denied request type is the only one where the default is Allow", async () => {
    await configure({ networkACLs: { publicNetwork: { allow: [], deny: ["RESTAPI"] } } });
    expect(await statuses(server)).toMatchObject({ rest: 403, client: 101, health: 200 });
    await configure({
      networkACLs: { publicNetwork: { allow: ["RESTAPI", "ClientConnection"], deny: ["ClientConnection"] } },
    });
    expect(await statuses(server)).toMatchObject({ rest: 202, client: 403, health: 200 });
  });

  test("M-30 the documented example admits its two ranges alone", async () => {
    const ipRules = [
      { value: "123.0.0.0/8", action: "Allow" },
      { value: "2603::/8", action: "Allow" },
      { value: "0.0.0.0/0", action: "Deny" },
      { value: "::/0", action: "Deny" },
    ];
    await configure({ networkACLs: { defaultAction: "Deny", ipRules } });
    for (const address of ["123.1.2.3", "2603::1", "::ffff:123.1.2.3"]) {
      expect(await statuses(server, address)).toMatchObject({ rest: 202, client: 101, health: 200 });
    }
    for (const address of ["8.8.8.8", "2001::1", "::ffff:8.8.8.8"]) {
      expect(await statuses(server, address)).toMatchObject({ rest: 403, client: 403, health: 200 });
    }
  });

  test("M-31 the first rule that matches decides", async () => {
    const narrow = { value: "10.1.0.0/16", action: "Allow" };
    const wide = { value: "10.0.0.0/8", action: "Deny" };
    await configure({ networkACLs: { ipRules: [wide, narrow] } });
    expect(await statuses(server, "10.1.2.3")).toMatchObject({ rest: 403, client: 403 });
    await configure({ networkACLs: { ipRules: [narrow, wide] } });
    expect(await statuses(server, "10.1.2.3")).toMatchObject({ rest: 202, client: 101 });
    expect(await statuses(server, "10.2.2.3")).toMatchObject({ rest: 403, client: 403 });
  });

  test("M-33 a trusted proxy names the client, and only the last address it vouches for counts", async () => {
    await configure({ networkACLs: { ipRules: [{ value: "10.0.0.0/8", action: "Deny" }] } });
    expect((await statuses(server, "10.1.1.1")).rest).toBe(403);
    expect((await statuses(server, "10.1.1.1, 192.0.2.7")).rest).toBe(202);
    expect((await statuses(server, "192.0.2.7, 10.1.1.1")).rest).toBe(403);
    expect((await statuses(server, "192.0.2.7")).rest).toBe(202);
  });
});

test("M-33 M-34 an untrusted peer cannot say where it comes from", async () => {
  const ipRules = [{ value: "127.0.0.1/32", action: "Deny" }];
  const server = await startServer({ properties: { networkACLs: { ipRules } } });
  try {
    expect(await statuses(server, "192.0.2.7")).toMatchObject({ rest: 403, client: 403, health: 200 });
    await server.reconfigure({ properties: { networkACLs: { ipRules: [{ value: "192.0.2.7/32", action: "Deny" }] } } });
    expect(await statuses(server, "192.0.2.7")).toMatchObject({ rest: 202, client: 101 });
  } finally {
    await server.stop();
  }
});

test("M-32 more than 30 rules, or what is no address range, stops the start", async () => {
  const start = (ipRules: unknown) =>
    refusedStart({ config: { ...minimal(), properties: { networkACLs: { ipRules } } } });
  const rules = Array.from({ length: 31 }, (_, at) => ({ value: `10.0.0.${at}`, action: "Deny" }));
  expect(await start(rules)).toContain("properties.networkACLs.ipRules");
  for (const value of ["10.0.0.0/33", "10.0.0", "2001::/129", "AzureCloud", ""]) {
    expect(await start([...rules.slice(0, 1), { value, action: "Deny" }])).toContain(
      "properties.networkACLs.ipRules[1].value",
    );
  }
  const server = await startServer({ properties: { networkACLs: { ipRules: rules.slice(0, 30) } } });
  await server.stop();
});
