import { afterEach, expect, test } from "bun:test";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { selfSigned } from "../../tests/support/certificate.ts";
import { type EventHandler, type ReceivedRequest, startEventHandler } from "../../tests/support/event-handler.ts";
import {
  createHarness,
  emptyConnect,
  eventName,
  groupName,
  handlerAt,
  neverAborted,
  retryDelaysMs,
  type UpstreamHarness,
} from "../../tests/support/upstream-harness.ts";
import type { Payload } from "../core/payload.ts";

const text = (value: string): Payload => ({ kind: "text", text: value });
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

type Settings = Partial<Parameters<typeof createHarness>[0]>;

/** A recording handler and an upstream whose hubs all send everything to it. */
async function setUp(
  settings: Settings = {},
): Promise<UpstreamHarness & { readonly app: EventHandler; readonly template: string }> {
  const app = await startEventHandler();
  const template = `${app.url}/hooks/{hub}/{event}`;
  const harness = createHarness({ handlers: [handlerAt(template)], ...settings });
  cleanups.push(async () => {
    const closed = harness.upstream.close(0);
    harness.time.advance(0);
    await closed;
    await app.stop();
  });
  return Object.assign(harness, { app, template });
}

const names = (request: ReceivedRequest) => request.headers.map(([name]) => name);

test("E-23 E-24 E-27 an event carries the headers of the specification, each once, with exact casing", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  await send(ann, { kind: "json", source: '{"a": 1.0}' }, { metadata: [["Trace", "v"]] });
  const request = await app.hub(ann.hub).next();
  expect(names(request).toSorted()).toEqual(
    [
      "Connection",
      "Content-Length",
      "Content-Type",
      "Host",
      "User-Agent",
      "WebHook-Request-Origin",
      "ce-awpsversion",
      "ce-connectionId",
      "ce-eventName",
      "ce-hub",
      "ce-id",
      "ce-signature",
      "ce-source",
      "ce-specversion",
      "ce-subprotocol",
      "ce-time",
      "ce-type",
      "ce-userId",
      "x-ms-client-request-id",
      "x-webpubsub-metadata-trace",
    ].toSorted(),
  );
  expect(Object.fromEntries(request.headers)).toMatchObject({
    "WebHook-Request-Origin": "dialled.example.com",
    "Content-Type": "application/json",
    "Content-Length": "10",
    "ce-type": "azure.webpubsub.user.chat",
    "ce-source": `/hubs/${ann.hub}/client/${ann.id}`,
    "ce-id": "1",
    "ce-time": "2026-01-02T03:04:05Z",
    "ce-signature": `sha256=${ann.id}`,
    "ce-userId": "ann",
    "ce-subprotocol": "json.webpubsub.azure.v1",
    "User-Agent": "tidewire/9.9.9",
    "x-webpubsub-metadata-trace": "v",
  });
  expect([request.url, request.text]).toEqual([`/hooks/${ann.hub}/chat`, '{"a": 1.0}']);
});

test("E-13 the first event is preceded by OPTIONS without signature, Authorization, Cookie and body", async () => {
  const { app, source, send } = await setUp({ publicHosts: ["pubsub.example.com:8443"] });
  const ann = source();
  await send(ann, text("x"));
  const validation = await app.validations.take({ what: "validation" });
  expect([validation.method, validation.url]).toEqual(["OPTIONS", `/hooks/${ann.hub}/validate`]);
  expect(names(validation).toSorted()).toEqual(["Connection", "Host", "WebHook-Request-Origin", "ce-awpsversion"]);
  expect(validation.header("WebHook-Request-Origin")).toBe("pubsub.example.com");
});

test("E-13 configured origins replace the host", async () => {
  const { app, source, send } = await setUp({ origins: ["a.example", "b.example"], publicHosts: ["c.example"] });
  const ann = source();
  await send(ann, text("x"));
  expect((await app.hub(ann.hub).next()).header("WebHook-Request-Origin")).toBe("a.example,b.example");
});

