import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type BatchReceiver, startBatchReceiver } from "../support/batch-receiver.ts";
import { connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { type EventHub, startEventHub } from "../support/event-hub.ts";
import { failedAck, successAck, textEvent } from "../support/events.ts";
import { freePort } from "../support/free-port.ts";
import { inTime } from "../support/inbox.ts";
import { adminSettings, readMetrics, untilMetric } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const everything = { systemEvents: ["connected", "disconnected"], userEventPattern: "*" };

describe.skipIf(isForeign)("event listeners", () => {
  let receiver: BatchReceiver;
  let second: BatchReceiver;
  let handler: EventHandler;
  let eventHub: EventHub;
  let server: Server;
  beforeAll(async () => {
    receiver = await startBatchReceiver();
    second = await startBatchReceiver();
    handler = await startEventHandler();
    eventHub = await startEventHub();
    const { connectionString } = eventHub;
    server = await startServer({
      service: adminSettings,
      upstream: { retryDelaysSeconds: [] },
      hubs: {
        "*": { eventListeners: [receiver.listener(everything), second.listener(everything)] },
        filtered: {
          eventListeners: [
            receiver.listener({ userEventPattern: " ALPHA ,connected" }),
            second.listener({ systemEvents: ["CONNECTED"] }),
          ],
        },
        handled: { eventHandlers: [handler.settings()], eventListeners: [receiver.listener(everything)] },
        hub: {
          eventHandlers: [handler.settings({ systemEvents: ["connect"], userEventPattern: "stateful" })],
          eventListeners: [
            { filter: everything, endpoint: { type: "EventHub", eventHubName: "events", connectionString } },
          ],
        },
        broken: {
          eventListeners: [receiver.listener(everything, { url: `http://127.0.0.1:${await freePort()}/nobody` })],
        },
        nobody: {},
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await Promise.all([receiver.stop(), second.stop(), handler.stop(), eventHub.stop()]);
  });

  test("E-83 every matching listener receives connected, user events and disconnected, never connect", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "ann" });
    expect(await client.ask(textEvent("a.b"))).toEqual(successAck);
    client.socket.close(1000, "bye");
    for (const each of [receiver, second]) {
      const seen = [await each.next(hub), await each.next(hub), await each.next(hub)];
      expect(seen.map(({ type, id, data }) => [type, id, data])).toEqual([
        ["azure.webpubsub.sys.connected", "1", {}],
        ["azure.webpubsub.user.a.b", "2", "x"],
        ["azure.webpubsub.sys.disconnected", "3", { reason: "bye" }],
      ]);
      expect(seen.map(({ connectionid }) => connectionid)).toEqual(Array(3).fill(client.connectionId));
      expect(each.untaken(hub)).toEqual([]);
    }
  });

  test("E-83 M-18 the list of user events is literal and ignores case; the system events are a list of their own", async () => {
    const client = await connectJson(server, { hub: "filtered" });
    expect((await second.next("filtered"))["type"]).toBe("azure.webpubsub.sys.connected");
    expect(await client.ask(textEvent("alphabet"))).toEqual(failedAck);
    expect(await client.ask(textEvent("Alpha"))).toEqual(successAck);
    expect(await client.ask(textEvent("connected"))).toEqual(successAck);
    const types = [await receiver.next("filtered"), await receiver.next("filtered")].map(({ type }) => type);
    expect(types).toEqual(["azure.webpubsub.user.Alpha", "azure.webpubsub.user.connected"]);
    expect([receiver.untaken("filtered"), second.untaken("filtered")]).toEqual([[], []]);
  });

  test("C-65 E-85 a listener alone keeps a simple client open; without one the frame closes 1011", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    client.socket.send("héllo");
    client.socket.send(Buffer.from([0, 255]));
    expect((await receiver.next(hub))["eventname"]).toBe("connected");
    const [text, binary] = [await receiver.next(hub), await receiver.next(hub)];
    expect([text["eventname"], text["datacontenttype"], text["data"]]).toEqual(["message", "text/plain", "héllo"]);
    expect([binary["datacontenttype"], binary["data_base64"]]).toEqual(["application/octet-stream", "AP8="]);
    await client.nothingArrived();
    const unheard = await connectSimple(server, { hub: "nobody" });
    unheard.socket.send("anyone?");
    expect((await unheard.socket.closed()).code).toBe(1011);
  });

  test("E-85 with the listener's server down a user event is still a success, and the failure is logged once, with its reason", async () => {
    const client = await connectJson(server, { hub: "broken" });
    for (const data of ["1", "2", "3"]) expect(await client.ask(textEvent("e", data))).toEqual(successAck);
    const log = await server.process.written(/EventListenerUnavailable.*hub broken.*ECONNREFUSED.*/);
    expect(log[0]).not.toContain("key-in-the-query");
    await client.nothingArrived();
    expect(server.output().match(/EventListenerUnavailable.*hub broken/g)).toHaveLength(1);
  });

  test("E-86 listener and handler get the same event id; the handler's failure fails the event", async () => {
    const client = await connectJson(server, { hub: "handled" });
    expect((await receiver.next("handled"))["id"]).toBe("1");
    expect((await handler.hub("handled").next("connected")).header("ce-id")).toBe("1");
    handler.hub("handled").answer("bad", { status: 500 });
    expect(await client.ask(textEvent("bad"))).toEqual(failedAck);
    const [heard, handled] = [await receiver.next("handled"), await handler.hub("handled").next("bad")];
    expect([heard["id"], heard["source"]]).toEqual([handled.header("ce-id"), handled.header("ce-source")]);
    expect(heard["id"]).toBe("2");
    expect(await client.ask({ ...textEvent("good"), ackId: 7 })).toEqual(successAck);
    expect((await receiver.next("handled"))["eventname"]).toBe("good");
  });

  test("E-86 a repeated ackId reaches no listener", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    for (const data of ["once", "twice"]) client.send({ ...textEvent("e", data), ackId: 7 });
    expect([await client.next(), (await client.next())["success"]]).toMatchObject([{ success: true }, false]);
    expect(await client.ask(textEvent("last"))).toEqual(successAck);
    const names = [await receiver.next(hub), await receiver.next(hub), await receiver.next(hub)];
    expect(names.map(({ eventname }) => eventname)).toEqual(["connected", "e", "last"]);
  });

  test("E-87 an HTTP batch is in the JSON batch format; JSON data keep their text", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "änn" });
    expect((await receiver.next(hub))["eventname"]).toBe("connected");
    const metadata = { Trace: "1", trace: "2" };
    client.send(
      `{"type":"event","event":"e","dataType":"json","data":{"a": 1.0},"ackId":1,"metadata":${JSON.stringify(metadata)}}`,
    );
    expect(await client.next()).toMatchObject({ success: true });
    const batch = await receiver.batches.take({
      what: "batch with the event",
      where: ({ events }) => events.some((event) => event["hub"] === hub && event["eventname"] === "e"),
    });
    expect([batch.path, batch.contentType]).toEqual([
      `/batches/${hub}?code=key-in-the-query`,
      "application/cloudevents-batch+json; charset=utf-8",
    ]);
    expect(batch.text).toContain('"data":{"a": 1.0}');
    expect(batch.events.find((event) => event["eventname"] === "e")).toEqual({
      specversion: "1.0",
      awpsversion: "1.0",
      type: "azure.webpubsub.user.e",
      source: `/hubs/${hub}/client/${client.connectionId}`,
      id: "2",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown,
      hub,
      eventname: "e",
      connectionid: client.connectionId,
      userid: "änn",
      subprotocol: "json.webpubsub.azure.v1",
      datacontenttype: "application/json",
      metadata: '{"trace":"2"}',
      data: { a: 1 },
    });
  });

  test("E-84 an event hub gets exactly the documented properties", async () => {
    handler.hub("hub").answer("stateful", { headers: [["ce-connectionState", "state-1"]] });
    const client = await connectJson(server, { hub: "hub", userId: "änn" });
    const { connectionId } = client;
    const next = async () => await eventHub.messages.take({ what: "message of the event hub", withinMs: 20_000 });
    const common = {
      "cloudEvents:specversion": "1.0",
      "cloudEvents:awpsversion": "1.0",
      "cloudEvents:source": `/hubs/hub/client/${connectionId}`,
      "cloudEvents:time": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown,
      "cloudEvents:hub": "hub",
      "cloudEvents:connectionid": connectionId,
      "cloudEvents:userid": "änn",
      "cloudEvents:subprotocol": "json.webpubsub.azure.v1",
    };
    expect(await next()).toEqual({
      body: Buffer.from("{}"),
      contentType: "application/json; charset=utf-8",
      messageId: `${connectionId}/1`,
      partitionKey: connectionId,
      properties: {
        ...common,
        "cloudEvents:type": "azure.webpubsub.sys.connected",
        "cloudEvents:id": "1",
        "cloudEvents:eventname": "connected",
      },
    });
    expect(await client.ask(textEvent("stateful"))).toEqual(successAck);
    expect((await next()).properties).not.toHaveProperty("cloudEvents:connectionstate");
    expect(await client.ask({ ...textEvent("then", "héllo"), metadata: { "X-A": "b" } })).toEqual(successAck);
    expect(await next()).toEqual({
      body: Buffer.from("héllo"),
      contentType: "text/plain",
      messageId: `${connectionId}/3`,
      partitionKey: connectionId,
      properties: {
        ...common,
        "cloudEvents:type": "azure.webpubsub.user.then",
        "cloudEvents:id": "3",
        "cloudEvents:eventname": "then",
        "cloudEvents:connectionstate": "state-1",
        "x-webpubsub-metadata-x-a": "b",
      },
    });
  });

  test("E-84 an empty state is omitted, as are user and subprotocol where there are none", async () => {
    handler.hub("hub").answer("stateful", { headers: [["ce-connectionState", ""]] });
    const client = await connectJson(server, { hub: "hub" });
    const of = async (event: string) =>
      await eventHub.messages.take({
        what: `${event} in the event hub`,
        withinMs: 20_000,
        where: ({ messageId, properties }) =>
          String(messageId).startsWith(client.connectionId) && properties["cloudEvents:eventname"] === event,
      });
    expect(await client.ask(textEvent("stateful"))).toEqual(successAck);
    expect(await client.ask(textEvent("then"))).toEqual(successAck);
    expect(Object.keys((await of("then")).properties).toSorted()).toEqual(
      [
        "cloudEvents:awpsversion",
        "cloudEvents:connectionid",
        "cloudEvents:eventname",
        "cloudEvents:hub",
        "cloudEvents:id",
        "cloudEvents:source",
        "cloudEvents:specversion",
        "cloudEvents:subprotocol",
        "cloudEvents:time",
        "cloudEvents:type",
      ].toSorted(),
    );
  });

  test("E-87 what listeners took is counted", async () => {
    const samples = await readMetrics(server);
    expect(samples.get('webpubsub_listener_sent_total{type="HttpBatch"}')).toBeGreaterThan(0);
    expect(samples.get('webpubsub_listener_sent_total{type="EventHub"}')).toBeGreaterThan(0);
  });
});

