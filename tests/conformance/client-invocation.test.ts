import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { connectJson, type JsonClient, type JsonFrame } from "../support/clients.ts";
import { type Answer, type EventHandler, type HubEvents, startEventHandler } from "../support/event-handler.ts";
import { textAnswer, textEvent } from "../support/events.ts";
import type { Header } from "../support/http-response.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { connectReliable, recover } from "../support/reliable.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const invoke = (invocationId: string, event: string, more: JsonFrame = { dataType: "text", data: "x" }): JsonFrame => ({
  type: "invoke",
  invocationId,
  target: "event",
  event,
  ...more,
});
const cancel = (invocationId: string): JsonFrame => ({ type: "cancelInvocation", invocationId });
const succeeded = (invocationId: string, more: JsonFrame = {}): JsonFrame => ({
  type: "invokeResponse",
  invocationId,
  success: true,
  ...more,
});
const failed = (invocationId: string, name: string): JsonFrame => ({
  type: "invokeResponse",
  invocationId,
  success: false,
  error: { name, message: expect.any(String) as unknown },
});
const answer = (contentType: string, body: string | Uint8Array, headers: readonly Header[] = []): Answer => ({
  headers: [["Content-Type", contentType], ...headers],
  body,
});
/** A serialized `google.protobuf.Any`. */
const any = Buffer.from("CgFhEgIIAQ==", "base64");

/** Sends one frame and returns what comes next. */
async function ask(client: JsonClient, frame: JsonFrame): Promise<JsonFrame> {
  client.send(frame);
  return client.next();
}

