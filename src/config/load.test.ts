import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configFolder, key, listening, otherKey, withKey } from "../../tests/support/config-folder.ts";
import { exampleConfig } from "../../tooling/config-docs.ts";
import { hubSettings } from "./config.ts";
import { loadConfig } from "./load.ts";

const { inputOf, load, problemsOf, warningsOf, remove } = configFolder();
afterAll(remove);

test("M-32 more than 30 IP rules and malformed ranges are errors", () => {
  const rules = (values: readonly string[]) =>
    withKey(
      `properties: { networkACLs: { ipRules: [${values.map((value) => `{ value: "${value}", action: allow }`).join()}] } }`,
    );
  expect(problemsOf({ file: rules(Array.from({ length: 31 }, () => "10.0.0.0/8")) })).toEqual([
    "properties.networkACLs.ipRules: must have at most 30 entries",
  ]);
  expect(load({ file: rules(Array.from({ length: 30 }, () => "10.0.0.0/8")) }).networkRules.ipRules).toHaveLength(30);
  for (const value of ["10.0.0.0/33", "AzureCloud"]) {
    expect(problemsOf({ file: rules([value]) })[0]).toStartWith(
      "properties.networkACLs.ipRules[0].value: must be an IP address or a range",
    );
  }
});

test("M-30 network rules arrive in the form that core evaluates", () => {
  const { networkRules } = load({
    file: withKey(`properties:
  publicNetworkAccess: disabled
  networkACLs:
    defaultAction: deny
    publicNetwork: { allow: [restapi], deny: [TRACE] }
    privateEndpoints: [{ name: internal, allow: [ClientConnection] }]
    ipRules: [{ value: 123.0.0.0/8, action: Allow }]
`),
  });
  expect(networkRules).toEqual({
    publicNetworkAccess: "Disabled",
    defaultAction: "deny",
    publicNetwork: { allow: ["RESTAPI"], deny: ["Trace"] },
    privateEndpoints: new Map([["internal", { allow: ["ClientConnection"], deny: [] }]]),
    ipRules: [{ range: { bytes: [123, 0, 0, 0], prefixLength: 8 }, action: "allow" }],
  });
});

const specified = `
service:
  name: contoso
  listen:
    - url: http://0.0.0.0:8080
    - url: https://0.0.0.0:8443
      tls: { certFile: /etc/wps/tls.crt, keyFile: /etc/wps/tls.key }
  adminListen: { url: http://127.0.0.1:8081, token: "\${WPS_ADMIN_TOKEN}" }
  publicEndpoints: ["https://pubsub.example.com"]
  pathBase: ""
  trustedProxies: ["10.0.0.0/8"]
  keys: { primary: "\${WPS_PRIMARY_KEY}", secondary: "\${WPS_SECONDARY_KEY}" }
properties:
  disableLocalAuth: false
  disableAadAuth: false
  tls: { clientCertEnabled: false }
  publicNetworkAccess: Enabled
  networkACLs:
    defaultAction: Allow
    publicNetwork: { allow: [ClientConnection, ServerConnection, RESTAPI, Trace], deny: [] }
    ipRules: []
  liveTraceConfiguration:
    enabled: "false"
    categories:
      - { name: ConnectivityLogs, enabled: "true" }
      - { name: MessagingLogs, enabled: "true" }
      - { name: HttpRequestLogs, enabled: "true" }
  resourceLogConfiguration:
    categories: [ { name: ConnectivityLogs, enabled: "true" } ]
  applicationFirewall: { clientConnectionCountRules: [], clientTrafficControlRules: [] }
  socketIO: { serviceMode: Default }
hubs:
  chat:
    anonymousConnectPolicy: deny
    webSocketKeepAliveIntervalInSeconds: 20
    eventHandlers:
      - urlTemplate: http://localhost:3000/eventhandler/{event}
        userEventPattern: "*"
        systemEvents: [connect, connected, disconnected]
        auth: { type: None }
    eventListeners:
      - filter: { type: EventName, systemEvents: [connected, disconnected], userEventPattern: "*" }
        endpoint: { type: EventHub, fullyQualifiedNamespace: ns.servicebus.windows.net, eventHubName: events }
auth:
  clockSkewSeconds: 300
  audience: { validateHost: true }
  oidc:
    - issuer: https://sts.windows.net/tenant/
      jwksUri: https://login.microsoftonline.com/tenant/discovery/v2.0/keys
      audiences: [https://webpubsub.azure.com]
      roles: [ { claim: oid, value: "object id", role: owner } ]
  allowUnvalidatedEntraTokens: false
limits:
  maxMessageBytes: 1048576
  maxRequestLineBytes: 16384
  outboundQueue: { messages: 1000, bytes: 16777216 }
  reliable: { recoverySeconds: 30, messages: 1000, bytes: 16777216 }
  eventHandler: { timeoutSeconds: 100, maxResponseBytes: 16777216 }
  maxConnections: 0
  maxMessagesPerDay: 0
cors: { allowedOrigins: ["*"] }
cluster: { bus: none }
logging: { level: info, format: json, resourceLogs: stdout }
metrics: { prometheus: true }
compat: { keepEncodedSlash: false, permissionWithoutTargetMeansAll: false }
`;

