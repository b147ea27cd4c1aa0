import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfSigned } from "../support/certificate.ts";
import { clientPath, connectJson } from "../support/clients.ts";
import { parseConnectionString } from "../support/connection-string.ts";
import { startEventHandler } from "../support/event-handler.ts";
import { freePort } from "../support/free-port.ts";
import { hubApi } from "../support/hub-api.ts";
import { adminRequest, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { minimal, refusedStart } from "../support/refused-start.ts";
import { sendRest } from "../support/rest.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { startServer } from "../support/server.ts";
import { launch } from "../support/server-process.ts";
import { tempDir } from "../support/temp.ts";
import { clientToken } from "../support/tokens.ts";
import { handshake } from "../support/web-socket.ts";

const endpointLine = /^Endpoint=([^;]*);AccessKey=([^;]*);/m;
const startWithin = { withinMs: 30_000 };

test("M-56 the documented file is accepted with every property in it", async () => {
  const document = readFileSync(fileURLToPath(new URL("../../docs/spec/management.md", import.meta.url)), "utf8");
  const section = document.slice(document.indexOf("### 19.2 File"));
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
  const folder = tempDir();
  const { cert, key } = await selfSigned();
  writeFileSync(join(folder, "tls.crt"), cert);
  writeFileSync(join(folder, "tls.key"), key);
  // Only addresses and file names of this machine take the place of the documented ones.
  const here = yaml
    .replace("http://0.0.0.0:8080", "http://127.0.0.1:0")
    .replace("https://0.0.0.0:8443", "https://127.0.0.1:0")
    .replace("http://127.0.0.1:8081", "http://127.0.0.1:0")
    .replaceAll("/etc/wps/", `${folder}/`);
  const file = join(folder, "documented.yaml");
  writeFileSync(file, here);
  expect(here.split("\n").length).toBeGreaterThan(60);
  const env = { WPS_ADMIN_TOKEN: "t".repeat(32), WPS_PRIMARY_KEY: "p".repeat(32), WPS_SECONDARY_KEY: "s".repeat(32) };
  const process = launch({ config: null, args: ["--config", file], folder, env });
  const [, endpoint, accessKey] = await process.written(endpointLine, startWithin);
  expect({ endpoint, accessKey }).toEqual({ endpoint: "https://pubsub.example.com", accessKey: "p".repeat(32) });
  process.kill("SIGTERM");
  await process.exited;
  expect(process.output).not.toContain("is not a setting");
});

test.each([
  ["at the top", { unknown: 1 }, "unknown"],
  ["below service", { service: { ...minimal().service, lisen: [] } }, "service.lisen"],
  ["in a hub", { hubs: { chat: { anonymousPolicy: "deny" } } }, "hubs.chat.anonymousPolicy"],
  [
    "in a list",
    { hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/", url: "x" }] } } },
    "hubs.chat.eventHandlers[0].url",
  ],
])("M-56 an unknown key %s stops the start and is named with its path", async (_where, patch, path) => {
  const output = await refusedStart({ config: { ...minimal(), ...patch } });
  expect(output).toContain(`${path}: is not a setting`);
});

test("M-57 the environment is over the file, and the command line over the environment", async () => {
  const inFile = minimal({
    listen: [{ url: "http://127.0.0.1:0" }],
    keys: { primary: "from-the-file".padEnd(32, "-") },
  });
  const fromEnvironment = "from-the-environment".padEnd(32, "-");
  const env = { WEBPUBSUB__SERVICE__KEYS__PRIMARY: fromEnvironment, WEBPUBSUB_URLS: "http://localhost:0" };
  const printed = async (options: { readonly args?: readonly string[]; readonly env?: Record<string, string> }) => {
    const process = launch({ config: inFile, ...options });
    const [, endpoint = "", key] = await process.written(endpointLine, startWithin);
    process.kill("SIGTERM");
    await process.exited;
    return { host: new URL(endpoint).hostname, key };
  };
  expect(await printed({})).toEqual({
    host: "127.0.0.1",
    key: inFile.service.keys.primary === undefined ? "" : "from-the-file".padEnd(32, "-"),
  });
  expect(await printed({ env })).toEqual({ host: "localhost", key: fromEnvironment });
  expect(await printed({ env, args: ["--urls", "http://127.0.0.1:0"] })).toEqual({
    host: "127.0.0.1",
    key: fromEnvironment,
  });
});

test("M-58 the emulator's variables configure key and handler", async () => {
  const handler = await startEventHandler();
  const port = await freePort();
  const key = "key-of-the-emulator's-variables-0123456789";
  const folder = tempDir();
  const process = launch({
    config: null,
    folder,
    args: ["--data", join(folder, "data")],
    env: {
      Urls: `http://127.0.0.1:${port}`,
      WebPubSub__AccessKey: key,
      WebPubSub__Hubs__chat__EventHandlers__0__UrlTemplate: `${handler.url}/{event}`,
      WebPubSub__Hubs__chat__EventHandlers__0__EventPattern: "*",
      WebPubSub__Hubs__chat__EventHandlers__0__SystemEvents__0: "connect",
    },
  });
  try {
    const [printed] = await process.written(/^Endpoint=.*$/m, startWithin);
    const { endpoint, accessKey } = parseConnectionString(printed);
    expect({ endpoint, accessKey }).toEqual({ endpoint: `http://127.0.0.1:${port}`, accessKey: key });
    const issuer = { endpoint, primaryKey: accessKey };
    const path = `/client/hubs/chat?access_token=${clientToken(issuer, { hub: "chat" })}`;
    expect((await handshake(endpoint, { path })).status).toBe(101);
    expect((await handler.hub("chat").next("connect")).url).toBe("/connect");
    expectEmpty(await sendRest(issuer, { method: "POST", path: "/api/hubs/chat/:send", body: "x" }), 202);
  } finally {
    process.kill("SIGTERM");
    await process.exited;
    await handler.stop();
  }
});

test("M-60 a stopped resource answers 503 to REST and clients", async () => {
  const server = await startServer({ properties: { resourceStopped: "true" } });
  try {
    const hub = freshName("hub");
    for (const [method, path] of [
      ["POST", "/:send"],
      ["HEAD", "/groups/g"],
    ] as const) {
      expect((await hubApi(server, hub)(method, path, { body: "x" })).status).toBe(503);
    }
    expect((await handshake(server.endpoint, { path: clientPath(server, { hub }) })).status).toBe(503);
    await server.reconfigure({ properties: { resourceStopped: "false" } });
    const client = await connectJson(server, { hub });
    expectEmpty(await hubApi(server, hub)("POST", "/:send", { body: "running again" }), 202);
    expect(await client.next()).toMatchObject({ data: "running again" });
  } finally {
    await server.stop();
  }
});

test("M-61 a draining node is unhealthy, refuses new clients and keeps those it has", async () => {
  const server = await startServer();
  try {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const health = async (method: string): Promise<number> =>
      (await server.rest({ method, path: "/api/health", token: null, apiVersion: null })).status;
    const connect = async (): Promise<number> =>
      (await handshake(server.endpoint, { path: clientPath(server, { hub }) })).status;
    await server.reconfigure({ properties: { regionEndpointEnabled: "Disabled" } });
    expect([await health("HEAD"), await health("GET"), await connect()]).toEqual([503, 503, 503]);
    expectEmpty(await hubApi(server, hub)("POST", "/:send", { body: "still here" }), 202);
    expect(await client.next()).toMatchObject({ data: "still here" });
    expect((await hubApi(server, hub)("HEAD", `/connections/${client.connectionId}`)).status).toBe(200);
    await server.reconfigure({ properties: { regionEndpointEnabled: "Enabled" } });
    expect([await health("HEAD"), await connect()]).toEqual([200, 101]);
  } finally {
    await server.stop();
  }
});

test("M-64 the administration listener wants its token, and the public one does not have its paths", async () => {
  const server = await startServer({ service: adminSettings });
  try {
    const right = await adminRequest(server, "/metrics");
    expect(right.status).toBe(200);
    expect(right.header("content-type")).toStartWith("text/plain");
    expect(right.text).toContain("webpubsub_total_connection_count");
    for (const token of [null, "", "wrong-token-of-a-test-wrong", server.primaryKey]) {
      for (const path of ["/metrics", "/elsewhere", "/admin/keys"]) {
        const refused = await adminRequest(server, path, token);
        expect({ status: refused.status, text: refused.text }).toEqual({ status: 401, text: "" });
      }
    }
    const token = adminSettings.adminListen.token;
    for (const path of ["/metrics", "/admin", "/admin/keys", "/admin/hubs/chat", "/console"]) {
      for (const given of [null, token, undefined]) {
        const answer = await server.rest({ path, ...(given === undefined ? {} : { token: given }) });
        expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      }
    }
    for (const path of ["/client/hubs/chat", "/livetrace"]) {
      expect({ path, status: (await adminRequest(server, path)).status }).toEqual({ path, status: 404 });
    }
  } finally {
    await server.stop();
  }
});

test("M-64 an administration listener whose token is short stops the start", async () => {
  const adminListen = { url: "http://127.0.0.1:0", token: "short" };
  expect(await refusedStart({ config: minimal({ adminListen }) })).toContain("service.adminListen");
});
