import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { type Answer, type EventHandler, type ReceivedRequest, startEventHandler } from "../support/event-handler.ts";
import { failedAck, successAck, textEvent, tryToConnect } from "../support/events.ts";
import type { Header } from "../support/http-response.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const allowed = (...values: string[]): Answer => ({
  headers: values.map((value): Header => ["WebHook-Allowed-Origin", value]),
});

describe.skipIf(isForeign)("abuse protection", () => {
  let handler: EventHandler;
  let server: Server;
  /** Its handler receives everything but `connect`, so clients get in without validation. */
  let open: Server;
  const answers = new Map<string, (request: ReceivedRequest) => Answer>();

  beforeAll(async () => {
    handler = await startEventHandler();
    handler.answerValidation((request) => (answers.get(hubOf(request)) ?? (() => allowed("*")))(request));
    const withAuth = { ...handler.settings(), auth: { type: "Bearer", token: "token-of-the-handler" } };
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: { "*": { eventHandlers: [withAuth] } },
    });
    const path = "/hooks/{hub}/{event}?code=secret-code";
    open = await startServer({
      upstream: { retryDelaysSeconds: [] },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: ["connected"], path })] } },
    });
    await server.reconfigure({
      service: { publicEndpoints: ["http://pubsub.example.com:8080"] },
      auth: { audience: { validateHost: false } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await open.stop();
    await handler.stop();
  });

  const hubOf = ({ url }: ReceivedRequest): string => /^\/hooks\/([^/]+)\/validate/.exec(url)?.[1] ?? "";

  /** A hub whose validation is answered so; its handler receives everything. */
  function hubAnswering(answer: (request: ReceivedRequest) => Answer): string {
    const hub = freshName("hub");
    answers.set(hub, answer);
    return hub;
  }

  /** Answers in turn; the last one repeats. */
  function inTurn(...turns: Answer[]): () => Answer {
    let turn = 0;
    return () => turns[Math.min(turn++, turns.length - 1)] ?? {};
  }

  const validation = async (hub: string): Promise<ReceivedRequest> =>
    await handler.validations.take({ what: `validation of ${hub}`, where: (request) => hubOf(request) === hub });
  /** Methods of the validation requests of this hub that were not looked at. */
  const untakenValidations = (hub: string): readonly string[] =>
    handler.validations.untaken.filter((request) => hubOf(request) === hub).map(({ method }) => method);
  const statusOf = async (hub: string): Promise<number> => (await tryToConnect(server, { hub })).status;

  test("E-13 before the first event OPTIONS asks with origin and version and nothing else", async () => {
    const hub = hubAnswering(() => ({
      headers: [
        ["WebHook-Allowed-Origin", "*"],
        ["Set-Cookie", "validated=1; Path=/"],
      ],
    }));
    expect(await statusOf(hub)).toBe(101);
    const request = await validation(hub);
    expect([request.method, request.url]).toEqual(["OPTIONS", `/hooks/${hub}/validate`]);
    expect(request.header("WebHook-Request-Origin")).toBe("pubsub.example.com");
    expect(request.header("ce-awpsversion")).toBe("1.0");
    expect(request.body).toHaveLength(0);
    const unsent = /^(?:ce-(?!awpsversion)|x-ms-|authorization$|cookie$|content-type$|transfer-encoding$|expect$)/i;
    expect(request.headers.filter(([name]) => unsent.test(name))).toEqual([]);
    expect(request.header("content-length") ?? "0").toBe("0");
    const event = await handler.hub(hub).next("connect");
    expect(event.header("authorization")).toBe("Bearer token-of-the-handler");
    expect(event.header("cookie")).toBeNull(); // E-32
  });

  test.each([
    ["*", allowed("*")],
    ["the host", allowed("pubsub.example.com")],
    ["the host in another case", allowed("PubSub.EXAMPLE.com")],
    ["host and port of the public endpoint", allowed("pubsub.example.com:8080")],
    ["the host in a list", allowed("other.test, pubsub.example.com")],
    ["any 2xx", { ...allowed("*"), status: 204 }],
  ] satisfies [string, Answer][])("E-14 %s is accepted", async (_, answer) => {
    const hub = hubAnswering(() => answer);
    expect(await statusOf(hub)).toBe(101);
    await handler.hub(hub).next("connect");
  });

  test.each([
    ["no header", {}],
    ["an empty header", allowed("")],
    ["another host", allowed("other.test")],
    ["a host that only ends alike", allowed("evil-pubsub.example.com")],
    ["405", { ...allowed("*"), status: 405 }],
    ["403", { ...allowed("*"), status: 403 }],
    [
      "a redirect",
      { headers: [...(allowed("*").headers ?? []), ["Location", "/hooks/elsewhere/validate"]], status: 307 },
    ],
  ] satisfies [string, Answer][])("E-14 %s: the event is not sent", async (_, answer) => {
    const hub = hubAnswering(() => answer);
    expect(await statusOf(hub)).toBe(500);
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("E-15 404 to OPTIONS lets GET decide, with the same headers", async () => {
    const hub = hubAnswering(({ method }) => (method === "GET" ? allowed("*") : { status: 404 }));
    expect(await statusOf(hub)).toBe(101);
    const [options, get] = [await validation(hub), await validation(hub)];
    expect([options.method, get.method, get.url]).toEqual(["OPTIONS", "GET", options.url]);
    expect(get.headers).toEqual(options.headers);

    const refused = hubAnswering(({ method }) => (method === "GET" ? { status: 200 } : { status: 404 }));
    expect(await statusOf(refused)).toBe(500);
    expect(handler.hub(refused).untaken).toEqual([]);
  });

  test("E-15 405 to OPTIONS asks for nothing more", async () => {
    const hub = hubAnswering(({ method }) => (method === "GET" ? allowed("*") : { status: 405 }));
    expect(await statusOf(hub)).toBe(500);
    expect(untakenValidations(hub)).toEqual(["OPTIONS"]);
  });

  test("E-16 of two allowed-origin lines one has to match", async () => {
    const hub = hubAnswering(() => allowed("other.test", "pubsub.example.com"));
    expect(await statusOf(hub)).toBe(101);
    expect(await statusOf(hubAnswering(() => allowed("other.test", "third.test")))).toBe(500);
  });

  test("E-17 E-18 eight first events share one OPTIONS, and later ones need none", async () => {
    const release = Promise.withResolvers<void>();
    const hub = hubAnswering(() => ({ ...allowed("*"), after: release.promise }));
    const handshakes = Array.from({ length: 8 }, () => statusOf(hub));
    await validation(hub);
    // A request that came after the handshakes is answered, so these are being waited for.
    await server.rest({ method: "HEAD", path: "/api/health", token: null });
    expect(handler.hub(hub).untaken).toEqual([]);
    release.resolve();
    expect(await Promise.all(handshakes)).toEqual(Array.from({ length: 8 }, () => 101));
    for (let count = 0; count < 8; count++) await handler.hub(hub).next("connect");
    expect(await statusOf(hub)).toBe(101);
    const client = await connectJson(server, { hub });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    expect(untakenValidations(hub)).toEqual([]);
  });

  test("E-19 after a failure the next event is refused at once, without another OPTIONS", async () => {
    const release = Promise.withResolvers<void>();
    const hub = hubAnswering(() => ({ status: 403, after: release.promise }));
    const client = await connectJson(open, { hub }); // `connected` asks for the validation, and the events share it
    // Both are there when it fails: the second is looked at as soon as the first has failed, not after the back-off.
    client.send({ ...textEvent("first"), ackId: 1 });
    client.send({ ...textEvent("second"), ackId: 2 });
    client.socket.ping();
    await client.socket.pongs.take({ what: "pong" });
    release.resolve();
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, ...failedAck });
    expect(await client.next()).toEqual({ type: "ack", ackId: 2, ...failedAck });
    expect(untakenValidations(hub)).toEqual(["OPTIONS"]);
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("E-20 OPTIONS without an answer fails the connect after ten seconds, without retry", async () => {
    const hub = hubAnswering(() => ({ write: () => {} }));
    expect(await statusOf(hub)).toBe(500);
    expect(untakenValidations(hub)).toEqual(["OPTIONS"]);
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("E-21 OPTIONS answered 503 is asked again", async () => {
    const hub = hubAnswering(inTurn({ status: 503 }, allowed("*")));
    expect(await statusOf(hub)).toBe(101);
    expect(untakenValidations(hub)).toEqual(["OPTIONS", "OPTIONS"]);
  });

  test("E-22 without validation connect is answered 500, a JSON event acked as failed, a simple client closed with 1011", async () => {
    const hub = hubAnswering(() => allowed("other.test"));
    const refused = await tryToConnect(server, { hub });
    expect([refused.status, refused.text]).toEqual([500, ""]);

    const simple = await connectSimple(open, { hub });
    simple.socket.send("x");
    expect(await simple.socket.closed()).toEqual({ code: 1011, reason: "The event handler failed." });
    const json = await connectJson(open, { hub });
    expect(await json.ask(textEvent("x"))).toEqual(failedAck);
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("E-22 without validation connected is only logged", async () => {
    const hub = hubAnswering(() => ({ status: 403 }));
    const from = open.output().length;
    const client = await connectJson(open, { hub });
    await open.process.written(/AbuseProtectionResponseInvalidStatusCode/, { from });
    await client.nothingArrived();
    expect(handler.hub(hub).untaken).toEqual([]);
    expect(open.output()).not.toContain("secret-code");
  });
});