test("E-17 no event is sent before the answer to OPTIONS", async () => {
  const { app, source, send } = await setUp();
  const gate = Promise.withResolvers<void>();
  app.answerValidation({ headers: [["WebHook-Allowed-Origin", "*"]], after: gate.promise });
  const hub = "concurrent";
  const outcomes = Array.from({ length: 8 }, () => send(source({ hub }), text("x")));
  await app.validations.take({ what: "validation" });
  expect(app.hub(hub).untaken).toEqual([]);
  gate.resolve();
  expect((await Promise.all(outcomes)).every(({ kind }) => kind === "handled")).toBe(true);
  expect([app.hub(hub).untaken.length, app.validations.untaken.length]).toEqual([8, 0]);
});

test("E-20 E-22 a hanging or refusing validation fails blocking events and drops notifications", async () => {
  const { app, time, source, send, upstream, logs, dropped } = await setUp();
  app.answerValidation({ after: new Promise(() => undefined) });
  const ann = source();
  const outcome = upstream.connect(ann, emptyConnect, neverAborted);
  await app.validations.take({ what: "validation" });
  await time.elapse(10_000);
  expect(await outcome).toEqual({ kind: "refused", status: 500, body: "" });
  expect(await send(ann, text("x"))).toEqual({ kind: "failed" });
  upstream.connected(ann);
  upstream.disconnected(ann, "");
  await upstream.close(0);
  expect(dropped).toEqual([
    { event: "connected", isNews: false },
    { event: "disconnected", isNews: false },
  ]);
  expect(app.hub(ann.hub).untaken).toEqual([]);
  expect(logs.map(({ event }) => event)).toContain("AbuseProtectionRequestFailed");
});

test("E-21 a validation that fails with 503 is retried", async () => {
  const { app, time, source, send } = await setUp();
  app.answerValidation([{ status: 503 }, { headers: [["WebHook-Allowed-Origin", "*"]] }]);
  const outcome = send(source(), text("x"));
  await time.elapse(retryDelaysMs[0] ?? 0);
  expect((await outcome).kind).toBe("handled");
});

test("E-25 the signature is made once per connection until the keys change", async () => {
  const world = await setUp();
  const { app, source, send } = world;
  let made = 0;
  world.signer = (id) => `sha256=${id}-${++made}`;
  const ann = source();
  await send(ann, text("1"));
  await send(ann, text("2"));
  world.signer = () => null;
  await send(ann, text("3"));
  const signatures: (string | null)[] = [];
  for (let index = 0; index < 3; index++) signatures.push((await app.hub(ann.hub).next()).header("ce-signature"));
  expect(signatures).toEqual([`sha256=${ann.id}-1`, `sha256=${ann.id}-1`, null]);
});

test("E-26 ids count in dispatch order, whether or not somebody listens", async () => {
  const { app, source, send, upstream, template } = await setUp();
  const run = async (hub: string) => {
    const ann = source({ hub });
    await upstream.connect(ann, emptyConnect, neverAborted);
    upstream.connected(ann);
    await send(ann, text("x"));
    upstream.disconnected(ann, "bye");
    const ids: Record<string, string | null> = {};
    for (const event of ["connect", "chat", "disconnected"])
      ids[event] = (await app.hub(hub).next(event)).header("ce-id");
    return ids;
  };
  const expected = { connect: "0", chat: "2", disconnected: "3" };
  expect(await run("allevents")).toEqual(expected);
  const hub = { eventHandlers: [handlerAt(template, { systemEvents: ["connect", "disconnected"] })] };
  upstream.reload({ ...createHarness({ handlers: [] }).settings, hub: () => hub });
  expect(await run("noconnected")).toEqual(expected);
});

test.each<Payload>([text("é"), { kind: "binary", bytes: Buffer.from("é") }, text("plain")])(
  "E-28 a user id goes out as UTF-8 bytes, whatever the body (%#)",
  async (payload) => {
    const { app, source, send } = await setUp();
    const user = source({ userId: "用户" });
    await send(user, payload);
    const request = await app.hub(user.hub).next();
    expect(Buffer.from(request.header("ce-userId") ?? "", "latin1").toString("utf8")).toBe("用户");
    expect(request.text).toBe(payload.kind === "text" ? payload.text : "é");
    expect(request.header("Content-Length")).toBe(String(request.body.length));
  },
);

