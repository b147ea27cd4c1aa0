import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tidewire } from "../../support/command-line.ts";
import { startServer } from "../../support/server.ts";
import { tempDir } from "../../support/temp.ts";

const handlers = [
  {
    auth: { managedIdentity: null, type: "None" },
    systemEvents: ["connect", "connected"],
    urlTemplate: "https://app.example.com/{event}?code=$%7bx&from=${hub}",
    userEventPattern: "*",
  },
  {
    auth: null,
    systemEvents: ["disconnected"],
    urlTemplate: "https://other.example.com/{hub}",
    userEventPattern: "a, b",
  },
];

/** As `az webpubsub hub list -o json` prints it. */
const hubList = [
  {
    id: "/subscriptions/0000/resourceGroups/group/providers/Microsoft.SignalRService/webPubSub/contoso/hubs/chat",
    name: "chat",
    properties: {
      anonymousConnectPolicy: "allow",
      eventHandlers: handlers,
      eventListeners: null,
      webSocketKeepAliveIntervalInSeconds: 25,
    },
    resourceGroup: "group",
    systemData: null,
    type: "Microsoft.SignalRService/WebPubSub/hubs",
  },
  {
    name: "Notes",
    properties: { anonymousConnectPolicy: "deny", eventHandlers: [] },
    type: "Microsoft.SignalRService/WebPubSub/hubs",
  },
];

/** As `az webpubsub show -o json` prints it: the properties lie on the outside, some names are its own. */
const resource = {
  disableAadAuth: false,
  disableLocalAuth: true,
  externalIp: "192.0.2.1",
  hostName: "contoso.webpubsub.azure.com",
  identity: { type: "SystemAssigned" },
  kind: "WebPubSub",
  liveTraceConfiguration: { categories: [{ enabled: "true", name: "ConnectivityLogs" }], enabled: "True" },
  location: "westeurope",
  name: "contoso",
  networkAcLs: {
    defaultAction: "Deny",
    ipRules: null,
    privateEndpoints: [{ allow: ["Trace"], deny: null, name: "contoso.1" }],
    publicNetwork: { allow: ["ClientConnection", "RESTAPI"], deny: null },
  },
  provisioningState: "Succeeded",
  publicNetworkAccess: "Enabled",
  resourceGroup: "group",
  sku: { capacity: 1, name: "Standard_S1" },
  tags: { team: "a" },
  tls: { clientCertEnabled: false },
  type: "Microsoft.SignalRService/WebPubSub",
};

const json = (value: unknown) => JSON.stringify(value, null, 2);

test("M-59 import of az webpubsub hub list yields equivalent hub settings", async () => {
  const imported = await tidewire(["import", "-o", "json"], { input: json(hubList) });
  expect(imported).toMatchObject({ exitCode: 0, stderr: "" });
  const { hubs } = JSON.parse(imported.stdout) as { hubs: Readonly<Record<string, unknown>> };
  const service = { adminListen: { url: "http://127.0.0.1:0" } };
  const server = await startServer({ hubs, service });
  try {
    const [, url = ""] = await server.process.written(/^ +Admin +(http\S+)$/m);
    const list = await tidewire(["hub", "list", "--admin-url", url, "--data", server.dataDir, "-o", "json"]);
    const [notes, chat] = (JSON.parse(list.stdout) as { name: string; properties: Record<string, unknown> }[]).toSorted(
      (left, right) => left.name.localeCompare(right.name) * -1,
    );
    expect(chat).toMatchObject({
      name: "chat",
      properties: {
        anonymousConnectPolicy: "allow",
        webSocketKeepAliveIntervalInSeconds: 25,
        eventListeners: [],
      },
    });
    const wanted = handlers.map(({ urlTemplate, userEventPattern, systemEvents }) => {
      return { urlTemplate, userEventPattern, systemEvents, auth: { type: "None" } };
    });
    expect(chat?.properties["eventHandlers"]).toEqual(wanted);
    expect(notes).toMatchObject({ name: "Notes", properties: { anonymousConnectPolicy: "deny", eventHandlers: [] } });
  } finally {
    await server.stop();
  }
});