test("M-56 every setting of the specification is accepted as written, and its defaults are the defaults", () => {
  const environment = { WPS_ADMIN_TOKEN: "admin-token-0123456789", WPS_PRIMARY_KEY: key, WPS_SECONDARY_KEY: otherKey };
  const config = load({ file: specified, environment });
  expect(config.service.keys).toEqual({ primary: key, secondary: otherKey, origin: "configured" });
  expect(config.service.adminListen?.token).toBe("admin-token-0123456789");
  expect(config.service.listen[1]?.tls).toEqual({ certFile: "/etc/wps/tls.crt", keyFile: "/etc/wps/tls.key" });
  expect(config.properties.liveTraceConfiguration.categories[0]).toEqual({ name: "ConnectivityLogs", enabled: true });
  const bare = load({ environment: { WEBPUBSUB_PRIMARY_KEY: key } });
  expect(config.logging).toEqual({ ...bare.logging, format: "json" });
  for (const section of ["limits", "cors", "cluster", "metrics", "compat"] as const)
    expect(config[section]).toEqual(bare[section]);
  expect(warningsOf({ file: specified, environment })).toEqual([
    "hubs.chat.eventListeners[0].endpoint: has no connectionString, and there is no auth.managedIdentity; nothing is delivered to it",
  ]);
});

test("the example of the documentation is accepted", () => {
  const input = inputOf({
    file: exampleConfig.replace("/run/secrets/secondary-key", "secondary-key"),
    environment: { ADMIN_TOKEN: "admin-token-0123456789", PRIMARY_KEY: key },
  });
  writeFileSync(join(input.cwd, "secondary-key"), `${otherKey}\n`);
  const loaded = loadConfig(input);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.config.service.keys.secondary).toBe(otherKey);
  expect(loaded.files).toContain(join(input.cwd, "secondary-key"));
});

test("M-56 an unknown key stops the start, is named with its full path and comes with a suggestion", () => {
  expect(
    problemsOf({
      file: withKey(
        "hubs: { chat: { eventHandlers: [{ urlTemplate: 'http://a/', systemEvent: [connect] }], Foo: 1 } }\nlimit: {}",
      ),
    }),
  ).toEqual([
    "hubs.chat.eventHandlers[0].systemEvent: is not a setting (did you mean systemEvents?)",
    "hubs.chat.Foo: is not a setting",
    "limit: is not a setting (did you mean limits?)",
  ]);
});

test("an exported resource can be pasted: nulls, read-only properties, words and booleans in any case", () => {
  const config = load({
    file: withKey(`properties:
  provisioningState: Succeeded
  hostName: x.webpubsub.azure.com
  publicPort: 443
  privateEndpointConnections: []
  applicationFirewall: null
  resourceStopped: "False"
  regionEndpointEnabled: enabled
  disableLocalAuth: "TRUE"
hubs:
  chat: { anonymousConnectPolicy: Allow, eventListeners: null, eventHandlers: [{ urlTemplate: "http://a/", userEventPattern: null, systemEvents: [CONNECT], auth: { type: none, managedIdentity: null } }] }
`),
  });
  expect(config.properties).toMatchObject({
    resourceStopped: false,
    disableLocalAuth: true,
    regionEndpointEnabled: "Enabled",
  });
  expect(hubSettings(config, "chat").eventHandlers[0]).toMatchObject({
    systemEvents: ["connect"],
    userEventPattern: "",
    auth: { type: "None" },
  });
});

