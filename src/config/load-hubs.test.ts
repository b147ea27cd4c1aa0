import { afterAll, expect, test } from "bun:test";
import { configFolder, withKey } from "../../tests/support/config-folder.ts";
import { hubSettings } from "./config.ts";

const { load, problemsOf, remove } = configFolder();
afterAll(remove);

test.each(["{user}", "{ hub }", "{@Microsoft.KeyVault(SecretUri=x)}"])(
  "M-19 the placeholder %s in a template stops the start",
  (placeholder) => {
    const [problem = ""] = problemsOf({
      file: withKey(`hubs: { chat: { eventHandlers: [{ urlTemplate: "https://a/${placeholder}" }] } }`),
    });
    expect(problem).toStartWith("hubs.chat.eventHandlers[0].urlTemplate: ");
  },
);

test("E-4 M-19 a placeholder in the host, another scheme and an unknown system event stop the start", () => {
  const file = `hubs:
  chat:
    eventHandlers:
      - { urlTemplate: "https://{hub}.example.com/" }
      - { urlTemplate: "ftp://example.com/" }
      - { urlTemplate: "https://example.com/", systemEvents: [Connect, closed] }
`;
  expect(problemsOf({ file: withKey(file) })).toEqual([
    "hubs.chat.eventHandlers[0].urlTemplate: must not have a placeholder in the host",
    "hubs.chat.eventHandlers[1].urlTemplate: must be an absolute http, https or tunnel:/// URL",
    "hubs.chat.eventHandlers[2].systemEvents[1]: must be connect, connected or disconnected",
  ]);
});

test("T-35 what happens without a tunnel is said for tunnel handlers only, and not by another tunnel", () => {
  const handlers = (list: string) => withKey(`hubs: { chat: { eventHandlers: [${list}] } }`);
  const rules = ["fail", "next", "http://localhost:3000/{event}"];
  const valid = rules.map((rule) => `{ urlTemplate: "tunnel:///x", whenNoTunnel: "${rule}" }`);
  expect(problemsOf({ file: handlers(valid.join()) })).toEqual([]);
  const faulty = ["tunnel:///x|tunnel:///y", "http://h/|next", "tunnel:///x|never"].map((pair) => {
    const [urlTemplate, whenNoTunnel] = pair.split("|");
    return `{ urlTemplate: "${urlTemplate}", whenNoTunnel: "${whenNoTunnel}" }`;
  });
  expect(problemsOf({ file: handlers(faulty.slice(0, 2).join()) })).toEqual([
    "hubs.chat.eventHandlers[0].whenNoTunnel: must not be a tunnel itself",
    "hubs.chat.eventHandlers[1].whenNoTunnel: is for tunnel:/// handlers only",
  ]);
  expect(problemsOf({ file: handlers(faulty.slice(2).join()) })).toEqual([
    "hubs.chat.eventHandlers[0].whenNoTunnel: must be an absolute http, https or tunnel:/// URL",
  ]);
});

test("E-77 a group filter that is no pattern stops the start", () => {
  const filters = (list: string) =>
    withKey(
      `hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/", groupPresenceEvents: { groupFilters: ${list} } }] } }`,
    );
  expect(problemsOf({ file: filters('["room.*", "a", "**"]') })).toEqual([]);
  expect(problemsOf({ file: filters("['a', 'a\\b', '']") })).toEqual([
    "hubs.chat.eventHandlers[0].groupPresenceEvents.groupFilters[1]: must be a pattern as in wildcard group roles",
    "hubs.chat.eventHandlers[0].groupPresenceEvents.groupFilters[2]: must be a pattern as in wildcard group roles",
  ]);
});

test("E-6 a pattern with wildcards or negation stops the start, globs only while they are off", () => {
  const file = (pattern: string, globs: boolean) =>
    withKey(
      `hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/", userEventPattern: "${pattern}" }] } }\ncompat: { globEventPatterns: ${globs} }`,
    );
  expect(problemsOf({ file: file("room.*", false) })[0]).toStartWith(
    "hubs.chat.eventHandlers[0].userEventPattern: must be * or plain event names",
  );
  expect(problemsOf({ file: file("room.*", true) })).toEqual([]);
  expect(problemsOf({ file: file("!a", true) })[0]).toStartWith("hubs.chat.eventHandlers[0].userEventPattern: ");
});

