import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, type ReceivedRequest, startEventHandler } from "../support/event-handler.ts";
import { eventSignature, failedAck, successAck, textEvent, tryToConnect } from "../support/events.ts";
import { valuesOf } from "../support/http-response.ts";
import { freshName } from "../support/names.ts";
import { type RawHandler, startRawHandler, type WireRequest, wireResponse } from "../support/raw-handler.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { openWebSocket } from "../support/web-socket.ts";

/** The keys and the signature that event-handlers 4.4 gives for connection id `0f4c1d2e`. */
const primary = "primary-key-0123456789abcdef0123456789";
const secondary = "secondary-key-0123456789abcdef01234567";
const vector =
  "sha256=b8fa114f75e9dc54acfd85e562864c9e352ae2945da28a97d95ca513da5c7ba1,sha256=c94bf168e72c27e5157b1c23a76ecee37c3d17dc6d04d6c1e09a656704677dbe";

describe.skipIf(isForeign)("the event request", () => {
  let handler: EventHandler;
  let raw: RawHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    raw = await startRawHandler();
    const everything = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };
    server = await startServer({
      service: { keys: { primary, secondary } },
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: {
        "*": { eventHandlers: [handler.settings()] },
        raw: { eventHandlers: [{ urlTemplate: `${raw.url}/hooks/{hub}/{event}`, ...everything }] },
        unconnected: { eventHandlers: [handler.settings({ systemEvents: ["disconnected"] })] },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
    await raw.stop();
  });

  /** One client's life with one user event: connect, connected, `x`, disconnected in the order of their ids. */
  async function lifeOf(hub: string, userId: string | null = null): Promise<readonly ReceivedRequest[]> {
    const client = await connectJson(server, { hub, userId });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    client.socket.close();
    const requests: ReceivedRequest[] = [];
    for (const event of ["connect", "connected", "x", "disconnected"])
      requests.push(await handler.hub(hub).next(event));
    return requests;
  }

  /** An event of one connection at the raw handler. */
  const rawEvent = async (connectionId: string, event: string): Promise<WireRequest> =>
    await raw.events.take({
      what: `${event} of ${connectionId}`,
      where: ({ headers }) =>
        valuesOf(headers, "ce-connectionId")[0] === connectionId && valuesOf(headers, "ce-eventName")[0] === event,
    });

  test("E-23 every POST has the headers of the table, spelled exactly so, each once", async () => {
    const client = await connectJson(server, { hub: "raw" });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    client.socket.close();
    const always = [
      "WebHook-Request-Origin",
      "Content-Type",
      "ce-specversion",
      "ce-awpsversion",
      "ce-type",
      "ce-source",
      "ce-id",
      "ce-time",
      "ce-signature",
      "ce-connectionId",
      "ce-hub",
      "ce-eventName",
      "x-ms-client-request-id",
      "Content-Length",
    ];
    for (const event of ["connect", "connected", "x", "disconnected"]) {
      const request = await rawEvent(client.connectionId, event);
      const names = request.headers.map(([name]) => name);
      for (const name of always) expect(names).toContain(name);
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
      for (const unsent of ["transfer-encoding", "accept-encoding", "expect"])
        expect(valuesOf(request.headers, unsent)).toEqual([]);
      const value = (name: string) => valuesOf(request.headers, name)[0];
      const kind = event === "x" ? "user" : "sys";
      expect([request.method, request.url]).toEqual(["POST", `/hooks/raw/${event}`]);
      expect(Number(value("content-length"))).toBe(request.body.length);
      expect({
        origin: value("webhook-request-origin"),
        specversion: value("ce-specversion"),
        awpsversion: value("ce-awpsversion"),
        type: value("ce-type"),
        source: value("ce-source"),
        hub: value("ce-hub"),
      }).toEqual({
        origin: "127.0.0.1",
        specversion: "1.0",
        awpsversion: "1.0",
        type: `azure.webpubsub.${kind}.${event}`,
        source: `/hubs/raw/client/${client.connectionId}`,
        hub: "raw",
      });
      const isSystem = kind === "sys";
      if (isSystem) expect(value("content-type")).toMatch(/^application\/json(?:; ?charset=utf-8)?$/);
    }
    // Headers that are not always there are spelled so too.
    raw.answer(({ headers }) =>
      valuesOf(headers, "ce-eventName")[0] === "connect"
        ? wireResponse(200, [
            ["ce-connectionState", "s"],
            ["Set-Cookie", "c=1"],
          ])
        : wireResponse(200, []),
    );
    const other = await connectJson(server, { hub: "raw", userId: "ann" });
    const connected = await rawEvent(other.connectionId, "connected");
    const names = connected.headers.map(([name]) => name);
    for (const name of ["ce-userId", "ce-subprotocol", "ce-connectionState", "Cookie"]) expect(names).toContain(name);
  });

  test("E-23 an event without data has Content-Length: 0", async () => {
    const client = await connectSimple(server, { hub: "raw", userId: "empty-message" });
    client.socket.send("");
    const request = await raw.events.take({
      what: "empty message",
      where: ({ headers }) =>
        valuesOf(headers, "ce-userId")[0] === "empty-message" && valuesOf(headers, "ce-eventName")[0] === "message",
    });
    expect(valuesOf(request.headers, "content-length")).toEqual(["0"]);
    expect(valuesOf(request.headers, "transfer-encoding")).toEqual([]);
  });

  test("E-24 E-25 the signature is that of both keys, the same on all events", async () => {
    expect(eventSignature("0f4c1d2e", [primary, secondary])).toBe(vector);
    const requests = await lifeOf(freshName("hub"));
    for (const request of requests) {
      const expected = eventSignature(request.header("ce-connectionId") ?? "", [primary, secondary]);
      expect(request.header("ce-signature")).toBe(expected);
    }
    expect(new Set(requests.map((request) => request.header("ce-signature"))).size).toBe(1);
  });

  test("E-26 ids count connect 0, connected 1, then user events, disconnected last", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    expect(await client.ask(textEvent("y"))).toEqual(successAck);
    client.socket.close();
    for (const [event, id] of [
      ["connect", "0"],
      ["connected", "1"],
      ["x", "2"],
      ["y", "3"],
      ["disconnected", "4"],
    ]) {
      expect([event, (await handler.hub(hub).next(event)).header("ce-id")]).toEqual([event, id ?? ""]);
    }
  });

  test("E-26 ids are the same where connect and connected have no handler", async () => {
    const client = await connectJson(server, { hub: "unconnected" });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    client.socket.close();
    expect((await handler.hub("unconnected").next("x")).header("ce-id")).toBe("2");
    expect((await handler.hub("unconnected").next("disconnected")).header("ce-id")).toBe("3");
    expect(handler.hub("unconnected").untaken).toEqual([]);
  });

  test("E-27 ce-time is UTC without fraction", async () => {
    for (const request of await lifeOf(freshName("hub"))) {
      const time = request.header("ce-time") ?? "";
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(120_000);
    }
  });

  test("E-28 a user id beyond ASCII arrives as UTF-8 bytes, also beside a body beyond ASCII", async () => {
    const client = await connectJson(server, { hub: "raw", userId: "用户é" });
    expect(await client.ask(textEvent("x", "数据"))).toEqual(successAck);
    for (const event of ["connect", "connected", "x"]) {
      const request = await rawEvent(client.connectionId, event);
      const [value = ""] = valuesOf(request.headers, "ce-userId");
      expect(Buffer.from(value, "latin1").toString("utf8")).toBe("用户é");
      if (event === "x") expect(request.body.toString("utf8")).toBe("数据");
    }
  });

  test("E-28 without user id there is no ce-userId", async () => {
    for (const request of await lifeOf(freshName("hub"))) expect(request.values("ce-userId")).toEqual([]);
  });

  test("E-29 a state beyond ASCII fails that event or the next one, without retry", async () => {
    const client = await connectJson(server, { hub: "raw" });
    raw.answer(() => wireResponse(200, [["ce-connectionState", "gr\u00fcn"]]));
    const first = await client.ask(textEvent("set"));
    raw.answer(() => wireResponse(200, []));
    const second = await client.ask(textEvent("after"));
    expect([first["success"], second["success"]]).toContain(false);
    for (const event of ["connect", "connected", "set"]) await rawEvent(client.connectionId, event);
    const later = raw.events.untaken.filter(
      ({ headers }) => valuesOf(headers, "ce-connectionId")[0] === client.connectionId,
    );
    expect(later.map(({ headers }) => valuesOf(headers, "ce-eventName")[0])).toEqual(
      second["success"] === true ? ["after"] : [],
    );
    for (const { headers } of later) expect(valuesOf(headers, "ce-connectionState").join("")).toMatch(/^[\x20-\x7e]*$/);
  });

  test("E-30 the request id is a GUID of the event, the same on every retry", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("x", [{ status: 503 }, { status: 503 }, {}]);
    const client = await connectJson(server, { hub });
    for (let time = 0; time < 2; time++) expect(await client.ask(textEvent("x"))).toEqual(successAck);
    const idOf = async (event: string) => (await events.next(event)).header("x-ms-client-request-id");
    const ids = [await idOf("connect"), await idOf("connected"), await idOf("x")];
    for (let time = 0; time < 2; time++) expect(await idOf("x")).toBe(ids[2] ?? "");
    ids.push(await idOf("x"));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
    expect(new Set(ids).size).toBe(4);
  });

  test("E-31 the sub-protocol is absent on connect and present from then on", async () => {
    const [connect, ...later] = await lifeOf(freshName("hub"));
    expect(connect?.header("ce-subprotocol")).toBeNull();
    for (const request of later) expect(request.header("ce-subprotocol")).toBe("json.webpubsub.azure.v1");

    const hub = freshName("hub");
    const simple = await connectSimple(server, { hub });
    simple.socket.send("x");
    for (const event of ["connect", "connected", "message"])
      expect((await handler.hub(hub).next(event)).header("ce-subprotocol")).toBeNull();
  });

  test("E-32 cookies of 2xx answers come back on later events of that connection only", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("connect", ({ headers }) => ({
      headers: [
        ["Set-Cookie", `route=${headers.some(([name]) => name === "ce-userId") ? "a" : "b"}; Path=/; HttpOnly`],
        ["Set-Cookie", "elsewhere=1; Path=/other"],
      ],
    }));
    events.answer("x", [
      { status: 503, headers: [["Set-Cookie", "failed=1"]] },
      { status: 202, headers: [["Set-Cookie", "second=2; Path=/hooks"]] },
      { headers: [["Set-Cookie", "route=; Path=/; Max-Age=0"]] },
      {},
    ]);
    events.answer("refused", { status: 400, headers: [["Set-Cookie", "refused=1; Path=/"]] });
    const ann = await connectJson(server, { hub, userId: "ann" });
    expect(await ann.ask(textEvent("refused"))).toEqual(failedAck);
    const nobody = await connectJson(server, { hub });
    for (let time = 0; time < 3; time++) expect(await ann.ask(textEvent("x"))).toEqual(successAck);
    expect(await nobody.ask(textEvent("x"))).toEqual(successAck);
    const cookies = async (event: string) => (await events.next(event)).header("cookie")?.split("; ").toSorted() ?? [];
    expect([await cookies("connect"), await cookies("connect")]).toEqual([[], []]);
    const connected = [...(await cookies("connected")), ...(await cookies("connected"))];
    expect(connected.toSorted()).toEqual(["route=a", "route=b"]);
    expect(await cookies("x")).toEqual(["route=a"]);
    expect(await cookies("x")).toEqual(["route=a"]); // the retry
    expect(await cookies("x")).toEqual(["route=a", "second=2"]);
    expect(await cookies("x")).toEqual(["second=2"]);
    expect(await cookies("x")).toEqual(["route=b"]);
  });

  test("E-33 headers and token of the client are never sent as headers", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    const socket = await openWebSocket(server.endpoint, {
      path: clientPath(server, { hub, token: null }),
      headers: [
        ["Authorization", `Bearer ${token}`],
        ["X-Custom", "custom-value"],
        ["Cookie", "own=own-value"],
        ["ce-connectionState", "forged-state"],
        ["ce-userId", "forged-user"],
        ["x-webpubsub-metadata-t", "forged-metadata"],
        ["WebHook-Request-Origin", "forged.test"],
      ],
    });
    socket.send("x");
    const message = await handler.hub(hub).next("message");
    socket.close();
    const requests = [message];
    for (const event of ["connect", "connected", "disconnected"]) requests.push(await handler.hub(hub).next(event));
    for (const { headers } of requests) {
      const text = headers.map((header) => header.join(": ")).join("\n");
      expect(text).not.toMatch(/custom|own-value|forged|authorization|cookie/i);
      expect(text).not.toContain(token);
    }
  });

  test("E-33 a token in the query is not sent either", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    const path = `${clientPath(server, { hub, token })}&kept=1`;
    const referer = `http://page.test/?access_token=${token}`;
    await openWebSocket(server.endpoint, { path, headers: [["Referer", referer]] });
    for (const event of ["connect", "connected"]) {
      const request = await handler.hub(hub).next(event);
      expect(`${JSON.stringify(request.headers)}${request.url}${request.text}`).not.toContain(token);
    }
  });
});

describe.skipIf(isForeign)("the event request of a server with one key", () => {
  let handler: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      service: { keys: { primary, secondary: undefined } },
      upstream: { retryDelaysSeconds: [] },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("E-24 E-25 one key makes one element, and after a rotation later events use the new key", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const signatureOf = async (event: string) => (await handler.hub(hub).next(event)).header("ce-signature");
    for (const event of ["connect", "connected"])
      expect(await signatureOf(event)).toBe(eventSignature(client.connectionId, [primary]));
    const rotated = "rotated-key-0123456789abcdef0123456789";
    await server.reconfigure({ service: { keys: { primary: rotated } } });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    expect(await signatureOf("x")).toBe(eventSignature(client.connectionId, [rotated]));
    handler.hub(hub).answer("x", { status: 500 });
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    expect((await tryToConnect(server, { hub })).status).toBe(401); // signed with the old key
  });
});