test("M-57 environment overrides file, command line overrides environment, in lists entry by entry", () => {
  const file = withKey(`logging: { level: error }
service:
  keys: { primaryFile: missing }
hubs: { Chat: { eventHandlers: [{ urlTemplate: "http://file/1", systemEvents: [connected] }, { urlTemplate: "http://file/2" }] } }`)
    .split("\n")
    .slice(1)
    .join("\n");
  const environment = {
    WEBPUBSUB_LOG_LEVEL: "warn",
    WEBPUBSUB_PRIMARY_KEY: key,
    WEBPUBSUB__HUBS__chat__EVENTHANDLERS__0__URLTEMPLATE: "http://variable/1",
    webpubsub__limits__OUTBOUNDQUEUE__messages: "7",
    WEBPUBSUB__COMPAT__KEEPENCODEDSLASH: "true",
  };
  const config = load({ file, environment });
  expect(config.logging.level).toBe("warn");
  expect(config.limits.outboundQueue).toEqual({ messages: 7, bytes: 16_777_216 });
  expect(config.compat.keepEncodedSlash).toBe(true);
  expect(config.service.keys.primary).toBe(key);
  expect(hubSettings(config, "chat").eventHandlers).toMatchObject([
    { urlTemplate: "http://variable/1", systemEvents: ["connected"] },
    { urlTemplate: "http://file/2" },
  ]);
  expect(load({ file, environment, commandLine: { logLevel: "debug" } }).logging.level).toBe("debug");
});

test("M-58 the emulator's variables configure key, handler and listeners", () => {
  const config = load({
    environment: {
      WebPubSub__AccessKey: key,
      WebPubSub__AllowUnvalidatedEntraTokens: "true",
      WebPubSub__Hubs__Chat__EventHandlers__0__UrlTemplate: "http://localhost:3000/{event}",
      WebPubSub__Hubs__Chat__EventHandlers__0__EventPattern: "*",
      WebPubSub__Hubs__Chat__EventHandlers__0__SystemEvents__0: "connect",
      WebPubSub__Hubs__Chat__EventHandlers__0__SystemEvents__1: "connected",
      ASPNETCORE_URLS: "http://localhost:1",
      Urls: "http://+:8080/;https://+:8443",
    },
  });
  expect(config.service.keys.primary).toBe(key);
  expect(config.auth.allowUnvalidatedEntraTokens).toBe(true);
  expect(listening(config)).toEqual(["http 0.0.0.0 8080", "https 0.0.0.0 8443"]);
  expect(hubSettings(config, "chat").eventHandlers).toMatchObject([
    { urlTemplate: "http://localhost:3000/{event}", userEventPattern: "*", systemEvents: ["connect", "connected"] },
  ]);
});

test("the emulator's appsettings.json is accepted, comments and sections of ASP.NET included", () => {
  const file = `{
  // where it listens
  "Urls": "http://localhost:9090", "Logging": { "LogLevel": { "Default": "Information" } }, "AllowedHosts": "*", "Other": 1,
  "WebPubSub": {
    "AccessKey": "${key}", /* "AccessKey": "//" */
    "Hubs": { "chat": {
      "EventHandlers": [ { "UrlTemplate": "http://localhost:3000/{event}", "EventPattern": "a,b", "SystemEvents": [ "connect" ] } ],
      "EventListeners": [ { "EventNameFilter": { "SystemEvents": [ "connected" ], "UserEventPattern": "*" },
        "EventHubEndpoint": { "FullyQualifiedNamespace": "ns", "EventHubName": "e", "ConnectionString": "Endpoint=sb://ns/;SharedAccessKeyName=n;SharedAccessKey=secret" } } ]
    } }
  },
}`;
  const config = load({ file, fileName: "appsettings.json" });
  expect(config.service.keys.primary).toBe(key);
  expect(listening(config)).toEqual(["http localhost 9090"]);
  const overridden = load({ file, fileName: "appsettings.json", environment: { WebPubSub__AccessKey: otherKey } });
  expect(overridden.service.keys.primary).toBe(otherKey);
  const hub = hubSettings(config, "chat");
  expect(hub.eventHandlers).toMatchObject([
    { urlTemplate: "http://localhost:3000/{event}", userEventPattern: "a,b", systemEvents: ["connect"] },
  ]);
  expect(hub.eventListeners).toMatchObject([
    { filter: { systemEvents: ["connected"], userEventPattern: "*" }, endpoint: { eventHubName: "e" } },
  ]);
  expect(warningsOf({ file, fileName: "appsettings.json" })).toContain(
    "Other: has no meaning for this service and is ignored",
  );
  expect(problemsOf({ file: file.replace("AccessKey", "AcessKey"), fileName: "appsettings.json" })[0]).toStartWith(
    "WebPubSub:AcessKey: names no setting",
  );
});