test("E-28 E-31 no user, no header; subprotocol only where one was negotiated", async () => {
  const { app, source, send, upstream } = await setUp();
  const nobody = source({ userId: "", subprotocol: null });
  await upstream.connect(nobody, emptyConnect, neverAborted);
  const connect = await app.hub(nobody.hub).next();
  expect([connect.header("ce-userId"), connect.header("ce-subprotocol")]).toEqual([null, null]);
  nobody.subprotocol = "custom";
  nobody.userId = source({ userId: "set by connect" }).userId;
  await send(nobody, text(""));
  const event = await app.hub(nobody.hub).next();
  expect([event.header("ce-userId"), event.header("ce-subprotocol"), event.header("Content-Length")]).toEqual([
    "set by connect",
    "custom",
    "0",
  ]);
});

test("E-29 a state that could not be sent again makes the response a failure", async () => {
  const { app, source, send, reports } = await setUp();
  const ann = source();
  app
    .hub(ann.hub)
    .answer("chat", [
      { headers: [["ce-connectionState", "good"]] },
      { headers: [["ce-connectionState", "\u00e9"]] },
      { headers: [["ce-connectionState", "x".repeat(8193)]] },
      {},
    ]);
  expect((await send(ann, text("1"))).kind).toBe("handled");
  expect((await send(ann, text("2"))).kind).toBe("failed");
  expect((await send(ann, text("3"))).kind).toBe("failed");
  expect((await send(ann, text("4"))).kind).toBe("handled");
  const states: (string | null)[] = [];
  for (let index = 0; index < 4; index++) states.push((await app.hub(ann.hub).next()).header("ce-connectionState"));
  expect(states).toEqual([null, "good", "good", "good"]);
  expect(reports.map(({ outcome }) => outcome)).toEqual([
    "succeeded",
    "invalidResponse",
    "invalidResponse",
    "succeeded",
  ]);
});

test("E-29 a header that cannot be sent fails the event without a request", async () => {
  const { app, source, send, reports, logs } = await setUp();
  const evil = source({ userId: "a\r\nX-Evil: 1" });
  expect(await send(evil, text("x"))).toEqual({ kind: "failed" });
  expect(await send(source({ userId: "é\r\nX-Evil: 1" }), text("x"))).toEqual({ kind: "failed" });
  const ann = source();
  expect(await send(ann, text("x"), { metadata: [["k", "a\r\nX-Evil: 1"]] })).toEqual({ kind: "failed" });
  expect([app.hub(evil.hub).untaken, app.hub(ann.hub).untaken, reports]).toEqual([[], [], []]);
  expect(logs.map(({ event }) => event)).toEqual(["EventNotSent", "EventNotSent", "EventNotSent"]);
});

test("E-30 E-67 retries repeat id, request id and body; another event has another request id", async () => {
  const { app, time, source, send, reports } = await setUp();
  const ann = source();
  app.hub(ann.hub).answer("chat", [{ status: 503 }, {}]);
  const outcome = send(ann, text("x"));
  await time.elapse(retryDelaysMs[0] ?? 0);
  expect((await outcome).kind).toBe("handled");
  await send(ann, text("y"));
  const hub = app.hub(ann.hub);
  const requests = [await hub.next(), await hub.next(), await hub.next()];
  const requestIds = requests.map((request) => request.header("x-ms-client-request-id") ?? "");
  expect(requestIds[0]).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(requestIds[1]).toBe(requestIds[0] ?? "");
  expect(requestIds[2]).not.toBe(requestIds[0] ?? "");
  expect(requests.map((request) => [request.header("ce-id"), request.text])).toEqual([
    ["1", "x"],
    ["1", "x"],
    ["2", "y"],
  ]);
  expect(reports.map(({ outcome: result, status, url }) => [result, status, url])).toEqual([
    ["unexpectedStatus", 503, `${app.url}/hooks/${ann.hub}/chat`],
    ["succeeded", 200, `${app.url}/hooks/${ann.hub}/chat`],
    ["succeeded", 200, `${app.url}/hooks/${ann.hub}/chat`],
  ]);
});

