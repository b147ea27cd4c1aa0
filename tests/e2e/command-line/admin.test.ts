import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, tidewire } from "../../support/command-line.ts";
import { type Server, startServer } from "../../support/server.ts";
import { tempDir } from "../../support/temp.ts";

let server: Server;
let url: string;

beforeAll(async () => {
  server = await startServer({ service: { adminListen: { url: "http://127.0.0.1:0" } } });
  [, url = ""] = await server.process.written(/^ +Admin +(http\S+)$/m);
});
afterAll(async () => {
  await server.stop();
});

const environment = () => ({ WEBPUBSUB_ADMIN_URL: url });
const admin = (...args: readonly string[]) => tidewire([...args, "--data", server.dataDir], { env: environment() });

/** Runs a verb that must succeed; returns what it printed. */
async function output(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await admin(...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

const json = async (...args: readonly string[]) => JSON.parse(await output(...args, "-o", "json")) as unknown;

test("key show prints keys and connection strings, in JSON as az does, and one of them with --query", async () => {
  const text = await output("key", "show");
  expect(text).toContain(`primaryConnectionString    ${server.connectionString}\n`);
  expect(await json("key", "show")).toEqual({
    primaryKey: server.primaryKey,
    secondaryKey: server.secondaryKey,
    primaryConnectionString: server.connectionString,
    secondaryConnectionString: server.connectionString.replace(server.primaryKey, server.secondaryKey),
  });
  expect(await output("key", "show", "--query", "primaryConnectionString")).toBe(`${server.connectionString}\n`);
});

test("key regenerate makes a new key and leaves the other one", async () => {
  const fresh = (await output("key", "regenerate", "--key-type", "Secondary", "--query", "secondaryKey")).trimEnd();
  expect(fresh).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(fresh).not.toBe(server.secondaryKey);
  expect(await json("key", "show")).toMatchObject({ primaryKey: server.primaryKey, secondaryKey: fresh });
});

test("hub create takes the settings of az, update changes what it names, list and show print them, delete removes", async () => {
  const first = [
    "url-template=https://app.example.com/{hub}/{event}?a=b",
    "user-event-pattern=*",
    "system-event=connect",
  ];
  const second = ["url-template=https://other.example.com", "system-event=connected", "system-event=disconnected"];
  const handlers = ["--event-handler", ...first, "--event-handler", ...second];
  const handlersThen = [
    { urlTemplate: "https://app.example.com/{hub}/{event}?a=b", userEventPattern: "*", systemEvents: ["connect"] },
    { urlTemplate: "https://other.example.com", userEventPattern: "", systemEvents: ["connected", "disconnected"] },
  ];
  expect(await json("hub", "create", "--hub-name", "chat", ...handlers, "--websocket-keepalive", "30")).toMatchObject({
    name: "chat",
    properties: {
      anonymousConnectPolicy: "deny",
      webSocketKeepAliveIntervalInSeconds: 30,
      eventHandlers: handlersThen,
    },
  });
  expect(await output("hub", "update", "--hub-name", "chat", "--allow-anonymous", "True")).toBe(
    [
      "Name               chat",
      "Anonymous clients  allow",
      "Keep-alive         30 s",
      "Event handler 1    https://app.example.com/{hub}/{event}?a=b  user events: *  system events: connect",
      "Event handler 2    https://other.example.com  user events: none  system events: connected disconnected",
      "Set by             administration API",
      "",
    ].join("\n"),
  );
  expect(await json("hub", "show", "--hub-name", "chat")).toMatchObject({
    properties: { anonymousConnectPolicy: "allow", eventHandlers: handlersThen },
  });
  expect<unknown>((await output("hub", "list")).split("\n")).toEqual([
    expect.stringMatching(/^Name {2}Anonymous {2}KeepAlive {2}EventHandlers +Listeners {2}Source$/),
    expect.stringMatching(/^-+( {2}-+){5}$/),
    expect.stringMatching(/^chat {2}allow +30 s +https:\/\/app\S+ https:\/\/other\S+ +0 +overlay$/),
    "",
  ]);
  expect(await json("hub", "list")).toMatchObject([{ name: "chat" }]);
  expect(await output("hub", "delete", "--hub-name", "chat")).toBe("");
  expect(await json("hub", "list")).toEqual([]);
});

test("network-rule show and update, ip-rule add and remove", async () => {
  const update = ["network-rule", "update", "--public-network", "--allow", "ClientConnection", "RESTAPI"];
  expect(await json(...update, "--deny", "Trace")).toMatchObject({
    defaultAction: "Allow",
    publicNetwork: { allow: ["ClientConnection", "RESTAPI"], deny: ["Trace"] },
  });
  await output("network-rule", "update", "--connection-name", "inside", "--deny", "RESTAPI");
  await output("network-rule", "update", "--public-network", "--allow");
  const add = ["network-rule", "ip-rule", "add", "--ip-rule", "value=203.0.113.0/24", "action=Deny"];
  await output(...add, "--ip-rule", "value=127.0.0.1", "action=Allow");
  const rules = [
    "Public access    Enabled",
    "Default action   Allow",
    "Public network   allow: none  deny: Trace",
    "Listener inside  allow: none  deny: RESTAPI",
  ];
  const allowed = "Allow 127.0.0.1";
  expect(await output("network-rule", "show")).toBe(
    [...rules, "IP rule 1        Deny 203.0.113.0/24", `IP rule 2        ${allowed}`, ""].join("\n"),
  );
  const remove = ["network-rule", "ip-rule", "remove", "--ip-rule", "value=203.0.113.0/24", "action=deny"];
  expect(await output(...remove)).toBe([...rules, `IP rule 1        ${allowed}`, ""].join("\n"));
  expect(await admin(...remove)).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "tidewire: there is no rule value=203.0.113.0/24 action=deny\n",
  });
});

