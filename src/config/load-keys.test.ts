import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configFolder, type Given, key, listening, otherKey, withKey } from "../../tests/support/config-folder.ts";
import { clientEndpoints, connectionStrings } from "./config.ts";
import { developmentKey } from "./keys.ts";
import { loadConfig } from "./load.ts";

const { inputOf, load, problemsOf, remove, warningsOf } = configFolder();
afterAll(remove);

test("nothing configured: loopback listeners, the console among them, the emulator's key, only its token written", () => {
  const input = inputOf({});
  const loaded = loadConfig(input);
  if (!loaded.ok) throw new Error("not loaded");
  const { config } = loaded;
  expect(listening(config)).toEqual(["http localhost 8080", "https localhost 8443"]);
  expect(config.service.keys).toEqual({ primary: developmentKey, secondary: null, origin: "development" });
  expect(config.service.dataDir).toBe(join(input.cwd, ".tidewire"));
  expect(config.service.adminListen).toMatchObject({
    address: { scheme: "http", hostname: "127.0.0.1", port: 8081 },
    isDefault: true,
  });
  expect(readdirSync(config.service.dataDir)).toEqual(["admin-token"]);
  expect(loaded.warnings).toEqual([]);
});

test("there is no console by itself where something says how to listen, and where the caller has defaults of its own", () => {
  for (const input of [
    inputOf({ commandLine: { port: "0" } }),
    { ...inputOf({}), defaultListenUrls: ["http://localhost:0"] },
  ]) {
    const loaded = loadConfig(input);
    if (!loaded.ok) throw new Error("not loaded");
    expect(loaded.config.service.adminListen).toBeNull();
    expect(existsSync(loaded.config.service.dataDir)).toBe(false);
  }
});

test("M-1 M-8 without a secondary key there is one connection string, for the address that is bound", () => {
  const config = load({});
  const strings = connectionStrings(config, [{ scheme: "http", hostname: "0.0.0.0", port: 41_234 }]);
  expect(strings).toEqual({
    primary: `Endpoint=http://localhost:41234;AccessKey=${developmentKey};Version=1.0;`,
    secondary: null,
  });
});

test("M-3 M-40 the first public endpoint with the path base takes the place of the listen address", () => {
  const config = load({
    file: `service: { pathBase: /pubsub, publicEndpoints: ["https://Pubsub.example.com:443/pubsub/", "http://b:81"], keys: { primary: ${key}, secondary: ${otherKey} } }`,
  });
  expect(connectionStrings(config, [{ scheme: "http", hostname: "localhost", port: 8080 }])).toEqual({
    primary: `Endpoint=https://pubsub.example.com/pubsub;AccessKey=${key};Version=1.0;`,
    secondary: `Endpoint=https://pubsub.example.com/pubsub;AccessKey=${otherKey};Version=1.0;`,
  });
  const bare = load({ file: withKey("").replace("keys", "pathBase: /pubsub, keys") });
  expect(clientEndpoints(bare, [{ scheme: "http", hostname: "::1", port: 1 }])).toEqual(["http://[::1]:1/pubsub"]);
});

test.each([
  ["short", "must be at least 32 bytes long"],
  [`" ${key}"`, "must not begin or end with white space"],
  [`"${key};"`, "must not contain a semicolon"],
  [`"${key}\\tx"`, "must not contain control characters"],
])("M-4 the key %s stops the start and the message names the setting, not the key", (yaml, message) => {
  expect(problemsOf({ file: `service: { keys: { primary: ${yaml} } }` })).toEqual([`service.keys.primary: ${message}`]);
  expect(problemsOf({ file: `service: { keys: { primary: ${key}, secondary: ${yaml} } }` })).toEqual([
    `service.keys.secondary: ${message}`,
  ]);
});

test("M-8 an empty key never counts as a key", () => {
  expect(problemsOf({ file: `service: { keys: { primary: ${key}, secondary: "" } }` })).toEqual([
    "service.keys.secondary: must not be empty",
  ]);
  expect(
    load({ environment: { WEBPUBSUB_PRIMARY_KEY: key, WEBPUBSUB_SECONDARY_KEY: "" } }).service.keys.secondary,
  ).toBeNull();
});