test("E-32 cookies of 2xx event responses come back on the same connection only", async () => {
  const { app, time, source, send, upstream } = await setUp();
  app.answerValidation({
    headers: [
      ["WebHook-Allowed-Origin", "*"],
      ["Set-Cookie", "fromOptions=1"],
    ],
  });
  const [ann, bob] = [source({ hub: "cookies" }), source({ hub: "cookies" })];
  const hub = app.hub("cookies");
  hub.answer("connect", {
    headers: [
      ["Set-Cookie", "affinity=a; Path=/; HttpOnly"],
      ["Set-Cookie", "second=b"],
      ["Set-Cookie", "secure=c; Secure; Path=/elsewhere"],
      ["Set-Cookie", "foreign=d; Domain=example.org"],
      ["Set-Cookie", "bad\u00e9=e"],
    ],
  });
  hub.answer("chat", [
    { status: 503, headers: [["Set-Cookie", "failed=1; Path=/"]] },
    { status: 400, headers: [["Set-Cookie", "refused=1; Path=/"]] },
    {},
  ]);
  await upstream.connect(ann, emptyConnect, neverAborted);
  const outcome = send(ann, text("x"));
  await time.elapse(retryDelaysMs[0] ?? 0);
  await outcome;
  await send(ann, text("y"));
  await send(bob, text("z"));
  const cookies: (string | null)[] = [];
  for (const event of ["connect", "chat", "chat", "chat", "chat"])
    cookies.push((await hub.next(event)).header("Cookie"));
  const jar = "second=b; affinity=a";
  expect(cookies).toEqual([null, jar, jar, jar, null]);
});

test("E-33 E-36 E-42 connect: body and headers of the event, accepted, refused and unreachable", async () => {
  const { app, time, source, upstream, reports } = await setUp();
  const ann = source({ subprotocol: null });
  const event = { ...emptyConnect, claims: { sub: ["ann"] }, headers: { Authorized: ["x"] }, subprotocols: ["p"] };
  expect(await upstream.connect(ann, event, neverAborted)).toMatchObject({ kind: "accepted", userId: undefined });
  const request = await app.hub(ann.hub).next("connect");
  expect(request.json).toEqual(event);
  expect([request.header("ce-type"), request.header("ce-id"), request.header("Content-Type")]).toEqual([
    "azure.webpubsub.sys.connect",
    "0",
    "application/json; charset=utf-8",
  ]);
  expect(names(request)).not.toContain("Authorized"); // E-33
  expect(request.header("ce-connectionState")).toBeNull();

  const hub = app.hub(ann.hub);
  hub.answer("connect", { body: '{"userId":"x","groups":["g"]}', headers: [["Content-Type", "text/plain"]] });
  expect(await upstream.connect(source({ hub: ann.hub }), emptyConnect, neverAborted)).toMatchObject({
    userId: "x",
    groups: ["g"] as never,
  });
  hub.answer("connect", { body: "not json" });
  expect(await upstream.connect(source({ hub: ann.hub }), emptyConnect, neverAborted)).toEqual({
    kind: "refused",
    status: 500,
    body: "",
  });
  hub.answer("connect", { status: 403, body: "secret reason", headers: [["Content-Type", "text/plain"]] });
  expect(await upstream.connect(source({ hub: ann.hub }), emptyConnect, neverAborted)).toEqual({
    kind: "refused",
    status: 403,
    body: "",
  });
  hub.answer("connect", { status: 302, headers: [["Location", "/x"]] });
  expect(await upstream.connect(source({ hub: ann.hub }), emptyConnect, neverAborted)).toEqual({
    kind: "refused",
    status: 500,
    body: "",
  });
  expect(reports.map(({ outcome }) => outcome)).toEqual([
    "succeeded",
    "succeeded",
    "invalidResponse",
    "unexpectedStatus",
    "unexpectedStatus",
  ]);
  expect(time.running).toEqual([]);
});

test("E-42 the refusal's body is forwarded where configured", async () => {
  const { app, source, upstream } = await setUp({ forwardConnectErrorBody: true });
  const ann = source();
  app.hub(ann.hub).answer("connect", { status: 401, body: "no token", headers: [["Content-Type", "text/plain"]] });
  expect(await upstream.connect(ann, emptyConnect, neverAborted)).toEqual({
    kind: "refused",
    status: 401,
    body: "no token",
  });
});

test("E-44 connect is retried with id 0", async () => {
  const { app, time, source, upstream } = await setUp();
  const ann = source();
  app.hub(ann.hub).answer("connect", [{ status: 503 }, {}]);
  const outcome = upstream.connect(ann, emptyConnect, neverAborted);
  await time.elapse(retryDelaysMs[0] ?? 0);
  expect((await outcome).kind).toBe("accepted");
  const hub = app.hub(ann.hub);
  expect([(await hub.next()).header("ce-id"), (await hub.next()).header("ce-id")]).toEqual(["0", "0"]);
});

