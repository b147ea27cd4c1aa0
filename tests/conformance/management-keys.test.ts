import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { connectJson } from "../support/clients.ts";
import { parseConnectionString } from "../support/connection-string.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { freePort } from "../support/free-port.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { minimal, refusedStart } from "../support/refused-start.ts";
import { rejection } from "../support/rejection.ts";
import { type Server, startServer } from "../support/server.ts";
import { launch } from "../support/server-process.ts";
import { tempDir } from "../support/temp.ts";

const strings = /^Endpoint=.*$/gm;

/** Status of a send signed with this key. */
async function statusWith(server: Server, key: string): Promise<number> {
  const signing = { signing: { key } };
  return (await hubApi(server, freshName("hub"))("POST", "/:send", { body: "x", signing })).status;
}

/** Starts, waits for the connection string and ends it again; returns what it printed. */
async function printedBy(options: Parameters<typeof launch>[0]): Promise<readonly string[]> {
  const process = launch(options);
  await process.written(/^Endpoint=.*;$/m, { withinMs: 30_000 });
  process.kill("SIGTERM");
  await process.exited;
  return process.output.match(strings) ?? [];
}

describe("a server with two keys", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => await server.stop());

  test("M-1 the start prints a connection string per key, each on a line of its own", async () => {
    const { output } = server.process;
    expect(output.match(strings)).toEqual([
      `Endpoint=${server.endpoint};AccessKey=${server.primaryKey};Version=1.0;`,
      `Endpoint=${server.endpoint};AccessKey=${server.secondaryKey};Version=1.0;`,
    ]);
    expect(server.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test("M-2 the SDK takes the printed string as it is, and its broadcast arrives", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const [primary = "", secondary = ""] = server.process.output.match(strings) ?? [];
    for (const connectionString of [primary, secondary]) {
      const sdk = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection: true });
      await sdk.sendToAll({ by: "the SDK" });
      expect(await client.next()).toMatchObject({ dataType: "json", data: { by: "the SDK" } });
    }
  });

  test("M-6 both keys sign REST and client tokens", async () => {
    for (const key of [server.primaryKey, server.secondaryKey]) {
      expect(await statusWith(server, key)).toBe(202);
      const client = await connectJson(server, { hub: freshName("hub"), signing: { key } });
      expect(client.connected).toMatchObject({ event: "connected" });
    }
  });
});

test("M-3 a public endpoint takes the place of the listen address in the printed string", async () => {
  const config = minimal({ publicEndpoints: ["https://ps.example.com", "https://other.example.com"] });
  expect(await printedBy({ config })).toEqual([
    `Endpoint=https://ps.example.com;AccessKey=${"k".repeat(32)};Version=1.0;`,
  ]);
});

test.each([
  ["shorter than 32 bytes", "k".repeat(31)],
  ["with a blank in front", ` ${"k".repeat(40)}`],
  ["with a blank at its end", `${"k".repeat(40)} `],
  ["with a semicolon", `${"k".repeat(40)};`],
  ["with a control character", `${"k".repeat(20)}\u0007${"k".repeat(20)}`],
])("M-4 a key %s stops the start by the name of its setting", async (_what, key) => {
  for (const keys of [{ primary: key }, { primary: "p".repeat(32), secondary: key }]) {
    const output = await refusedStart({ config: minimal({ keys }) });
    expect(output).toContain("secondary" in keys ? "service.keys.secondary" : "service.keys.primary");
    expect(output).not.toContain(key.trim());
  }
});

test("M-5 a key with plus, slash and equals signs works from end to end", async () => {
  const key = "+/=key+with/base64=signs+/=+/=+/=+/==";
  const server = await startServer({ service: { keys: { primary: key, secondary: null } } });
  try {
    expect(server.primaryKey).toBe(key);
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const sdk = new WebPubSubServiceClient(server.connectionString, hub, { allowInsecureConnection: true });
    await sdk.sendToAll("hello", { contentType: "text/plain" });
    expect(await client.next()).toMatchObject({ data: "hello" });
  } finally {
    await server.stop();
  }
});

test("M-7 a changed secondary key is in force at once, and disturbs nobody", async () => {
  const server = await startServer();
  try {
    const old = server.secondaryKey;
    const fresh = "a-fresh-secondary-key-of-enough-bytes";
    const hub = freshName("hub");
    const [byPrimary, byOld] = [
      await connectJson(server, { hub }),
      await connectJson(server, { hub, signing: { key: old } }),
    ];
    await server.reconfigure({ service: { keys: { secondary: fresh } } });
    expect(await statusWith(server, old)).toBe(401);
    expect(await rejection(connectJson(server, { hub, signing: { key: old } }))).toContain("answered 401");
    expect(await statusWith(server, fresh)).toBe(202);
    expect(await statusWith(server, server.primaryKey)).toBe(202);
    for (const client of [byPrimary, byOld]) await client.nothingArrived();
  } finally {
    await server.stop();
  }
});

