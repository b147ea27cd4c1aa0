import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deflateSync, gzipSync } from "node:zlib";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { type Answer, type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { failedAck, successAck, textAnswer, textEvent, textReply } from "../support/events.ts";
import { freePort } from "../support/free-port.ts";
import type { Header } from "../support/http-response.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { startRawHandler, wireResponse } from "../support/raw-handler.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const maxBodyBytes = 16 * 1024 * 1024;
const failedClose = { code: 1011, reason: "The event handler failed." };
const bytes = (...values: number[]): Buffer => Buffer.from(values);
/** Serialized `google.protobuf.Any`: type URL `type.test/T`, value 1 2 3. */
const any = Buffer.concat([bytes(0x0a, 11), Buffer.from("type.test/T"), bytes(0x12, 3, 1, 2, 3)]);
const answer = (contentType: string | null, body: string | Uint8Array, headers: readonly Header[] = []): Answer => ({
  headers: [...(contentType === null ? [] : [["Content-Type", contentType] as const]), ...headers],
  body,
});

describe.skipIf(isForeign)("user events", () => {
  let handler: EventHandler;
  let other: EventHandler;
  let server: Server;
  const silent = "silent";
  beforeAll(async () => {
    handler = await startEventHandler();
    other = await startEventHandler();
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: { "*": { eventHandlers: [handler.settings()] }, [silent]: {} },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
    await other.stop();
  });

  /** A JSON client in a hub of its own, whose event `x` is answered so. */
  async function clientAnswered(reply: Answer): Promise<JsonClient> {
    const hub = freshName("hub");
    handler.hub(hub).answer("x", reply);
    return connectJson(server, { hub });
  }

  async function simpleAnswered(reply: Answer) {
    const hub = freshName("hub");
    handler.hub(hub).answer("message", reply);
    return connectSimple(server, { hub });
  }

  /** The message that answers event `x` of a JSON client; its success must be acked behind it. */
  async function replyTo(reply: Answer): Promise<unknown> {
    const client = await clientAnswered(reply);
    client.send({ ...textEvent("x"), ackId: 1 });
    const message = await client.next();
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    return message;
  }

  const ackOf = async (reply: Answer): Promise<unknown> => (await clientAnswered(reply)).ask(textEvent("x"));

  test("E-53 messages of a simple client arrive as text and as bytes", async () => {
    const client = await simpleAnswered({});
    const events = handler.hub(client.hub);
    client.socket.send("grüß");
    const text = await events.next("message");
    expect(text.header("content-type")).toMatch(/^text\/plain(?:; ?charset=utf-8)?$/i);
    expect([text.header("ce-type"), text.text]).toEqual(["azure.webpubsub.user.message", "grüß"]);
    client.socket.send(bytes(0, 255, 128, 10));
    const binary = await events.next("message");
    expect([binary.header("ce-type"), binary.header("content-type")]).toEqual([
      "azure.webpubsub.user.message",
      "application/octet-stream",
    ]);
    expect(binary.body).toEqual(bytes(0, 255, 128, 10));
    client.socket.send("");
    expect((await events.next("message")).body).toHaveLength(0);
    client.socket.send("{}");
    expect((await events.next("message")).header("content-type")).toMatch(/^text\/plain/i);
  });

  test("E-54 JSON arrives byte for byte, text bare, binary and protobuf decoded", async () => {
    const client = await clientAnswered({});
    const events = handler.hub(client.hub);
    const send = async (data: string): Promise<[string | null, Buffer]> => {
      client.send(`{"type":"event","event":"x",${data}}`);
      const request = await events.next("x");
      return [request.header("content-type"), request.body];
    };
    for (const source of ['{"a": 1.0}', '"hi"', "[1e2,  12345678901234567890]", "false"]) {
      expect(await send(`"dataType":"json","data":${source}`)).toEqual(["application/json", Buffer.from(source)]);
    }
    const [textType, text] = await send('"dataType":"text","data":"hi"');
    expect(textType).toMatch(/^text\/plain(?:; ?charset=utf-8)?$/i);
    expect(text).toEqual(Buffer.from("hi"));
    const base64 = bytes(0, 255, 7).toString("base64");
    expect(await send(`"dataType":"binary","data":"${base64}"`)).toEqual([
      "application/octet-stream",
      bytes(0, 255, 7),
    ]);
    expect(await send(`"dataType":"protobuf","data":"${any.toString("base64")}"`)).toEqual([
      "application/x-protobuf",
      any,
    ]);
  });

  test("E-55 metadata become headers with lower-case names", async () => {
    const client = await clientAnswered({});
    client.send({ ...textEvent("x"), metadata: { Trace: "v", "other-Key": "a, b", empty: "" } });
    const request = await handler.hub(client.hub).next("x");
    const names = request.headers.map(([name]) => name).filter((name) => name.toLowerCase().startsWith("x-webpubsub-"));
    const prefix = "x-webpubsub-metadata-";
    expect(names.toSorted()).toEqual([`${prefix}empty`, `${prefix}other-key`, `${prefix}trace`]);
    expect(["trace", "other-key", "empty"].map((key) => request.header(prefix + key))).toEqual(["v", "a, b", ""]);
  });

  test("E-56 a text reply precedes the ack; a simple client gets a text frame", async () => {
    for (const type of ["text/plain; charset=utf-8", "TEXT/Plain"])
      expect(await replyTo(answer(type, "ok"))).toEqual(textReply("ok"));
    const simple = await simpleAnswered(answer("text/plain; charset=utf-8", "ok"));
    simple.socket.send("x");
    expect(await simple.socket.nextText()).toBe("ok");
  });

  test("E-57 a JSON reply is JSON data; a simple client gets its source text", async () => {
    const client = await clientAnswered(answer("application/json; charset=utf-8", '{"a": 1.0}'));
    client.send(textEvent("x"));
    const frame = await client.socket.nextText();
    expect(JSON.parse(frame)).toEqual({ type: "message", from: "server", dataType: "json", data: { a: 1 } });
    expect(frame).toContain('{"a": 1.0}');
    const simple = await simpleAnswered(answer("application/json", '{"a": 1.0}'));
    simple.socket.send("x");
    expect(await simple.socket.nextText()).toBe('{"a": 1.0}');
  });

  test.each([["application/octet-stream"], [null]])("E-57 a reply of type %p is binary", async (contentType) => {
    const data = bytes(0, 255, 1);
    expect(await replyTo(answer(contentType, data))).toEqual({
      type: "message",
      from: "server",
      dataType: "binary",
      data: data.toString("base64"),
    });
    const simple = await simpleAnswered(answer(contentType, data));
    simple.socket.send("x");
    expect(await simple.socket.nextBinary()).toEqual(data);
  });

  test("E-57 a protobuf reply is protobuf data", async () => {
    const data = any.toString("base64");
    expect(await replyTo(answer("application/x-protobuf", any))).toEqual({
      type: "message",
      from: "server",
      dataType: "protobuf",
      data,
    });
    expect(await ackOf(answer("application/x-protobuf", bytes(0xff)))).toEqual(failedAck);
  });

  test("E-58 202 with a body replies as 200 does", async () => {
    expect(await replyTo({ ...textAnswer("ok"), status: 202 })).toEqual(textReply("ok"));
  });

  test.each([
    ["204", { status: 204 }],
    ["204 with text/html", { status: 204, headers: [["Content-Type", "text/html"]] }],
    ["an empty 200", {}],
    ["an empty 200 with text/html", answer("text/html", "")],
  ] satisfies [string, Answer][])("E-58 %s sends nothing", async (_, reply) => {
    const client = await clientAnswered(reply);
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    await client.nothingArrived();
    const simple = await simpleAnswered(reply);
    simple.socket.send("first");
    simple.socket.send("second");
    for (const text of ["first", "second"]) expect((await handler.hub(simple.hub).next("message")).text).toBe(text);
    await simple.nothingArrived(); // the answer to the first message is done with
  });

  test("E-59 a reply of another type is a failure", async () => {
    expect(await ackOf(answer("text/html", "<p>"))).toEqual(failedAck);
    expect(await ackOf(answer("application/json", "{"))).toEqual(failedAck);
    const simple = await simpleAnswered(answer("text/html", "<p>"));
    simple.socket.send("x");
    expect(await simple.socket.closed()).toEqual(failedClose);
  });

  test("E-60 the reply goes to the caller only", async () => {
    const caller = await clientAnswered(textAnswer("for the caller"));
    const sameUser = await connectJson(server, { hub: caller.hub, userId: "ann" });
    caller.send({ ...textEvent("x"), ackId: 1 });
    expect(await caller.next()).toEqual(textReply("for the caller"));
    expect(await caller.next()).toMatchObject({ ackId: 1, success: true });
    await sameUser.nothingArrived();
  });

  test("E-61 response metadata are delivered: lower-case keys, of each value what follows the last comma", async () => {
    const metadata: Header[] = [
      ["X-WebPubSub-Metadata-T", "a, b"],
      ["x-webpubsub-metadata-Twice", "first"],
      ["x-webpubsub-metadata-twice", "second"],
    ];
    const expected = { metadata: { t: "b", twice: "second" } };
    expect(await replyTo(answer("text/plain", "ok", metadata))).toEqual({ ...textReply("ok"), ...expected });
    expect(await replyTo(answer(null, "", metadata))).toEqual({ ...textReply(""), ...expected });
    const simple = await simpleAnswered(answer("text/plain", "ok", metadata));
    simple.socket.send("x");
    expect(await simple.socket.nextText()).toBe("ok");
  });

  test.each([
    ["400", { ...textAnswer("handler text"), status: 400 }],
    ["429", { ...textAnswer("handler text"), status: 429 }],
    ["an unsupported type", answer("text/html", "handler text")],
  ] satisfies [string, Answer][])(
    "E-62 %s: a failed ack that tells nothing, and the ackId may be used again",
    async (_, refusal) => {
      const hub = freshName("hub");
      const state = (value: string): Header => ["ce-connectionState", value];
      const events = handler.hub(hub);
      events.answer("connect", { headers: [state("kept")] });
      events.answer("x", [
        { ...refusal, headers: [...(refusal.headers ?? []), state("lost"), ["x-webpubsub-metadata-t", "lost"]] },
        {},
      ]);
      const client = await connectJson(server, { hub });
      client.send({ ...textEvent("x", "same"), ackId: 7 });
      expect(await client.next()).toEqual({ type: "ack", ackId: 7, ...failedAck });
      client.send({ ...textEvent("x", "same"), ackId: 7 });
      expect(await client.next()).toEqual({ type: "ack", ackId: 7, success: true });
      for (let time = 0; time < 2; time++) {
        const request = await events.next("x");
        expect([request.text, request.header("ce-connectionState")]).toEqual(["same", "kept"]);
      }
    },
  );

  test("E-63 without ackId a failure is silent and the connection stays", async () => {
    const client = await clientAnswered({ ...textAnswer("handler text"), status: 500 });
    client.send(textEvent("x"));
    handler.hub(client.hub).answer("y", textAnswer("next"));
    client.send(textEvent("y"));
    expect(await client.next()).toEqual(textReply("next"));
  });

  test("E-63 a simple client is closed with 1011 and a text that is not the handler's", async () => {
    const client = await simpleAnswered({ ...textAnswer("handler text"), status: 500 });
    client.socket.send("x");
    expect(await client.socket.closed()).toEqual(failedClose);
    expect((await handler.hub(client.hub).next("disconnected")).json).toEqual({ reason: failedClose.reason });
  });

  test("E-64 without a handler events fail", async () => {
    const client = await connectJson(server, { hub: silent });
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    client.send(textEvent("x"));
    await client.nothingArrived();
    const simple = await connectSimple(server, { hub: silent });
    simple.socket.send("x");
    expect(await simple.socket.closed()).toEqual({ code: 1011, reason: "No event handler is configured." });
  });

  test("E-65 an ackId that succeeded asks the handler nothing", async () => {
    const client = await clientAnswered(textAnswer("once"));
    client.send({ ...textEvent("x"), ackId: 9 });
    expect(await client.next()).toEqual(textReply("once"));
    expect(await client.next()).toEqual({ type: "ack", ackId: 9, success: true });
    client.send({ ...textEvent("x"), ackId: 9 });
    expect(await client.next()).toMatchObject({ type: "ack", ackId: 9, success: false, error: { name: "Duplicate" } });
    const events = handler.hub(client.hub);
    await events.next("x");
    expect(events.untaken).not.toContain("x");
  });

  test("E-66 events of one connection wait for each other, those of two connections do not", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const release = Promise.withResolvers<void>();
    events.answer("held", { ...textAnswer("held"), after: release.promise });
    const [ann, bob] = [await connectJson(server, { hub, userId: "ann" }), await connectJson(server, { hub })];
    ann.send(textEvent("held"));
    ann.send({ ...textEvent("behind"), ackId: 1 });
    await events.next("held");
    expect(await bob.ask(textEvent("beside"))).toEqual(successAck);
    await events.next("beside");
    expect(events.untaken).not.toContain("behind");
    release.resolve();
    expect(await ann.next()).toEqual(textReply("held"));
    expect(await ann.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect((await events.next("behind")).header("ce-userId")).toBe("ann");
  });

  test.each([408, 500, 503, 599])("E-67 %d is tried four times with the same request", async (status) => {
    const client = await clientAnswered({ status });
    expect(await client.ask(textEvent("x", "again"))).toEqual(failedAck);
    const events = handler.hub(client.hub);
    const first = await events.next("x");
    expect([first.text, first.header("ce-id")]).toEqual(["again", "2"]);
    for (let retry = 0; retry < 3; retry++) {
      const { url, headers, body } = await events.next("x");
      expect({ url, headers, body }).toEqual({ url: first.url, headers: first.headers, body: first.body });
    }
    expect(events.untaken).not.toContain("x");
  });

  test.each([400, 401, 404, 429])("E-67 %d is not tried again", async (status) => {
    const client = await clientAnswered({ status, headers: [["Retry-After", "0"]] });
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    await handler.hub(client.hub).next("x");
    expect(handler.hub(client.hub).untaken).not.toContain("x");
  });

  test("E-67 a retry that succeeds counts", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("x", [{ status: 503 }, { status: 408 }, { status: 500 }, textAnswer("fourth")]);
    const client = await connectJson(server, { hub });
    client.send({ ...textEvent("x"), ackId: 1 });
    expect(await client.next()).toEqual(textReply("fourth"));
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
  });

  test("E-69 302 is a failure and is not followed", async () => {
    const client = await clientAnswered({ status: 302, headers: [["Location", `${handler.url}/hooks/elsewhere/y`]] });
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    const events = handler.hub(client.hub);
    expect((await events.next("x")).url).toBe(`/hooks/${client.hub}/x`);
    expect(events.untaken).not.toContain("x");
  });

  test.each([307, 308])("E-69 %d to the same host is followed with body and headers", async (status) => {
    const hub = freshName("hub");
    handler
      .hub(hub)
      .answer("x", ({ url }) =>
        url.startsWith("/moved/") ? textAnswer("moved") : { status, headers: [["Location", `/moved/${hub}?to=1`]] },
      );
    const client = await connectJson(server, { hub });
    client.send(textEvent("x", "body"));
    expect(await client.next()).toEqual(textReply("moved"));
    const [first, second] = [await handler.hub(hub).next("x"), await handler.hub(hub).next("x")];
    expect([second.method, second.url, second.text]).toEqual(["POST", `/moved/${hub}?to=1`, "body"]);
    expect(second.headers).toEqual(first.headers);
  });

  test("E-69 307 to another host is a failure", async () => {
    for (const host of [other.url, other.url.replace("127.0.0.1", "localhost")]) {
      const client = await clientAnswered({ status: 307, headers: [["Location", `${host}/hooks/moved/x`]] });
      expect(await client.ask(textEvent("x"))).toEqual(failedAck);
      expect(other.hub(client.hub).untaken).toEqual([]);
    }
  });

  test("E-70 a compressed reply is decoded", async () => {
    const encoded = (encoding: string, body: Uint8Array) =>
      answer("text/plain", body, [["Content-Encoding", encoding]]);
    expect(await replyTo(encoded("gzip", gzipSync("squeezed")))).toEqual(textReply("squeezed"));
    expect(await replyTo(encoded("deflate", deflateSync("squeezed")))).toEqual(textReply("squeezed"));
    expect(await ackOf(encoded("gzip", Buffer.from("not gzip")))).toEqual(failedAck);
    expect(await ackOf(encoded("unknown", Buffer.from("x")))).toEqual(failedAck);
    const bomb = gzipSync(Buffer.alloc(maxBodyBytes + 1, "a"));
    expect(await ackOf(encoded("gzip", bomb))).toEqual(failedAck);
  });
});