test("M-59 import of az webpubsub show beside the hubs writes one file that a start accepts", async () => {
  const folder = tempDir();
  await Bun.write(join(folder, "resource.json"), json(resource));
  await Bun.write(join(folder, "hubs.json"), json(hubList));
  const command = ["import", "resource.json", "hubs.json", "--write", "tidewire.yaml"];
  const written = await tidewire(command, { cwd: folder });
  expect(written).toMatchObject({ exitCode: 0, stdout: "" });
  expect<unknown>(written.stderr.split("\n")).toEqual([
    expect.stringContaining("note: properties.networkACLs.privateEndpoints is left out"),
    expect.stringContaining("note: sku Standard_S1 is left out"),
    expect.stringContaining("note: identity is left out"),
    "",
  ]);
  const text = readFileSync(join(folder, "tidewire.yaml"), "utf8");
  expect(Bun.YAML.parse(text)).toEqual({
    properties: {
      disableAadAuth: false,
      disableLocalAuth: true,
      liveTraceConfiguration: { categories: [{ enabled: "true", name: "ConnectivityLogs" }], enabled: "True" },
      networkACLs: { defaultAction: "Deny", publicNetwork: { allow: ["ClientConnection", "RESTAPI"] } },
      publicNetworkAccess: "Enabled",
      tls: { clientCertEnabled: false },
    },
    hubs: { chat: expect.anything() as unknown, Notes: expect.anything() as unknown },
  });
  const checked = await tidewire(["config", "check", "tidewire.yaml", "-o", "json"], { cwd: folder });
  expect(JSON.parse(checked.stdout)).toMatchObject({ isValid: true, problems: [] });
  expect(await tidewire(command, { cwd: folder })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("cannot write tidewire.yaml: it exists already") as unknown,
  });
});

test("import of the emulator's appsettings.json keeps its settings and no secret", async () => {
  const folder = tempDir();
  const secret = "a-secret-key-of-the-emulator-0123456789";
  const hub = {
    EventHandlers: [{ UrlTemplate: "http://localhost:3000/{event}", SystemEvents: ["connect"], EventPattern: "*" }],
    EventListeners: [
      {
        EventNameFilter: { SystemEvents: ["connected"], UserEventPattern: "*" },
        EventHubEndpoint: {
          EventHubName: "events",
          ConnectionString: `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=${secret}`,
        },
      },
    ],
  };
  const settings = json({
    Logging: {},
    Urls: "http://localhost:8090",
    WebPubSub: { AccessKey: secret, Hubs: { chat: hub } },
  });
  await Bun.write(join(folder, "appsettings.json"), `// the emulator's\n${settings}`);
  const { exitCode, stdout, stderr } = await tidewire(["import", "appsettings.json"], { cwd: folder });
  expect(exitCode).toBe(0);
  expect(stdout + stderr).not.toContain(secret);
  expect(Bun.YAML.parse(stdout)).toEqual({
    service: { keys: { primary: "${WPS_PRIMARY_KEY}" }, listen: [{ url: "http://localhost:8090" }] },
    hubs: {
      chat: {
        eventHandlers: [
          { urlTemplate: "http://localhost:3000/{event}", systemEvents: ["connect"], userEventPattern: "*" },
        ],
        eventListeners: [
          {
            filter: { systemEvents: ["connected"], userEventPattern: "*" },
            endpoint: { eventHubName: "events", connectionString: "${EVENT_HUB_CONNECTION_STRING_2}" },
          },
        ],
      },
    },
  });
  expect(stderr).toContain("service.keys.primary is a secret; give it as environment variable WPS_PRIMARY_KEY\n");
});

test("import gives out what a start would refuse, with the reasons and exit code 1; what it cannot read is exit code 2", async () => {
  const vault = {
    ...handlers[0],
    urlTemplate: "https://app.example.com/?c={@Microsoft.KeyVault(SecretUri=https://v/s)}",
  };
  const hub = { ...hubList[0], properties: { eventHandlers: [vault], somethingNew: 1 } };
  const imported = await tidewire(["import"], { input: json(hub) });
  expect(imported.exitCode).toBe(1);
  expect(imported.stdout).toContain("{@Microsoft.KeyVault");
  expect(imported.stderr).toMatch(/^tidewire: note: hubs\.chat\.somethingNew has no meaning here and is left out$/m);
  expect(imported.stderr).toMatch(/^tidewire: to be settled: hubs\.chat\.eventHandlers\[0\]\.urlTemplate: Key Vault/m);
  const wrong = async (input: string) => (await tidewire(["import"], { input })).stderr;
  expect(await wrong("{")).toMatch(/^tidewire: standard input is not valid: .+\n$/);
  expect(await wrong('{"a":1}')).toMatch(/^tidewire: standard input is neither the output of az .+\n$/);
  const missing = await tidewire(["import", "nowhere.json"]);
  expect(missing).toEqual({ exitCode: 2, stdout: "", stderr: "tidewire: cannot read nowhere.json (ENOENT)\n" });
});

test("the help of import says what exit code 1 means, that of hub delete how a hub comes back", async () => {
  expect((await tidewire(["import", "--help"])).stdout).toMatch(/'to be settled'[^]*exit code is then 1[^]*Example:/);
  expect((await tidewire(["hub", "delete", "--help"])).stdout).toContain("POST /admin/hubs/{hub}/restore");
});