test("E-46 a client that gives up aborts the connect request", async () => {
  const { app, source, upstream, reports } = await setUp();
  const ann = source();
  app.hub(ann.hub).answer("connect", { after: new Promise(() => undefined) });
  const controller = new AbortController();
  const outcome = upstream.connect(ann, emptyConnect, controller.signal);
  const request = await app.hub(ann.hub).next();
  controller.abort();
  await request.aborted;
  expect((await outcome).kind).toBe("refused");
  expect(reports.map(({ outcome: result }) => result)).toEqual(["aborted"]);
});

test("E-47 E-71 connected has the body {} and the state, cookies and user of connect", async () => {
  const { app, source, upstream } = await setUp();
  const ann = source({ subprotocol: null });
  app.hub(ann.hub).answer("connect", {
    headers: [
      ["CE-CONNECTIONSTATE", "first"],
      ["ce-connectionState", "s1"],
      ["Set-Cookie", "a=1; Path=/"],
    ],
  });
  await upstream.connect(ann, emptyConnect, neverAborted);
  ann.userId = source({ userId: "bob" }).userId;
  upstream.connected(ann);
  const request = await app.hub(ann.hub).next("connected");
  expect([
    request.text,
    request.header("ce-connectionState"),
    request.header("Cookie"),
    request.header("ce-userId"),
  ]).toEqual(["{}", "s1", "a=1", "bob"]);
  expect([request.header("ce-type"), request.header("Content-Type")]).toEqual([
    "azure.webpubsub.sys.connected",
    "application/json; charset=utf-8",
  ]);
});

test("E-48 hanging notifications delay neither events nor the end, and are not cut by it", async () => {
  const { app, source, send, upstream } = await setUp({ maxSocketsPerHost: 4 });
  const gate = Promise.withResolvers<void>();
  const hub = app.hub("hanging");
  hub.answer("connected", { after: gate.promise });
  const ann = source({ hub: "hanging" });
  upstream.connected(ann);
  upstream.connected(source({ hub: "hanging" }));
  const request = await hub.next("connected");
  expect((await send(ann, text("x"))).kind).toBe("handled");
  let isAborted = false;
  void request.aborted.then(() => {
    isAborted = true;
  });
  upstream.disconnected(ann, "");
  gate.resolve();
  await hub.next("connected");
  expect((await hub.next("disconnected")).json).toEqual({ reason: "" });
  expect(isAborted).toBe(false);
});

test("E-49 disconnected carries its reason and the last state, after the last user event", async () => {
  const { app, source, send, upstream } = await setUp();
  const ann = source();
  const gate = Promise.withResolvers<void>();
  const hub = app.hub(ann.hub);
  hub.answer("chat", { after: gate.promise, headers: [["ce-connectionState", "last"]] });
  const outcome = send(ann, text("x"));
  await hub.next("chat");
  upstream.disconnected(ann, 'say "bye"');
  expect(hub.untaken).toEqual([]);
  gate.resolve();
  await outcome;
  const request = await hub.next("disconnected");
  expect([request.json, request.header("ce-connectionState")]).toEqual([{ reason: 'say "bye"' }, "last"]);
});

test("E-52 E-72 a failing notification is retried, then reported; its state is ignored", async () => {
  const { app, time, source, send, upstream, dropped, reports } = await setUp({ retryDelaysMs: [11] });
  const ann = source();
  const hub = app.hub(ann.hub);
  hub.answer("connected", [{ status: 500 }, { headers: [["ce-connectionState", "ignored"]] }]);
  upstream.connected(ann);
  await time.elapse(11);
  await hub.next("connected");
  await hub.next("connected");
  await send(ann, text("x"));
  expect((await hub.next("chat")).header("ce-connectionState")).toBeNull();

  hub.answer("disconnected", { status: 404 });
  upstream.disconnected(ann, "");
  await hub.next("disconnected");
  await upstream.close(1000);
  expect(dropped).toEqual([{ event: "disconnected", isNews: false }]);
  expect(reports.map(({ event, status }) => [event, status])).toEqual([
    ["connected", 500],
    ["connected", 200],
    ["chat", 200],
    ["disconnected", 404],
  ]);
});