test("E-12 ManagedIdentity needs the global token source and becomes it", () => {
  const hubs = `hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/", auth: { type: managedidentity, managedIdentity: { resource: "api://app/" } } }] } }`;
  expect(problemsOf({ file: withKey(hubs) })).toEqual([
    "hubs.chat.eventHandlers[0].auth.type: ManagedIdentity needs a token source in auth.managedIdentity",
  ]);
  const source = `auth: { managedIdentity: { type: ClientCredentials, tokenUrl: "https://login/t", clientId: c, clientSecret: "\${S}" } }`;
  const config = load({ file: withKey(`${hubs}\n${source}`), environment: { S: "secret" } });
  expect(hubSettings(config, "chat").eventHandlers[0]?.auth).toEqual({
    type: "ClientCredentials",
    tokenUrl: "https://login/t",
    clientId: "c",
    credential: { kind: "secret", secret: "secret" },
    scope: "api://app/.default",
    audience: null,
  });
  expect(problemsOf({ file: withKey(`${hubs}\nauth: { managedIdentity: { type: Bearer } }`) })).toEqual([
    "auth.managedIdentity.token: is required for Bearer",
  ]);
  expect(
    problemsOf({
      file: withKey(
        `${hubs}\nauth: { managedIdentity: { type: ClientCredentials, tokenUrl: "https://l", clientId: c } }`,
      ),
    }),
  ).toEqual(["auth.managedIdentity: ClientCredentials needs either clientSecret or privateKey"]);
});

test("authentication types that are not supported say so", () => {
  const file = (type: string) =>
    withKey(`hubs: { chat: { eventHandlers: [{ urlTemplate: "http://a/", auth: { type: ${type} } }] } }`);
  for (const type of ["SignedJwt", "clientcertificate"])
    expect(problemsOf({ file: file(type) })[0]).toContain("is not supported; use None");
  expect(problemsOf({ file: file("Basic") })).toEqual([
    "hubs.chat.eventHandlers[0].auth.type: must be None, ManagedIdentity, Bearer or ClientCredentials",
  ]);
});

test("M-18 M-15 a listener with connect and a keep-alive out of range are errors", () => {
  const listener = `eventListeners: [{ filter: { systemEvents: [connect] }, endpoint: { eventHubName: e } }]`;
  expect(problemsOf({ file: withKey(`hubs: { chat: { ${listener} } }`) })).toEqual([
    "hubs.chat.eventListeners[0].filter.systemEvents[0]: connect cannot be sent to a listener",
  ]);
  for (const seconds of [0, 121, 1.5, "soon"]) {
    expect(
      problemsOf({ file: withKey(`hubs: { chat: { webSocketKeepAliveIntervalInSeconds: ${seconds} } }`) }),
    ).toEqual(["hubs.chat.webSocketKeepAliveIntervalInSeconds: must be a whole number, 1 to 120"]);
  }
  expect(hubSettings(load({}), "chat").webSocketKeepAliveIntervalInSeconds).toBe(20);
});

test("M-20 hub names that differ in case only are duplicates, a hyphen is no hub name", () => {
  expect(problemsOf({ file: withKey("hubs: { Chat: {}, chat: {} }") })).toEqual([
    `hubs.chat: names the same hub as "Chat"`,
  ]);
  expect(problemsOf({ file: withKey(`hubs: { "*": {}, _default: {} }`) })).toEqual([
    `hubs._default: names the same hub as "*"`,
  ]);
  const [problem = ""] = problemsOf({ file: withKey("hubs: { my-hub: {} }") });
  expect(problem).toStartWith("hubs.my-hub: is not a hub name");
});

test("M-12 M-23 E-10 the default entry is used for hubs without an entry of their own only, and never merged", () => {
  for (const name of [`"*"`, "_default"]) {
    const config = load({
      file: withKey(
        `hubs: { ${name}: { anonymousConnectPolicy: Allow, eventHandlers: [{ urlTemplate: "http://a/" }] }, Chat: {}, constructor: {} }`,
      ),
    });
    expect(hubSettings(config, "other").anonymousConnectPolicy).toBe("allow");
    expect(hubSettings(config, "other").eventHandlers).toHaveLength(1);
    for (const own of ["chat", "CHAT", "constructor"]) expect(hubSettings(config, own).eventHandlers).toHaveLength(0);
    expect(hubSettings(config, "toString").eventHandlers).toHaveLength(1);
  }
  expect(hubSettings(load({}), "chat")).toMatchObject({
    anonymousConnectPolicy: "deny",
    eventHandlers: [],
    allowedOrigins: ["*"],
  });
});
