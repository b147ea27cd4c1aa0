import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Consumer, Kafka as KafkaClient, type KafkaMessage, logLevel } from "kafkajs";
import { connectJson, connectSimple } from "../support/clients.ts";
import { successAck, textEvent } from "../support/events.ts";
import { Inbox } from "../support/inbox.ts";
import { type Kafka, startKafka } from "../support/kafka.ts";
import { adminSettings, untilMetric } from "../support/metrics.ts";
import { type Server, startServer } from "../support/server.ts";

const everything = { systemEvents: ["connected", "disconnected"], userEventPattern: "*" };
const password = "password-of-the-application";
const brokerDeadlineMs = 30_000;
const topics = ["events-chat", "events-a.b_", "azure", "guarded", "restarted"];

interface Received {
  readonly topic: string;
  readonly message: KafkaMessage;
}

let kafka: Kafka;
let consumer: Consumer;
let server: Server;
const received = new Inbox<Received>();
const next = async (topic: string, withinMs = brokerDeadlineMs): Promise<KafkaMessage> =>
  (await received.take({ what: `message of ${topic}`, withinMs, where: (each) => each.topic === topic })).message;
const headersOf = ({ headers = {} }: KafkaMessage) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

beforeAll(async () => {
  kafka = await startKafka(process.env["TIDEWIRE_TEST_KAFKA"] ?? "node_modules/.cache/tidewire-kafka", password);
  const client = new KafkaClient({ brokers: [kafka.plain], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true });
  await admin.disconnect();
  consumer = client.consumer({ groupId: "test", heartbeatInterval: 500 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic, message }) => {
      received.push({ topic, message });
      return Promise.resolve();
    },
  });
  const listener = (endpoint: object) => ({
    filter: everything,
    endpoint: { type: "Kafka", brokers: [kafka.plain], topic: "events-{hub}", ...endpoint },
  });
  const sasl = { mechanism: "plain", username: "app" };
  server = await startServer({
    service: adminSettings,
    hubs: {
      chat: { eventListeners: [listener({})] },
      "a.b,": { eventListeners: [listener({})] },
      azure: { eventListeners: [listener({ topic: "azure", attributeStyle: "amqp" })] },
      guarded: { eventListeners: [listener({ topic: "{hub}", brokers: [kafka.sasl], sasl: { ...sasl, password } })] },
      refused: {
        eventListeners: [listener({ brokers: [kafka.sasl], sasl: { ...sasl, password: "a-wrong-password" } })],
      },
      restarted: { eventListeners: [listener({ topic: "restarted" })] },
    },
  });
}, 240_000);
afterAll(async () => {
  await server.stop();
  await consumer.disconnect();
  await kafka.kill();
}, 60_000);

test("E-87 a Kafka record carries the attributes as ce_ headers, keyed by connection", async () => {
  const sender = await connectJson(server, { hub: "chat", userId: "änn" });
  expect((await next("events-chat")).headers?.["ce_type"]?.toString()).toBe("azure.webpubsub.sys.connected");
  const event = { ...textEvent("a.b", "héllo"), metadata: { "X-A": "1" } };
  expect(await sender.ask(event)).toEqual(successAck);
  const record = await next("events-chat");
  expect([record.key?.toString(), record.value?.toString()]).toEqual([sender.connectionId, "héllo"]);
  expect(headersOf(record)).toEqual({
    "content-type": "text/plain",
    ce_specversion: "1.0",
    ce_awpsversion: "1.0",
    ce_type: "azure.webpubsub.user.a.b",
    ce_source: `/hubs/chat/client/${sender.connectionId}`,
    ce_id: "2",
    ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown as string,
    ce_hub: "chat",
    ce_eventname: "a.b",
    ce_connectionid: sender.connectionId,
    ce_userid: "änn",
    ce_subprotocol: "json.webpubsub.azure.v1",
    "x-webpubsub-metadata-x-a": "1",
  });
});

test("E-87 with the style amqp the headers have the names of Event Hubs; binary data stay bytes", async () => {
  const sender = await connectSimple(server, { hub: "azure", userId: "ann" });
  sender.socket.send(Buffer.from([0, 255]));
  await next("azure");
  const record = await next("azure");
  expect(record.value).toEqual(Buffer.from([0, 255]));
  expect(Object.keys(headersOf(record)).toSorted()).toEqual(
    [
      "cloudEvents:awpsversion",
      "cloudEvents:connectionid",
      "cloudEvents:eventname",
      "cloudEvents:hub",
      "cloudEvents:id",
      "cloudEvents:source",
      "cloudEvents:specversion",
      "cloudEvents:time",
      "cloudEvents:type",
      "cloudEvents:userid",
      "content-type",
    ].toSorted(),
  );
});

test("what a topic name may not have becomes _", async () => {
  await connectJson(server, { hub: "a.b," });
  expect(headersOf(await next("events-a.b_"))).toMatchObject({ ce_hub: "a.b,", ce_eventname: "connected" });
});

test("SASL PLAIN: the right password gets through, a wrong one is the reason in the log, without the password", async () => {
  await connectJson(server, { hub: "guarded" });
  expect(headersOf(await next("guarded"))).toMatchObject({ ce_eventname: "connected" });
  await connectJson(server, { hub: "refused" });
  await server.process.written(/EventListenerUnavailable.*hub refused.*[Aa]uthentication/, {
    withinMs: brokerDeadlineMs,
  });
  expect(server.output()).not.toMatch(/a-wrong-password|password-of-the-application/);
});

test("an event that is too big takes no other with it", async () => {
  const sender = await connectJson(server, { hub: "chat" });
  expect(headersOf(await next("events-chat"))).toMatchObject({ ce_eventname: "connected" });
  sender.send({ ...textEvent("before"), ackId: 1 });
  sender.send({ ...textEvent("big", "x".repeat(300_000)), ackId: 2 });
  sender.send({ ...textEvent("after"), ackId: 3 });
  for (const ackId of [1, 2, 3]) expect(await sender.next()).toEqual({ type: "ack", ackId, success: true });
  expect(headersOf(await next("events-chat"))).toMatchObject({ ce_eventname: "before" });
  expect(headersOf(await next("events-chat"))).toMatchObject({ ce_eventname: "after" });
  await untilMetric(server, 'webpubsub_listener_failed_total{type="Kafka"}', 1);
  expect(server.output()).toMatch(/ListenerEventFailed.*hub chat/);
});

test("E-85 E-87 with the broker gone clients go on, and it gets what happened meanwhile when it is back", async () => {
  const sender = await connectJson(server, { hub: "restarted" });
  expect(headersOf(await next("restarted"))).toMatchObject({ ce_eventname: "connected" });
  await kafka.kill();
  const from = server.output().length;
  expect(await sender.ask(textEvent("e", "1"))).toEqual(successAck);
  await server.process.written(/EventListenerUnavailable.*hub restarted.*/, { from, withinMs: brokerDeadlineMs });
  for (const data of ["2", "3"]) expect(await sender.ask(textEvent("e", data))).toEqual(successAck);
  await kafka.restart();
  // The first may have been lost with the connection that ended under it; the others never left the queue. The test's
  // consumer may see an earlier record again.
  const seen: string[] = [];
  while (!seen.includes("3")) seen.push(String((await next("restarted", 60_000)).value));
  expect(seen.filter((data) => ["2", "3"].includes(data))).toEqual(["2", "3"]);
}, 240_000);