test("the emulator's key beyond loopback is refused, on loopback it is development mode", () => {
  const refusal =
    "service.keys.primary: is the emulator's public key, with which the service listens on loopback addresses only";
  const environment = { WEBPUBSUB_PRIMARY_KEY: developmentKey };
  expect(problemsOf({ environment, commandLine: { urls: "http://0.0.0.0:8080" } })).toEqual([refusal]);
  expect(problemsOf({ environment: { ...environment, WEBPUBSUB_URLS: "http://localhost:1;http://[::]:2" } })).toEqual([
    refusal,
  ]);
  expect(load({ environment, commandLine: { urls: "http://127.0.0.1:0;https://[::1]:0" } }).service.keys.origin).toBe(
    "development",
  );
  const proxied = { ...environment, WEBPUBSUB_PUBLIC_ENDPOINT: "https://pubsub.example.com" };
  expect(warningsOf({ environment: proxied })).toEqual([
    "service.publicEndpoints: leads to a service whose access key is public",
  ]);
});

test("M-11 a key is generated, kept in the data folder and reused as soon as something about the service is configured", () => {
  const given: readonly Given[] = [
    { commandLine: { urls: "http://localhost:8080" } },
    { commandLine: { data: "data" } },
    { file: "hubs: {}\n" },
    { file: "" },
    { environment: { WEBPUBSUB_PUBLIC_ENDPOINT: "https://pubsub.example.com" } },
    { environment: { Urls: "http://*:8080" } },
    { file: `{"WebPubSub": {}, "Urls": "http://*:8080"}`, fileName: "appsettings.json" },
  ];
  for (const each of given) {
    const input = inputOf(each);
    const first = loadConfig(input);
    const second = loadConfig(input);
    if (!first.ok || !second.ok) throw new Error("not loaded");
    expect(first.config.service.keys.origin).toBe("generated");
    expect(first.config.service.keys.primary).not.toBe(developmentKey);
    expect(second.config.service.keys.primary).toBe(first.config.service.keys.primary);
    expect(readFileSync(join(first.config.service.dataDir, "access-key"), "utf8").trim()).toBe(
      first.config.service.keys.primary,
    );
  }
});

test("hubs from variables, --port, --log-level and the emulator's own file stay in development mode", () => {
  const given: readonly Given[] = [
    { commandLine: { port: "0", logLevel: "DEBUG" } },
    { environment: { WebPubSub__Hubs__chat__EventHandlers__0__UrlTemplate: "http://localhost:3000/{event}" } },
    { file: `{"WebPubSub": {}, "Urls": "http://localhost:9090"}`, fileName: "appsettings.json" },
  ];
  for (const each of given) expect(load(each).service.keys.origin).toBe("development");
  expect(listening(load({ commandLine: { port: "0" } }))).toEqual(["http localhost 0"]);
});

test("the data folder is XDG_STATE_HOME's, else the home folder's, and --data wins", () => {
  const environment = { XDG_STATE_HOME: "/state", WEBPUBSUB_PRIMARY_KEY: key };
  expect(load({ environment }).service.dataDir).toBe("/state/tidewire");
  const input = inputOf({ environment: { ...environment, WEBPUBSUB__SERVICE__DATADIR: "from-variable" } });
  const fromVariable = loadConfig(input);
  const fromOption = loadConfig({ ...input, commandLine: { data: "from-option" } });
  if (!fromVariable.ok || !fromOption.ok) throw new Error("not loaded");
  expect(fromVariable.config.service.dataDir).toBe(join(input.cwd, "from-variable"));
  expect(fromOption.config.service.dataDir).toBe(join(input.cwd, "from-option"));
});

test("M-9 the connection string sets endpoint and primary key, a repeated name is an error", () => {
  const config = load({
    environment: { WEBPUBSUB_CONNECTION_STRING: ` accesskey=${key}; ENDPOINT=http://pubsub.example.com;Port=8080` },
  });
  expect(config.service.publicEndpoints).toEqual(["http://pubsub.example.com:8080"]);
  expect(config.service.keys).toEqual({ primary: key, secondary: null, origin: "configured" });
  const twice = `Endpoint=http://a;AccessKey=${key};accessKey=${otherKey}`;
  expect(problemsOf({ environment: { WEBPUBSUB_CONNECTION_STRING: twice } })).toEqual([
    "WEBPUBSUB_CONNECTION_STRING: has accessKey twice",
  ]);
});