test("live-trace show, update and restore", async () => {
  const shown = (enabled: boolean, categories: string, source: string): string =>
    [`Enabled     ${enabled}`, `Categories  ${categories}`, `Source      ${source}`, ""].join("\n");
  const all = "ConnectivityLogs MessagingLogs HttpRequestLogs";
  expect(await output("live-trace", "show")).toBe(shown(false, all, "configuration"));
  expect(await output("live-trace", "update", "--enabled", "true")).toBe(shown(true, all, "overlay"));
  const some = ["--category", "messagingLogs", "--category", "ConnectivityLogs"];
  expect(await output("live-trace", "update", ...some)).toBe(shown(true, "ConnectivityLogs MessagingLogs", "overlay"));
  expect(await json("live-trace", "show")).toMatchObject({ enabled: true });
  expect(await output("live-trace", "restore")).toBe(shown(false, all, "configuration"));
});

async function failure(result: Promise<CommandResult>, exitCode: number): Promise<string> {
  const ended = await result;
  expect(ended).toMatchObject({ exitCode, stdout: "" });
  expect(ended.stderr.trimEnd()).not.toContain("\n");
  return ended.stderr.trimEnd();
}

test("what the administration API refuses is one line that names every setting", async () => {
  const create = ["hub", "create", "--hub-name", "chat"];
  const told = await failure(
    admin(...create, "--event-handler", "url-template=ftp://x", "--event-handler", "url-template=/relative"),
    1,
  );
  expect(told).toMatch(
    /hubs\.chat\.eventHandlers\[0\]\.urlTemplate: .+; hubs\.chat\.eventHandlers\[1\]\.urlTemplate: /,
  );
  expect(await failure(admin("hub", "show", "--hub-name", "nobody"), 1)).toBe(
    'tidewire: Hub "nobody" has no settings; it works without.',
  );
  const wrongToken = tidewire(["hub", "list", "--admin-token", "wrong-token-0123456789"], { env: environment() });
  expect(await failure(wrongToken, 1)).toBe("tidewire: the administration token is not that of this service");
  const nobody = tidewire(["hub", "list", "--admin-url", "http://127.0.0.1:1", "--admin-token", "x".repeat(20)]);
  expect(await failure(nobody, 1)).toMatch(
    /^tidewire: http:\/\/127\.0\.0\.1:1 does not answer: connection refused; .*adminListen/,
  );
});