test.each<[Payload, string, string]>([
  [text("hi"), "text/plain; charset=utf-8", "hi"],
  [{ kind: "json", source: '{"a": 1.0}' }, "application/json", '{"a": 1.0}'],
  [{ kind: "binary", bytes: Buffer.from("b") }, "application/octet-stream", "b"],
  [{ kind: "protobuf", any: Buffer.from("\n\u0001a") }, "application/x-protobuf", "\n\u0001a"],
])("E-53 E-54 a payload is sent as it is (%#)", async (payload, contentType, body) => {
  const { app, source, send } = await setUp();
  const ann = source();
  await send(ann, payload);
  const request = await app.hub(ann.hub).next();
  expect([request.header("Content-Type"), request.text]).toEqual([contentType, body]);
});

test("E-55 metadata keys are lower-cased, of equal ones the last counts, empty values stay", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  await send(ann, text(""), {
    metadata: [
      ["Trace", "1"],
      ["TRACE", "2, 3"],
      ["empty", ""],
    ],
  });
  const request = await app.hub(ann.hub).next();
  expect([request.values("x-webpubsub-metadata-trace"), request.values("x-webpubsub-metadata-empty")]).toEqual([
    ["2, 3"],
    [""],
  ]);
});

test("E-56 E-58 E-61 the reply of any 2xx reaches the caller", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  app.hub(ann.hub).answer("chat", [
    {
      status: 202,
      body: "ok",
      headers: [
        ["Content-Type", "text/plain; charset=utf-8"],
        ["X-WebPubSub-Metadata-T", "a, b"],
      ],
    },
    { status: 204 },
  ]);
  expect(await send(ann, text("1"))).toEqual({
    kind: "handled",
    reply: { payload: text("ok"), metadata: [["t", "b"]] },
  });
  expect(await send(ann, text("2"))).toEqual({ kind: "handled", reply: null });
});

test("E-59 E-62 refusals and unusable replies fail the event and leave the state", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  const state = [["ce-connectionState", "changed"]] as const;
  app
    .hub(ann.hub)
    .answer("chat", [
      { status: 400, headers: state },
      { status: 429, headers: state },
      { body: "<p>", headers: [["Content-Type", "text/html"], ...state] },
      {},
    ]);
  for (let index = 0; index < 3; index++) expect(await send(ann, text("x"))).toEqual({ kind: "failed" });
  await send(ann, text("x"));
  for (let index = 0; index < 4; index++)
    expect((await app.hub(ann.hub).next()).header("ce-connectionState")).toBeNull();
});

test("E-10 a hub without settings or matching handler calls nothing", async () => {
  const app = await startEventHandler();
  cleanups.push(() => app.stop());
  const handlers = [handlerAt(`${app.url}/x`, { userEventPattern: "other", systemEvents: [] })];
  const { upstream, source, send, settings } = createHarness({ handlers });
  const ann = source();
  for (const next of [settings, { ...settings, hub: () => null }]) {
    upstream.reload(next);
    expect([upstream.wantsConnect(ann.hub), upstream.wantsPresence(ann.hub)]).toEqual([false, false]);
    expect((await upstream.connect(ann, emptyConnect, neverAborted)).kind).toBe("accepted");
    expect(await send(ann, text("x"))).toEqual({ kind: "unhandled" });
    upstream.connected(ann);
    upstream.disconnected(ann, "");
  }
  expect([ann.upstreamSession, ann.takeEventId(), app.validations.untaken.length]).toEqual([null, 7, 0]);
});

test("E-7 a failing handler does not pass its event on to the next", async () => {
  const { app, template, upstream, settings, source, send } = await setUp();
  const hub = { eventHandlers: [handlerAt(`${app.url}/first`), handlerAt(template)] };
  upstream.reload({ ...settings, retryDelaysMs: [], hub: () => hub });
  const ann = source();
  app.hub(ann.hub).answer("chat", { status: 500 });
  expect(await send(ann, text("x"))).toEqual({ kind: "failed" });
  expect((await app.hub(ann.hub).next()).url).toBe("/first");
  expect(app.hub(ann.hub).untaken).toEqual([]);
});

test("E-3 an event name that would leave the path fails", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  expect(await send(ann, text("x"), { event: ".." as never })).toEqual({ kind: "failed" });
  expect(app.hub(ann.hub).untaken).toEqual([]);
});