describe.skipIf(isForeign)("a listener of its own server", () => {
  const start = async (eventListeners: readonly object[], rest: object = {}): Promise<Server> =>
    await startServer({ service: adminSettings, hubs: { chat: { eventListeners } }, ...rest });

  test("E-87 a server that never answers delays no client, and what does not fit is dropped and counted", async () => {
    const receiver = await startBatchReceiver();
    receiver.answer("never");
    const server = await start([receiver.listener({ userEventPattern: "*" })]);
    try {
      const client = await connectJson(server, { hub: "chat" });
      const big = "x".repeat(900_000);
      for (let index = 0; index < 90; index++) {
        expect(await client.ask({ ...textEvent("e", big) })).toEqual(successAck);
      }
      // 64 MiB hold 74 of them.
      await untilMetric(server, 'webpubsub_listener_dropped_total{type="HttpBatch"}', 16);
      const samples = await readMetrics(server);
      expect(samples.get("webpubsub_listener_queue_bytes")).toBeLessThanOrEqual(67_108_864);
      expect(samples.get("webpubsub_listener_queue_events")).toBe(74);
      expect(server.output()).toMatch(/ListenerEventDropped.*the queue is full/);
      expect(server.output().match(/ListenerEventDropped/g)).toHaveLength(1);
    } finally {
      await server.stop();
      await receiver.stop();
    }
  }, 60_000);

  test("events that wait are delivered when the server comes, or when the configuration says where it really is", async () => {
    const [port, other] = [await freePort(), await freePort()];
    const at = (place: number) => ({
      filter: everything,
      endpoint: { type: "HttpBatch", url: `http://127.0.0.1:${place}/{hub}` },
    });
    const server = await start([at(port)]);
    try {
      const client = await connectJson(server, { hub: "chat" });
      expect(await client.ask(textEvent("first"))).toEqual(successAck);
      await server.process.written(/EventListenerUnavailable/);
      const late = await startBatchReceiver(port);
      expect(await inTime(late.next("chat"), "first event", 10_000)).toMatchObject({ eventname: "connected" });
      expect(await late.next("chat")).toMatchObject({ eventname: "first" });
      await server.process.written(/EventListenerRecovered/);
      await late.stop();
      const from = server.output().length;
      expect(await client.ask(textEvent("second"))).toEqual(successAck);
      await server.process.written(/EventListenerUnavailable/, { from });
      const moved = await startBatchReceiver(other);
      await server.reconfigure({ hubs: { chat: { eventListeners: [at(other)] } } });
      expect(await moved.next("chat")).toMatchObject({ eventname: "second" });
      await server.reconfigure({ hubs: { chat: { eventListeners: [] } } });
      expect(await client.ask(textEvent("third"))).toEqual(failedAck);
      await moved.stop();
    } finally {
      await server.stop();
    }
  });

  test("a stopping server delivers what is queued, disconnected events included", async () => {
    const receiver = await startBatchReceiver();
    const server = await start([receiver.listener(everything)], { limits: { drainSeconds: 10 } });
    const client = await connectJson(server, { hub: "chat" });
    expect(await client.ask(textEvent("e"))).toEqual(successAck);
    await server.stop();
    for (const name of ["connected", "e", "disconnected"])
      expect(await receiver.next("chat")).toMatchObject({ eventname: name });
    await receiver.stop();
  });

  test("a server that refuses a whole batch gets its events one by one; none of the keys is logged", async () => {
    const receiver = await startBatchReceiver();
    receiver.answer(413);
    const auth = { type: "Bearer", token: "token-of-the-batch-receiver" };
    const server = await start([receiver.listener(everything, { auth })]);
    try {
      const client = await connectJson(server, { hub: "chat" });
      const { authorization } = await receiver.batches.take({ what: "batch" });
      expect(authorization).toBe("Bearer token-of-the-batch-receiver");
      await server.process.written(/ListenerEventFailed.*the server answered 413/);
      receiver.answer(200);
      expect(await client.ask(textEvent("e"))).toEqual(successAck);
      expect(await receiver.next("chat")).toMatchObject({ eventname: "e" });
      expect(server.output()).not.toMatch(/key-in-the-query|token-of-the-batch-receiver/);
    } finally {
      await server.stop();
      await receiver.stop();
    }
  });

  test("E-85 E-87 an event hub that is busy, then silent, delays no client; it gets later what it did not take", async () => {
    const eventHub = await startEventHub();
    const { connectionString } = eventHub;
    eventHub.answer({ condition: "com.microsoft:server-busy" });
    const server = await start([
      { filter: everything, endpoint: { type: "EventHub", eventHubName: "events", connectionString } },
    ]);
    try {
      const client = await connectJson(server, { hub: "chat" });
      await server.process.written(/EventListenerUnavailable.*refused by the test/);
      expect(await client.ask(textEvent("e"))).toEqual(successAck);
      eventHub.answer("accept");
      const names = [];
      for (let count = 0; count < 2; count++) {
        const { properties } = await eventHub.messages.take({ what: "message", withinMs: 10_000 });
        names.push(properties["cloudEvents:eventname"]);
      }
      expect(names).toEqual(["connected", "e"]);
      eventHub.answer("never");
      for (const data of ["1", "2", "3"]) expect(await client.ask(textEvent("e", data))).toEqual(successAck);
      await client.nothingArrived();
      expect(server.output()).not.toContain("event-hub-key-of-a-test");
    } finally {
      await server.stop();
      await eventHub.stop();
    }
  });
});