test("wrong usage of the administration verbs ends with 2", async () => {
  const wrong = (...args: readonly string[]) => failure(admin(...args), 2);
  expect(await wrong("hub", "create", "--hub-name", "c", "--event-handler", "user-event-pattern=*")).toContain(
    "needs url-template=",
  );
  expect(await wrong("hub", "create", "--hub-name", "c", "--event-handler", "url-template=x", "color=red")).toBe(
    'tidewire: --event-handler takes url-template=…, user-event-pattern=…, system-event=…, auth-type=…, auth-resource=…, not "color=red"',
  );
  expect(await wrong("hub", "update", "--hub-name", "c")).toContain("nothing to change");
  expect(await wrong("network-rule", "update", "--allow", "RESTAPI")).toContain("--public-network");
  expect(await wrong("live-trace", "update")).toContain("nothing to change");
  for (const [args, reason] of [
    [["key", "regenerate", "--key-type", "salt"], "It must be primary or secondary."],
    [["network-rule", "ip-rule", "add"], "required option '--ip-rule <settings>' not specified"],
    [["hub", "create", "--hub-name", "c", "--websocket-keepalive", "121"], "from 1 to 120"],
    [["hub", "create", "--hub-name", "c", "--allow-anonymous", "maybe"], "It must be true or false."],
    [["hub", "list", "-o", "yaml"], "table, json"],
    [["live-trace", "update", "--enabled", "perhaps"], "true, false"],
    [["live-trace", "update", "--category", "Gossip"], "It must be one of ConnectivityLogs"],
  ] as const) {
    const { exitCode, stdout, stderr } = await admin(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(reason);
  }
});

test("without options the configuration of this machine tells listener and token; a found token goes nowhere else", async () => {
  const token = readFileSync(join(server.dataDir, "admin-token"), "utf8").trim();
  const folder = tempDir();
  const file = join(folder, "tidewire.yaml");
  const service = { adminListen: { url }, dataDir: server.dataDir };
  await Bun.write(file, JSON.stringify({ service }));
  const configured = await tidewire(["hub", "list", "-o", "json"], { env: { WEBPUBSUB_CONFIG: file } });
  expect(configured).toEqual({ exitCode: 0, stdout: "[]\n", stderr: "" });
  const elsewhere = ["hub", "list", "--config", file, "--admin-url", "http://admin.example.com"];
  expect(await failure(tidewire(elsewhere), 2)).toMatch(/no administration token: http:\/\/admin\.example\.com is not/);
  const given = await tidewire(["hub", "list", "--admin-url", url, "--admin-token", token]);
  expect(given).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await failure(tidewire(["hub", "list"]), 2)).toMatch(/token: \S+admin-token does not hold one;/);
  const without = join(folder, "without.yaml");
  await Bun.write(without, JSON.stringify({ service: { listen: [{ url: "http://127.0.0.1:0" }] } }));
  expect(await failure(tidewire(["hub", "list", "--config", without]), 2)).toMatch(
    /: service\.adminListen is not configured, and \S+admin-token does not hold one;/,
  );
  const missing = await failure(admin("hub", "list", "--config", "/nowhere/tidewire.yaml"), 2);
  expect(missing).toBe("tidewire: --config: /nowhere/tidewire.yaml does not exist");
});

test("two services do not share a port for administration", async () => {
  const file = join(tempDir(), "tidewire.yaml");
  const service = { listen: [{ url: "http://127.0.0.1:0" }], adminListen: { url } };
  await Bun.write(file, JSON.stringify({ service }));
  const refused = await failure(tidewire(["start", "--config", file]), 1);
  expect(refused).toMatch(/^tidewire: service\.adminListen: Port \d+ on 127\.0\.0\.1 is in use/m);
});
