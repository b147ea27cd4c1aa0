import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerProcess, startBroker } from "../support/broker-process.ts";
import { connectJson, connectSimple } from "../support/clients.ts";
import { successAck, textEvent } from "../support/events.ts";
import { freePort } from "../support/free-port.ts";
import { adminSettings, untilMetric } from "../support/metrics.ts";
import { connectNats, type NatsClient } from "../support/nats.ts";
import { type Server, startServer } from "../support/server.ts";
import { tempDir } from "../support/temp.ts";

const everything = { systemEvents: ["connected", "disconnected"], userEventPattern: "*" };
const password = "password-of-the-application";
const program = process.env["TIDEWIRE_TEST_NATS"] ?? "nats-server";
const reader = { user: "reader", pass: "reader" };

let port: number;
let broker: BrokerProcess;
let client: NatsClient;
let server: Server;

const start = async (): Promise<BrokerProcess> =>
  await startBroker([program, "-c", configFile], { ready: /Server is ready/ });
const configFile = join(tempDir(), "nats.conf");

beforeAll(async () => {
  port = await freePort();
  writeFileSync(
    configFile,
    `host: "127.0.0.1"
port: ${port}
jetstream { store_dir: "${tempDir()}" }
max_payload: 100000
authorization {
  users = [
    { user: "app", password: "${password}", permissions: { publish: { deny: ["webpubsub.denied.>"] } } }
    { user: "reader", password: "reader" }
  ]
}
`,
  );
  broker = await start();
  client = await connectNats(port, reader);
  const nats = (endpoint: object = {}) => ({
    filter: everything,
    endpoint: { type: "Nats", servers: [`nats://127.0.0.1:${port}`], username: "app", password, ...endpoint },
  });
  server = await startServer({
    service: adminSettings,
    hubs: {
      chat: { eventListeners: [nats()] },
      denied: { eventListeners: [nats()] },
      "a.b": { eventListeners: [nats({ subject: "by-hub.{hub}.{event}" })] },
      stored: { eventListeners: [nats({ subject: "stored.{hub}.{event}", jetStream: true })] },
      unstored: { eventListeners: [nats({ subject: "nowhere.{event}", jetStream: true })] },
      refused: { eventListeners: [nats({ password: "a-wrong-password" })] },
      restarted: { eventListeners: [nats()] },
    },
  });
});
afterAll(async () => {
  client.close();
  await server.stop();
  await broker.kill();
});

test("E-87 a NATS message carries the attributes as ce- headers and the data as they came", async () => {
  client.subscribe("webpubsub.chat.>");
  const sender = await connectJson(server, { hub: "chat", userId: "änn\r\nb" });
  expect((await client.messages.take({ what: "message" })).subject).toBe("webpubsub.chat.sys.connected");
  const event = { ...textEvent("a.b", "héllo"), metadata: { "X-A": "1" } };
  expect(await sender.ask(event)).toEqual(successAck);
  const { subject, headers, data } = await client.messages.take({ what: "message" });
  expect([subject, data.toString("utf8")]).toEqual(["webpubsub.chat.user.a_b", "héllo"]);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown;
  expect(headers).toEqual([
    ["ce-specversion", "1.0"],
    ["ce-awpsversion", "1.0"],
    ["ce-type", "azure.webpubsub.user.a.b"],
    ["ce-source", `/hubs/chat/client/${sender.connectionId}`],
    ["ce-id", "2"],
    ["ce-time", time],
    ["ce-hub", "chat"],
    ["ce-eventname", "a.b"],
    ["ce-connectionid", sender.connectionId],
    ["ce-userid", "änn%0D%0Ab"],
    ["ce-subprotocol", "json.webpubsub.azure.v1"],
    ["content-type", "text/plain"],
    ["x-webpubsub-metadata-x-a", "1"],
  ] as unknown as typeof headers);
});

test("E-87 characters that mean something in a subject become _; binary data stay bytes", async () => {
  client.subscribe("by-hub.>");
  const sender = await connectSimple(server, { hub: "a.b" });
  expect((await client.messages.take({ what: "message" })).subject).toBe("by-hub.a_b.connected");
  sender.socket.send(Buffer.from([0, 13, 10, 255]));
  const { subject, data } = await client.messages.take({ what: "message" });
  expect([subject, data]).toEqual(["by-hub.a_b.message", Buffer.from([0, 13, 10, 255])]);
});

test("E-87 JetStream stores each event with an id of its own; without a stream the events wait", async () => {
  const created = await client.ask("$JS.API.STREAM.CREATE.S", {
    name: "S",
    subjects: ["stored.>"],
    num_replicas: 1,
    retention: "limits",
    storage: "memory",
    max_age: 0,
  });
  expect(created["error"]).toBeUndefined();
  const sender = await connectJson(server, { hub: "stored" });
  expect(await sender.ask(textEvent("e"))).toEqual(successAck);
  await untilMetric(server, "webpubsub_listener_queue_events", 0);
  const { message } = await client.ask("$JS.API.STREAM.MSG.GET.S", { last_by_subj: "stored.stored.e" });
  const { hdrs } = message as { hdrs: string };
  expect(Buffer.from(hdrs, "base64").toString("utf8")).toContain(`Nats-Msg-Id: ${sender.connectionId}/2\r\n`);
  await connectJson(server, { hub: "unstored" });
  await server.process.written(/EventListenerUnavailable.*no stream takes nowhere\.connected/);
});

test("what the server does not let through or finds too big is counted and logged; the next event passes", async () => {
  client.subscribe("webpubsub.denied.>");
  await connectJson(server, { hub: "denied" });
  await server.process.written(/ListenerEventFailed.*hub denied.*Permissions Violation/);
  const sender = await connectJson(server, { hub: "chat" });
  expect((await client.messages.take({ what: "message" })).subject).toBe("webpubsub.chat.sys.connected");
  expect(await sender.ask(textEvent("big", "x".repeat(200_000)))).toEqual(successAck);
  await server.process.written(/ListenerEventFailed.*hub chat.*max_payload/);
  expect(await sender.ask(textEvent("small"))).toEqual(successAck);
  expect((await client.messages.take({ what: "message" })).subject).toBe("webpubsub.chat.user.small");
});

test("a wrong password is logged as the reason, without the password", async () => {
  await connectJson(server, { hub: "refused" });
  await server.process.written(/EventListenerUnavailable.*hub refused.*[Aa]uthorization/);
  expect(server.output()).not.toMatch(/a-wrong-password|password-of-the-application/);
});

test("E-85 E-87 with the server gone clients go on, and it gets what happened meanwhile when it is back", async () => {
  const sender = await connectJson(server, { hub: "restarted" });
  await untilMetric(server, "webpubsub_listener_queue_events", 2); // those that never get through
  client.close();
  await broker.kill();
  const from = server.output().length;
  for (const data of ["1", "2", "3"]) expect(await sender.ask(textEvent("e", data))).toEqual(successAck);
  await server.process.written(/EventListenerUnavailable.*hub restarted.*/, { from });
  broker = await start();
  client = await connectNats(port, reader);
  client.subscribe("webpubsub.restarted.>");
  const seen = [];
  for (let count = 0; count < 3; count++) {
    seen.push((await client.messages.take({ what: "message", withinMs: 10_000 })).data.toString("utf8"));
  }
  expect(seen).toEqual(["1", "2", "3"]);
});