test("M-8 without a secondary key one string is printed, and no empty key validates", async () => {
  const server = await startServer({ service: { keys: { secondary: null } } });
  try {
    expect(server.process.output.match(strings)).toEqual([server.connectionString]);
    for (const key of ["", "null", "undefined"]) {
      expect(await statusWith(server, key)).toBe(401);
      expect(await rejection(connectJson(server, { hub: "chat", signing: { key } }))).toContain("answered 401");
    }
  } finally {
    await server.stop();
  }
});

describe("M-9 WEBPUBSUB_CONNECTION_STRING", () => {
  const key = "key-of-the-connection-string-0123456789";
  const variable = (text: string) => ({ env: { WEBPUBSUB_CONNECTION_STRING: text } });

  test("M-9 sets endpoint and primary key, its parts in any case and order", async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const listen = [{ url: endpoint }];
    for (const text of [
      `Endpoint=${endpoint};AccessKey=${key};Version=1.0;`,
      ` version=1.0 ; ACCESSKEY = ${key} ;endpoint=${endpoint}/`,
    ]) {
      const server = await startServer({ service: { listen } }, variable(text));
      try {
        expect(server.connectionString).toBe(`Endpoint=${endpoint};AccessKey=${key};Version=1.0;`);
        expect(await statusWith(server, key)).toBe(202);
      } finally {
        await server.stop();
      }
    }
  });

  test.each([
    `Endpoint=https://a.example.com;AccessKey=${key};accesskey=${key};Version=1.0;`,
    `Endpoint=https://a.example.com;Endpoint=https://b.example.com;AccessKey=${key}`,
    `AccessKey=${key};Version=1.0;`,
    "Endpoint=https://a.example.com;Version=1.0;",
  ])("M-9 a part twice, or missing, stops the start (%#)", async (text) => {
    const output = await refusedStart({ config: minimal(), ...variable(text) });
    expect(output).toContain("WEBPUBSUB_CONNECTION_STRING");
    expect(output).not.toContain(key);
  });
});

describe("M-10 secrets", () => {
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
  });
  afterAll(async () => await handler.stop());

  test.each(["trace", "info"])("M-10 neither keys nor tokens are logged at level %s", async (level) => {
    const categories = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"].map((name) => ({
      name,
      enabled: true,
    }));
    const server = await startServer({
      logging: { level },
      upstream: { retryDelaysSeconds: [] },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
      properties: { resourceLogConfiguration: { categories } },
    });
    try {
      const hub = freshName("hub");
      const api = hubApi(server, hub);
      const marker = "secret.of.a.token";
      const client = await connectJson(server, { hub, query: { other: "kept" } });
      await api("POST", `/groups/none/:send?access_token=${marker}`, { body: "x" });
      await api("POST", "/:send", { body: "x", token: marker });
      await api("POST", `/:send?key=${encodeURIComponent(server.primaryKey)}`, { body: "x", token: null });
      expect(await rejection(connectJson(server, { hub, token: marker }))).toContain("answered 401");
      const { token } = (await api("POST", "/:generateToken")).json as { token: string };
      handler.hub(hub).answer("fails", { status: 500 });
      await client.ask({ type: "event", event: "fails", dataType: "text", data: "x" });
      await api("DELETE", `/connections/${client.connectionId}`);
      await server.process.written(/"operationName":"ConnectionEnded"/);
      const logged = server.process.output.replace(strings, "");
      expect(logged).toContain(hub);
      for (const secret of [
        server.primaryKey,
        server.secondaryKey,
        encodeURIComponent(server.primaryKey),
        marker,
        token,
      ]) {
        expect(logged.includes(secret)).toBe(false);
      }
      expect(logged).not.toContain("eyJ");
    } finally {
      await server.stop();
    }
  });
});

test("M-11 without a key one is generated, kept and used again", async () => {
  const folder = tempDir();
  const config = { service: { listen: [{ url: "http://127.0.0.1:0" }], dataDir: "data" } };
  const [first = ""] = await printedBy({ config, folder });
  const { accessKey } = parseConnectionString(first);
  expect(accessKey).toMatch(/^[A-Za-z0-9]{64}$/);
  const server = await startServer(
    { service: { keys: { primary: null, secondary: null }, dataDir: "data" } },
    { folder },
  );
  try {
    expect(server.primaryKey).toBe(accessKey);
    expect(await statusWith(server, accessKey)).toBe(202);
  } finally {
    await server.stop();
  }
  const [other = ""] = await printedBy({ config });
  expect(parseConnectionString(other).accessKey).not.toBe(accessKey);
});