describe.skipIf(isForeign)("user events against the clock", () => {
  let handler: EventHandler;
  let server: Server;
  const gone = "gone";
  let port = 0;
  beforeAll(async () => {
    handler = await startEventHandler();
    port = await freePort();
    const raw = await startRawHandler(port);
    server = await startServer({
      upstream: { retryDelaysSeconds: [1, 1, 1, 1, 1, 1] },
      limits: { eventHandler: { timeoutSeconds: 8 } },
      hubs: {
        "*": { eventHandlers: [handler.settings({ systemEvents: [] })] },
        [gone]: { eventHandlers: [{ urlTemplate: `${raw.url}/{event}`, userEventPattern: "*" }] },
      },
    });
    const client = await connectJson(server, { hub: gone });
    expect(await client.ask(textEvent("validated"))).toEqual(successAck);
    await raw.stop();
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("E-67 a refused connection is tried again", async () => {
    const client = await connectJson(server, { hub: gone });
    const from = server.output().length;
    client.send({ ...textEvent("x", "at last"), ackId: 1 });
    await server.process.written(/ECONNREFUSED/, { from }); // the first attempt failed
    const raw = await startRawHandler(port);
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect((await raw.events.take({ what: "the retried event" })).body.toString()).toBe("at last");
    await raw.stop();
  });

  test("E-67 a connection that is reset before its answer is tried again", async () => {
    const raw = await startRawHandler(port);
    let attempt = 0;
    raw.answer(() => (attempt++ === 0 ? null : wireResponse(200, [["Content-Type", "text/plain"]], "second")));
    const client = await connectJson(server, { hub: gone });
    client.send({ ...textEvent("x"), ackId: 1 });
    expect(await client.next()).toEqual(textReply("second"));
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    await raw.stop();
  });

  test("E-68 an answer that takes too long is a failure, without retry", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("hangs", { write: () => {} });
    const client = await connectJson(server, { hub });
    client.send({ ...textEvent("hangs"), ackId: 1 });
    const request = await events.next("hangs");
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, ...failedAck });
    await inTime(request.aborted, "abort of the request");
    expect(await client.ask(textEvent("next"))).toEqual(successAck);
    await events.next("next");
    expect(events.untaken).toEqual([]);
  });
});