describe.skipIf(isForeign)("a server with an event handler", () => {
  let server: Server;
  let handler: EventHandler;
  const unhandled = "unhandled";
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      limits: { pendingInvocations: 3 },
      hubs: {
        "*": { eventHandlers: [handler.settings({ systemEvents: [], userEventPattern: "calc,ask,slow,quick,event" })] },
        [unhandled]: {},
      },
      upstream: { retryDelaysSeconds: [] },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  async function connect(): Promise<{ readonly client: JsonClient; readonly events: HubEvents; readonly hub: string }> {
    const hub = freshName("hub");
    return { client: await connectJson(server, { hub, userId: "ann" }), events: handler.hub(hub), hub };
  }

  describe("the response", () => {
    test.each<[what: string, reply: Answer, shown: JsonFrame]>([
      ["text", answer("text/plain; charset=utf-8", "grüß"), { dataType: "text", data: "grüß" }],
      ["JSON", answer("application/json", "[1]"), { dataType: "json", data: [1] }],
      ["bytes", answer("application/octet-stream", new Uint8Array([1, 2, 255])), { dataType: "binary", data: "AQL/" }],
      ["a protobuf Any", answer("application/x-protobuf", any), { dataType: "protobuf", data: any.toString("base64") }],
      ["an empty body", answer("text/plain", ""), {}],
      ["status 204", { status: 204 }, {}],
      [
        "another 2xx status",
        { ...answer("text/plain", "accepted"), status: 202 },
        { dataType: "text", data: "accepted" },
      ],
    ])("C-95 holds what the handler replied: %s", async (_what, reply, shown) => {
      const { client, events } = await connect();
      events.answer("calc", reply);
      expect(await ask(client, invoke("1", "calc"))).toEqual(succeeded("1", shown));
      await client.nothingArrived(); // no server message besides
    });

    test("C-95 C-45 holds JSON as the handler wrote it", async () => {
      const { client, events } = await connect();
      const source = '{ "n" : 12345678901234567890, "f":1.0 }';
      events.answer("calc", answer("application/json", source));
      client.send(invoke("1", "calc"));
      expect(await client.socket.nextText()).toEndWith(`"dataType":"json","data":${source}}`);
    });

    test.each<[what: string, reply: Answer]>([
      ["status 400", { status: 400, body: "secret" }],
      ["status 401", { status: 401, body: "secret" }],
      ["status 404", { status: 404, body: "secret" }],
      ["status 500", { status: 500, body: "secret" }],
      ["a content type nobody knows", answer("text/html", "secret")],
      ["a body that is not the JSON it claims to be", answer("application/json", "secret")],
      [
        "half a response",
        {
          write: (response, socket) => {
            response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 100 });
            response.write("secret", () => socket.destroy());
          },
        },
      ],
    ])("C-95 is InternalServerError without details for %s", async (_what, reply) => {
      const { client, events } = await connect();
      events.answer("calc", [reply, {}]);
      client.send(invoke("1", "calc"));
      const text = await client.socket.nextText();
      expect(JSON.parse(text)).toEqual(failed("1", "InternalServerError"));
      expect(text).not.toContain("secret");
      // The connection stays, and so does the id.
      expect(await ask(client, invoke("1", "calc"))).toEqual(succeeded("1"));
      await client.nothingArrived();
    });

    test("C-95 is NotFound when no handler wants the event", async () => {
      const { client, events } = await connect();
      expect(await ask(client, invoke("1", "unwanted"))).toEqual(failed("1", "NotFound"));
      expect(events.untaken).toEqual([]);
      const other = await connectJson(server, { hub: unhandled });
      expect(await ask(other, invoke("1", "calc"))).toEqual(failed("1", "NotFound"));
      await other.nothingArrived();
    });

    test("C-95 repeats the id exactly, whatever it is", async () => {
      const { client } = await connect();
      for (const id of ["1", "0", " ", 'ö"\\\n', "x".repeat(1024)])
        expect(await ask(client, invoke(id, "calc"))).toEqual(succeeded(id));
    });
  });

  describe("the request", () => {
    test("C-95 is the CloudEvent that an event message makes", async () => {
      const { client, events } = await connect();
      const more = { metadata: { Key: "value" }, dataType: "json", data: { x: 2 } };
      await client.ask({ type: "event", event: "calc", ...more });
      expect(await ask(client, invoke("1", "calc", more))).toEqual(succeeded("1"));
      const [sent, invoked] = [await events.next("calc"), await events.next("calc")];
      const facts = ({ method, url, headers, text }: typeof sent) => ({
        method,
        url,
        text,
        headers: headers.filter(([name]) => !/^(?:ce-id|ce-time|x-ms-client-request-id)$/i.test(name)),
      });
      expect(facts(invoked)).toEqual(facts(sent));
      expect(invoked.json).toEqual({ x: 2 });
      expect(invoked.header("ce-type")).toBe("azure.webpubsub.user.calc");
      expect(invoked.header("x-webpubsub-metadata-Key")).toBe("value");
      expect(invoked.header("ce-userId")).toBe("ann");
      expect(invoked.header("ce-id")).not.toBe(sent.header("ce-id"));
    });

    test.each<[what: string, more: JsonFrame, sent: readonly [contentType: string, body: string]]>([
      ["text", { dataType: "text", data: "x" }, ["text/plain", "x"]],
      ["bytes", { dataType: "binary", data: "eA==" }, ["application/octet-stream", "x"]],
      ["JSON by default", { data: [1] }, ["application/json", "[1]"]],
      ["no data", {}, ["text/plain", ""]],
    ])("C-95 carries %s", async (_what, more, sent) => {
      const { client, events } = await connect();
      expect(await ask(client, invoke("1", "calc", more))).toEqual(succeeded("1"));
      const request = await events.next("calc");
      expect([request.header("content-type")?.split(";")[0], request.text]).toEqual([...sent]);
    });

    test.each<[what: string, frame: JsonFrame]>([
      ["no target", { type: "invoke", invocationId: "1", event: "calc", data: 1 }],
      ["another target", { ...invoke("1", "calc"), target: "group" }],
      ["no event", { type: "invoke", invocationId: "1", target: "event", data: 1 }],
      ["an event name that is none", invoke("1", "a b")],
      ["data without value", invoke("1", "calc", { dataType: "text" })],
      ["text that is a number", invoke("1", "calc", { dataType: "text", data: 1 })],
      ["an unknown dataType", invoke("1", "calc", { dataType: "xml", data: "x" })],
      ["metadata with a number", invoke("1", "calc", { data: 1, metadata: { key: 1 } })],
    ])("C-95 with %s is answered BadRequest and not sent", async (_what, frame) => {
      const { client, events } = await connect();
      expect(await ask(client, frame)).toEqual(failed("1", "BadRequest"));
      expect(await ask(client, invoke("2", "calc"))).toEqual(succeeded("2"));
      await events.next("calc");
      expect(events.untaken).toEqual([]);
      await client.nothingArrived();
    });

    test.each([
      '{"type":"invoke","target":"event","event":"calc","data":1}',
      '{"type":"invoke","invocationId":1,"target":"event","event":"calc","data":1}',
      '{"type":"invoke","invocationId":null,"target":"event","event":"calc","data":1}',
      '{"type":"cancelInvocation"}',
      '{"type":"cancelInvocation","invocationId":1}',
    ])("C-57 %s, which has no readable id, closes 1007", async (frame) => {
      const { client } = await connect();
      await expectDeclined(client, frame);
    });

    test("C-95 that is a response is ignored", async () => {
      const { client } = await connect();
      for (const frame of [succeeded("1"), { type: "invokeResponse" }, { type: "invokeResponse", invocationId: 1 }])
        client.send(frame);
      expect(await ask(client, { type: "ping" })).toEqual({ type: "pong" });
      await client.nothingArrived();
    });
  });

  describe("concurrency", () => {
    test("C-95 later frames go on while an invocation is pending, and invocations are answered as they end", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("slow", { ...textAnswer("slow"), after: work.promise });
      events.answer("quick", textAnswer("quick"));
      client.send(invoke("1", "slow"));
      await events.next("slow");
      expect(await ask(client, invoke("2", "quick"))).toEqual(succeeded("2", { dataType: "text", data: "quick" }));
      expect(await client.ask({ type: "event", event: "event", data: 1 })).toEqual({ success: true });
      expect(await client.ask({ type: "joinGroup", group: "g" })).toHaveProperty("success", false);
      work.resolve();
      expect(await client.next()).toEqual(succeeded("1", { dataType: "text", data: "slow" }));
      await client.nothingArrived();
    });

    test("C-95 an invocation waits behind an event that came before it", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("slow", { after: work.promise });
      client.send({ ...textEvent("slow"), ackId: 1 });
      await events.next("slow");
      client.send(invoke("1", "calc"));
      expect(await ask(client, { type: "ping" })).toEqual({ type: "pong" });
      expect(events.untaken).toEqual([]);
      work.resolve();
      expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
      expect(await client.next()).toEqual(succeeded("1"));
    });

    test("C-95 an id that is pending is refused as Duplicate, without harm to the pending one", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("slow", { ...textAnswer("first"), after: work.promise });
      client.send(invoke("1", "slow"));
      await events.next("slow");
      expect(await ask(client, invoke("1", "quick"))).toEqual(failed("1", "Duplicate"));
      expect(await ask(client, invoke("1", "unwanted"))).toEqual(failed("1", "Duplicate"));
      work.resolve();
      expect(await client.next()).toEqual(succeeded("1", { dataType: "text", data: "first" }));
      expect(events.untaken).toEqual([]);
      expect(await ask(client, invoke("1", "quick"))).toEqual(succeeded("1"));
    });

    test("C-95 ids are those of one connection", async () => {
      const { client, events, hub } = await connect();
      const other = await connectJson(server, { hub });
      const work = Promise.withResolvers<void>();
      events.answer("slow", { after: work.promise });
      client.send(invoke("1", "slow"));
      await events.next("slow");
      expect(await ask(other, invoke("1", "quick"))).toEqual(succeeded("1"));
      other.send(cancel("1"));
      work.resolve();
      expect(await client.next()).toEqual(succeeded("1"));
    });

    test("C-95 more than may be pending are refused with BadRequest", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("slow", { after: work.promise });
      for (const id of ["1", "2", "3"]) client.send(invoke(id, "slow"));
      expect(await ask(client, invoke("4", "quick"))).toEqual(failed("4", "BadRequest"));
      work.resolve();
      const answers = [await client.next(), await client.next(), await client.next()];
      expect(new Set(answers.map((each) => each["invocationId"]))).toEqual(new Set(["1", "2", "3"]));
      expect(await ask(client, invoke("4", "quick"))).toEqual(succeeded("4"));
    });
  });

  describe("cancelling", () => {
    test("C-95 ends the handler's request and is not answered", async () => {
      const { client, events } = await connect();
      events.answer("slow", { after: new Promise(() => {}) });
      client.send(invoke("1", "slow"));
      const request = await events.next("slow");
      client.send(cancel("1"));
      await inTime(request.aborted, "end of the request");
      await client.nothingArrived();
      expect(await ask(client, invoke("1", "quick"))).toEqual(succeeded("1"));
    });

    test("C-95 C-56 does not wait behind an event, nor ends it", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("slow", { after: new Promise(() => {}) });
      events.answer("event", { after: work.promise });
      client.send(invoke("1", "slow"));
      const request = await events.next("slow");
      client.send({ ...textEvent("event"), ackId: 1 });
      await events.next("event");
      client.send(cancel("1"));
      await inTime(request.aborted, "end of the request");
      work.resolve();
      expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
      await client.nothingArrived();
    });

    test("C-95 takes back an invocation that waits behind an event itself, and that one alone", async () => {
      const { client, events } = await connect();
      const work = Promise.withResolvers<void>();
      events.answer("event", { after: work.promise });
      client.send({ ...textEvent("event"), ackId: 1 });
      await events.next("event");
      for (const id of ["1", "2", "3"]) client.send(invoke(id, id === "2" ? "calc" : "quick"));
      client.send(cancel("2"));
      expect(await ask(client, { type: "ping" })).toEqual({ type: "pong" });
      work.resolve();
      expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
      const answers = [await client.next(), await client.next()];
      expect(new Set(answers.map((each) => each["invocationId"]))).toEqual(new Set(["1", "3"]));
      await client.nothingArrived();
      expect(events.untaken).toEqual(["quick", "quick"]);
    });

    test("C-95 an id that is unknown, or answered already, does nothing", async () => {
      const { client } = await connect();
      client.send(cancel("unknown"));
      expect(await ask(client, invoke("1", "quick"))).toEqual(succeeded("1"));
      client.send(cancel("1"));
      await client.nothingArrived();
    });

    test.each<[what: string, end: (client: JsonClient) => unknown]>([
      ["is lost", ({ socket }) => socket.abort()],
      [
        "is closed by REST",
        ({ hub, connectionId }) =>
          server.rest({ method: "DELETE", path: `/api/hubs/${hub}/connections/${connectionId}` }),
      ],
    ])("C-95 is what happens when the connection %s", async (_what, end) => {
      const { client, events } = await connect();
      events.answer("slow", { after: new Promise(() => {}) });
      client.send(invoke("1", "slow"));
      const request = await events.next("slow");
      await end(client);
      await inTime(request.aborted, "end of the request");
    });
  });

  describe("a reliable client", () => {
    test("C-95 gets responses without sequence id, which are not repeated after a recovery", async () => {
      const hub = freshName("hub");
      const client = await connectReliable(server, { hub });
      handler.hub(hub).answer("calc", textAnswer("4"));
      expect(await ask(client, invoke("1", "calc"))).toEqual(succeeded("1", { dataType: "text", data: "4" }));
      client.socket.abort();
      await (await recover(server, client)).nothingArrived();
    });

    test("C-95 may invoke under the same id again after a drop, once it has cancelled", async () => {
      const hub = freshName("hub");
      const events = handler.hub(hub);
      const client = await connectReliable(server, { hub });
      events.answer("slow", { after: new Promise(() => {}) });
      client.send(invoke("1", "slow"));
      const request = await events.next("slow");
      client.socket.abort();
      const again = await recover(server, client);
      expect(await ask(again, invoke("1", "quick"))).toEqual(failed("1", "Duplicate"));
      again.send(cancel("1"));
      await inTime(request.aborted, "end of the request");
      expect(await ask(again, invoke("1", "quick"))).toEqual(succeeded("1"));
    });
  });
});