test("variables that name nothing, a group, a wrong index, or one setting twice stop the start", () => {
  const environment = {
    WEBPUBSUB__LIMITS__MAXCONECTIONS: "1",
    WEBPUBSUB__HUBS__chat: "1",
    WEBPUBSUB__SERVICE__PUBLICENDPOINTS__x: "http://a",
    WEBPUBSUB__CORS__ALLOWEDORIGINS__1: "*",
    WEBPUBSUB__LOGGING__LEVEL: "info",
    WEBPUBSUB_LOG_LEVEL: "warn",
  };
  expect(problemsOf({ environment })).toEqual([
    `WEBPUBSUB__LIMITS__MAXCONECTIONS: names no setting: "MAXCONECTIONS" is unknown in limits (did you mean maxConnections?)`,
    "WEBPUBSUB__HUBS__chat: names a group of settings (hubs.chat), not one of them",
    `WEBPUBSUB__SERVICE__PUBLICENDPOINTS__x: has "x" in service.publicEndpoints where an index from 0 to 999 belongs`,
    "logging.level: is set differently by WEBPUBSUB__LOGGING__LEVEL and WEBPUBSUB_LOG_LEVEL",
    "cors.allowedOrigins[0]: is missing, although a later entry of the list is given",
  ]);
});

test("a bad value from outside the file is reported with where it came from", () => {
  expect(problemsOf({ environment: { WEBPUBSUB_LOG_LEVEL: "loud" } })).toEqual([
    "logging.level: must be trace, debug, info, warn or error (from WEBPUBSUB_LOG_LEVEL)",
  ]);
  expect(problemsOf({ commandLine: { port: "http" } })).toEqual(["--port: must be a number from 0 to 65535"]);
  expect(problemsOf({ commandLine: { port: "1", urls: "http://localhost:1" } })).toEqual([
    "--port: cannot be combined with --urls",
  ]);
});

test("substitution: defined names are replaced, undefined ones stop the start, $${ is literal", () => {
  const file = "service: { name: 'a${NAME}b$${NAME}', keys: { primary: '${KEY}' } }\n";
  expect(load({ file, environment: { NAME: "${KEY}", KEY: key } }).service.name).toBe("a${KEY}b${NAME}");
  expect(problemsOf({ file, environment: { KEY: key } })).toEqual([
    "service.name: needs the environment variable NAME, which is not set",
  ]);
  expect(problemsOf({ file: "service: { name: '${a b}' }" })[0]).toStartWith(
    "service.name: has ${ without a variable name",
  );
});

test("substitution: a default stands where the variable is not set or empty", () => {
  const file = "service: { name: 'a${NAME:-b-c}d${OTHER:-}' }\n";
  const nameIn = (environment: Record<string, string>) => load({ file, environment }).service.name;
  expect(nameIn({})).toBe("ab-cd");
  expect(nameIn({ NAME: "" })).toBe("ab-cd");
  expect(nameIn({ NAME: "x", OTHER: "y" })).toBe("axdy");
});

test("secrets from files: relative to the configuration file, one line break dropped, not together with the value", () => {
  const input = inputOf({
    file: `service: { keys: { primaryFile: key.txt } }\nhubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/?c={@File(code.txt)}&e={@Env(CODE)}" }] } }`,
    environment: { CODE: "e%20" },
  });
  writeFileSync(join(input.cwd, "key.txt"), `${key}\r\n`);
  writeFileSync(join(input.cwd, "code.txt"), "f/1\n");
  const loaded = loadConfig({ ...input, cwd: "/", commandLine: { config: join(input.cwd, "config.yaml") } });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.config.service.keys.primary).toBe(key);
  expect(hubSettings(loaded.config, "chat").eventHandlers[0]?.urlTemplate).toBe("http://a/?c=f/1&e=e%20");
  expect(loaded.files).toEqual([
    join(input.cwd, "config.yaml"),
    join(input.cwd, "key.txt"),
    join(input.cwd, "code.txt"),
  ]);
  expect(problemsOf({ file: `service: { keys: { primary: ${key}, primaryFile: key.txt } }` })).toEqual([
    "service.keys.primaryFile: cannot be combined with primary",
  ]);
  expect(problemsOf({ file: "service: { keys: { primaryFile: absent } }" })[0]).toMatch(
    /^service\.keys\.primaryFile: cannot read .*absent \(ENOENT\)$/,
  );
  expect(
    problemsOf({ file: withKey(`hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/?c={@Env(NONE)}" }] } }`) }),
  ).toEqual(["hubs.chat.eventHandlers[0].urlTemplate: needs the environment variable NONE, which is not set"]);
});