test("E-11 an event in flight finishes on the old URL, the next goes to the new one", async () => {
  const { app, upstream, settings, source, send } = await setUp();
  const ann = source();
  const gate = Promise.withResolvers<void>();
  const hub = app.hub(ann.hub);
  hub.answer("chat", { after: gate.promise, body: "old", headers: [["Content-Type", "text/plain"]] });
  const inFlight = send(ann, text("x"));
  expect((await hub.next()).url).toBe(`/hooks/${ann.hub}/chat`);
  const changed = { eventHandlers: [handlerAt(`${app.url}/new?code=secret`)] };
  upstream.reload({ ...settings, hub: () => changed });
  gate.resolve();
  expect(await inFlight).toMatchObject({ kind: "handled", reply: { payload: text("old") } });
  await send(ann, text("y"));
  expect((await hub.next()).url).toBe("/new?code=secret");
});

test("E-12 events carry the token, validations do not; no report holds token or query", async () => {
  const app = await startEventHandler();
  cleanups.push(() => app.stop());
  const auth = { type: "Bearer", token: "t0ken" } as const;
  const { source, send, reports, logs } = createHarness({
    handlers: [handlerAt(`${app.url}/x?code=s3cret`, { auth })],
  });
  const ann = source();
  await send(ann, text("x"));
  expect((await app.hub(ann.hub).next()).header("Authorization")).toBe("Bearer t0ken");
  expect((await app.validations.take({ what: "validation" })).header("Authorization")).toBeNull();
  expect(JSON.stringify([reports, logs])).not.toMatch(/t0ken|s3cret/);
});

test("E-12 a token of the client credentials flow is asked for with a form and used", async () => {
  const app = await startEventHandler();
  cleanups.push(() => app.stop());
  app.hub("").answer("", { body: '{"access_token":"minted","expires_in":3600}' });
  const auth = {
    type: "ClientCredentials",
    tokenUrl: `${app.url}/token?tenant=1`,
    clientId: "id",
    credential: { kind: "secret", secret: "a&b" },
    scope: null,
    audience: "aud",
  } as const;
  const { source, send } = createHarness({ handlers: [handlerAt(`${app.url}/x`, { auth })] });
  const ann = source();
  await send(ann, text("x"));
  const request = await app.hub("").next();
  expect([request.url, request.header("Content-Type"), request.text]).toEqual([
    "/token?tenant=1",
    "application/x-www-form-urlencoded",
    "grant_type=client_credentials&client_id=id&audience=aud&client_secret=a%26b",
  ]);
  expect((await app.hub(ann.hub).next()).header("Authorization")).toBe("Bearer minted");
});

test("E-77 presence is sent to its handler with the group as body", async () => {
  const { app, source, upstream, settings } = await setUp();
  const presence = { eventNames: ["joined", "left"] as const, groupFilters: ["room.*"] };
  const changed = { eventHandlers: [handlerAt(`${app.url}/p/{event}`, { groupPresenceEvents: presence })] };
  upstream.reload({ ...settings, hub: () => changed });
  const ann = source();
  expect(upstream.wantsPresence(ann.hub)).toBe(true);
  upstream.presence(ann, "joined", groupName("other"));
  upstream.presence(ann, "joined", groupName("room.1"));
  upstream.presence(ann, "left", groupName("room.1"));
  const joined = await app.hub(ann.hub).next("joined");
  expect([joined.url, joined.header("ce-type"), joined.header("ce-id"), joined.json]).toEqual([
    "/p/joined",
    "azure.webpubsub.gp.joined",
    "2",
    { group: "room.1" },
  ]);
  expect((await app.hub(ann.hub).next("left")).header("ce-type")).toBe("azure.webpubsub.gp.left");
  expect(app.hub(ann.hub).untaken).toEqual([]);
});

test("E-48 over the bound the oldest notification is dropped, and that is news once a minute", async () => {
  const { app, time, source, upstream, dropped } = await setUp({ notificationQueue: 1 });
  app.answerValidation({ after: new Promise(() => undefined) });
  const sources = Array.from({ length: 260 }, () => source({ hub: "full" }));
  for (const each of sources) upstream.connected(each);
  expect(dropped.map(({ isNews }) => isNews)).toEqual([true, false, false]);
  time.advance(60_000);
  for (const each of sources.slice(0, 2)) upstream.connected(each);
  expect(upstream.stats.droppedNotifications).toBeGreaterThan(3);
  expect(dropped.filter(({ isNews }) => isNews).length).toBe(2);
});