test("a file that is absent, malformed or no mapping is one problem that names it", () => {
  expect(problemsOf({ commandLine: { config: "absent.yaml" } })[0]).toEndWith("absent.yaml: does not exist");
  expect(problemsOf({ file: "a: 1\na: 2\n" })[0]).toEndWith(
    "config.yaml: is not valid: Map keys must be unique at line 2, column 1",
  );
  expect(problemsOf({ file: "- 1\n" })[0]).toEndWith("config.yaml: must hold named settings at its top level");
  expect(problemsOf({ file: "service: *a\n" })[0]).toContain("config.yaml: is not valid: ");
  expect(problemsOf({ file: "service: 1\nhubs: []\ncors: { allowedOrigins: x }\n" })).toEqual([
    "service: must hold named settings",
    "hubs: must hold named settings",
    "cors.allowedOrigins: must be a list",
  ]);
});

test("settings that contradict each other are refused by name", () => {
  const file = `service:
  keys: { primary: ${key}, secondary: ${key} }
  listen: [{ url: "http://localhost:1", tls: { certFile: a, keyFile: b } }]
  pathBase: /a
  publicEndpoints: ["https://x/b"]
  adminListen: { url: "https://localhost:2" }
cluster: { bus: "nats://localhost" }
`;
  expect(problemsOf({ file })).toEqual(["cluster.bus: must be none; other buses are not supported yet"]);
  expect(problemsOf({ file: file.replace("nats://localhost", "None") })).toEqual([
    "service.listen[0].tls: needs an https URL",
    "service.publicEndpoints[0]: must have no path, or that of service.pathBase",
    "service.adminListen.url: must be an http URL; https is not supported here",
  ]);
  expect(problemsOf({ file: `service: { keys: { primary: ${key}, secondary: ${key} } }` })).toEqual([
    "service.keys.secondary: must differ from the primary key",
  ]);
  expect(
    problemsOf({
      file: withKey(
        `auth: { oidc: [{ issuer: "http://login.example.com" }, { issuer: me, jwksUri: "https://k" }, { issuer: me, jwksUri: "http://k" }] }`,
      ),
    }),
  ).toEqual([
    "auth.oidc[0].issuer: must be an https URL, since keys are fetched from it (http only on loopback)",
    "auth.oidc[2].issuer: is listed twice",
    "auth.oidc[2].jwksUri: must be an https URL, since keys are fetched from it (http only on loopback)",
  ]);
});

test("M-26 dangerous and not yet effective settings are warned about", () => {
  const file =
    withKey(`properties: { disableLocalAuth: true, disableAadAuth: true, liveTraceConfiguration: { enabled: "True" } }
auth: { allowUnvalidatedEntraTokens: true }
`);
  expect(warningsOf({ file })).toEqual([
    "properties.disableAadAuth: together with disableLocalAuth refuses every REST request",
    "auth.allowUnvalidatedEntraTokens: lets anybody in who can write a token; for development only",
  ]);
});

test("no message repeats a secret", () => {
  const secret = "s3cr3t";
  const texts = [
    problemsOf({ environment: { WEBPUBSUB_PRIMARY_KEY: secret, WEBPUBSUB__SERVICE__ADMINLISTEN__TOKEN: secret } }),
    problemsOf({ environment: { WEBPUBSUB_CONNECTION_STRING: `Endpoint=${secret}://x;AccessKey=${secret}` } }),
    problemsOf({ environment: { WEBPUBSUB_PRIMARY_KEY: secret, WebPubSub__AccessKey: `${secret}2` } }),
    problemsOf({ file: `service: { keys: { primary: ${secret}, primary: ${secret} } }` }),
    problemsOf({ file: `service: { keys: { primary: [${secret}] }, ${secret}` }),
  ];
  for (const problems of texts) {
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join()).not.toContain(secret);
  }
});