test("E-52 close waits for what is under way, takes nothing new and cuts at the deadline", async () => {
  const { app, time, source, send, upstream } = await setUp();
  const gate = Promise.withResolvers<void>();
  const ann = source();
  const hub = app.hub(ann.hub);
  hub.answer("disconnected", { after: gate.promise });
  hub.answer("chat", { after: new Promise(() => undefined) });
  const hanging = send(ann, text("x"));
  const event = await hub.next("chat");
  const bob = source({ hub: ann.hub });
  upstream.disconnected(bob, "");
  await hub.next("disconnected");
  const closed = upstream.close(777);
  expect(upstream.close(1)).toBe(closed);
  expect(await send(ann, text("y"))).toEqual({ kind: "failed" });
  gate.resolve();
  await time.elapse(777);
  await closed;
  expect(await hanging).toEqual({ kind: "failed" });
  await event.aborted;
  expect(upstream.stats).toEqual({ blocking: 0, notifications: 0, droppedNotifications: 0 });
});

test("E-13 handlers can be validated ahead of their first event", async () => {
  const { app, source, send, upstream } = await setUp({ publicHosts: ["pubsub.example.com"] });
  const ann = source();
  upstream.warmUp([ann.hub]);
  await app.validations.take({ what: "validation" });
  await send(ann, text("x"));
  expect(app.validations.untaken).toEqual([]);
});

test("H-53 a handler of a forbidden address is never called", async () => {
  const { source, send, reports, logs } = createHarness({ handlers: [handlerAt("http://169.254.169.254/{event}")] });
  expect(await send(source(), text("x"))).toEqual({ kind: "failed" });
  expect(reports).toEqual([]);
  expect(logs.map(({ event }) => event)).toEqual(["AbuseProtectionRequestFailed", "EventNotSent"]);
});

test("H-53 TLS trusts the handler's own authority, checks the name and presents its certificate", async () => {
  const pem = await selfSigned(); // for localhost
  const server = createTlsServer(
    { cert: pem.cert, key: pem.key, ca: pem.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      request.resume();
      request.on("end", () => response.setHeader("WebHook-Allowed-Origin", "*").end());
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => void server.close());
  const { port } = server.address() as AddressInfo;
  const resolveHost = async () => [{ address: "127.0.0.1", family: 4 }];
  const outcome = async (host: string, tls: { ca: string | null; cert: string | null; key: string | null }) => {
    const handlers = [handlerAt(`https://${host}:${port}/`, { tls })];
    const { source, send, upstream } = createHarness({ handlers, resolveHost, retryDelaysMs: [] });
    const { kind } = await send(source(), text("x"));
    await upstream.close(0);
    return kind;
  };
  const { cert, key } = pem;
  expect(await outcome("localhost", { ca: cert, cert, key })).toBe("handled");
  expect(await outcome("localhost", { ca: cert, cert: null, key: null })).toBe("failed");
  expect(await outcome("other.test", { ca: cert, cert, key })).toBe("failed");
  expect(await outcome("localhost", { ca: null, cert, key })).toBe("failed");
});

test("E-70 the reply of an event is decoded", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  app.hub(ann.hub).answer("chat", {
    body: Bun.gzipSync("zipped"),
    headers: [
      ["Content-Encoding", "gzip"],
      ["Content-Type", "text/plain"],
    ],
  });
  expect(await send(ann, text("x"), { event: eventName("chat") })).toMatchObject({
    reply: { payload: text("zipped") },
  });
  expect(names(await app.hub(ann.hub).next())).not.toContain("Accept-Encoding");
});

test("E-71 a state is kept when a reply names none, and may become empty", async () => {
  const { app, source, send } = await setUp();
  const ann = source();
  app
    .hub(ann.hub)
    .answer("chat", [{ headers: [["ce-connectionState", "a"]] }, {}, { headers: [["ce-connectionState", ""]] }, {}]);
  for (let index = 0; index < 4; index++) await send(ann, text("x"));
  const states: (string | null)[] = [];
  for (let index = 0; index < 4; index++) states.push((await app.hub(ann.hub).next()).header("ce-connectionState"));
  expect(states).toEqual([null, "a", "a", ""]);
});
