import { describe, expect, test } from "bun:test";
import { caller, FakeTunnel, settle } from "../../../tests/support/tunnel-harness.ts";
import {
  createHarness,
  emptyConnect,
  handlerAt,
  neverAborted,
  retryDelaysMs,
  type TestSource,
} from "../../../tests/support/upstream-harness.ts";
import type { Payload } from "../../core/payload.ts";
import type { TunnelRequest } from "../../tunnel/messages.ts";
import { EventSession } from "../event-session.ts";
import type { TunnelsOptions } from "./tunnels.ts";

const hi: Payload = { kind: "text", text: "hi" };
const [firstRetryMs = 0] = retryDelaysMs;
const bytesOf = (text: string) => new TextEncoder().encode(text);

type Settings = Omit<Parameters<typeof createHarness>[0], "handlers">;

/** An upstream whose hubs send everything through tunnels. */
function setUp({ template = "tunnel:///eventhandler/{event}", ...settings }: Settings & { template?: string } = {}) {
  const harness = createHarness({ handlers: [handlerAt(template)], ...settings });
  const open = (serverId: string | null = "app", hub = "chat") => new FakeTunnel(harness.tunnels, hub, serverId);
  const chat = () => harness.source({ hub: "chat" });
  /** Sends a user event and waits until it is on its way, or fails to be. */
  const start = async (source: TestSource = chat(), payload = hi) => {
    const outcome = harness.send(source, payload);
    await settle();
    return outcome.then((result) => (result.kind === "handled" ? (result.reply?.payload ?? null) : result.kind));
  };
  return { ...harness, open, chat, start };
}

/** The one request that came. */
function only(requests: readonly TunnelRequest[]): TunnelRequest {
  const [request, ...more] = requests;
  if (request === undefined || more.length > 0) throw new Error(`${requests.length} requests instead of one`);
  return request;
}

const valueOf = ({ headers }: TunnelRequest, name: string) => headers[headers.indexOf(name) + 1];
const plainText = ["content-type", "text/plain"];

describe("requests", () => {
  test("T-11 an event is a POST with all its headers, each once, and none of the connection's", async () => {
    const { open, chat, send } = setUp();
    const tunnel = open();
    const source = chat();
    void send(source, hi, { metadata: [["Trace", "v"]] });
    await settle();
    const { method, url, headers, body, routing } = only(tunnel.requests());
    expect([method, url, Buffer.from(body).toString()]).toEqual(["POST", "tunnel:///eventhandler/chat", "hi"]);
    expect(routing).toEqual({ local: false, channel: "" });
    const names = headers.filter((_, at) => at % 2 === 0);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    expect(names).toContain("ce-signature");
    expect(names).toContain("Content-Type");
    expect(names).toContain("x-webpubsub-metadata-trace");
    for (const name of ["host", "content-length", "connection", "transfer-encoding"])
      expect(names.map((each) => each.toLowerCase())).not.toContain(name);
  });

  test("T-22 a user id beyond ASCII is UTF-8 in Latin-1 characters", async () => {
    const { open, source, send } = setUp();
    const tunnel = open();
    void send(source({ hub: "chat", userId: "jürgen 😀" }), hi);
    await settle();
    const value = valueOf(only(tunnel.requests()), "ce-userId") ?? "";
    expect(Buffer.from(value, "latin1").toString("utf8")).toBe("jürgen 😀");
  });

  test("T-19 nothing is validated, not even ahead of events", async () => {
    const { open, upstream, start, chat } = setUp({ publicHosts: ["pubsub.example.com"] });
    const tunnel = open();
    upstream.warmUp([chat().hub]);
    void start();
    await settle();
    expect(tunnel.requests().map(({ method }) => method)).toEqual(["POST"]);
  });

  test("connect, connected and disconnected go the same way, with their bodies", async () => {
    const { open, upstream, chat } = setUp();
    const tunnel = open();
    const source = chat();
    const connecting = upstream.connect(source, emptyConnect, neverAborted);
    await settle();
    const connect = only(tunnel.requests());
    tunnel.answer(connect, { body: bytesOf('{"userId":"bob"}') });
    expect(await connecting).toMatchObject({ kind: "accepted", userId: "bob" });
    upstream.connected(source);
    await settle();
    const connected = only(tunnel.requests());
    expect([connected.url, Buffer.from(connected.body).toString()]).toEqual(["tunnel:///eventhandler/connected", "{}"]);
    tunnel.answer(connected);
    upstream.disconnected(source, "bye");
    await settle();
    const disconnected = only(tunnel.requests());
    expect(Buffer.from(disconnected.body).toString()).toBe('{"reason":"bye"}');
  });
});

describe("answers", () => {
  test("T-12 status, headers and body act as over HTTP, headers in any case", async () => {
    const { open, chat, start } = setUp();
    const tunnel = open();
    const source = chat();
    const reply = start(source);
    tunnel.answer(only((await settle(), tunnel.requests())), {
      headers: ["Content-Type", "text/plain", "CE-ConnectionState", "s1"],
      body: bytesOf("hello"),
    });
    expect(await reply).toEqual({ kind: "text", text: "hello" });
    void start(source);
    await settle();
    expect(valueOf(only(tunnel.requests()), "ce-connectionState")).toBe("s1");
  });

  test("T-13 the parts of an answer are one body, with the head of the first", async () => {
    const { open, start } = setUp();
    const tunnel = open();
    const reply = start();
    await settle();
    const request = only(tunnel.requests());
    tunnel.answer(request, { headers: plainText, body: bytesOf("a"), isPartial: true });
    tunnel.answer(request, { status: 500, body: bytesOf("b"), isPartial: true });
    tunnel.answer(request, { status: 500, body: bytesOf("c") });
    expect(await reply).toEqual({ kind: "text", text: "abc" });
  });

  test("an answer that stays incomplete, is too big or impossible fails the event", async () => {
    const { open, start, time, reports } = setUp({ timeoutMs: 5000, maxResponseBytes: 10 });
    const tunnel = open();
    const late = start();
    await settle();
    tunnel.answer(only(tunnel.requests()), { isPartial: true });
    await time.elapse(5000);
    const big = start();
    await settle();
    tunnel.answer(only(tunnel.requests()), { body: new Uint8Array(11) });
    const strange = start();
    await settle();
    tunnel.answer(only(tunnel.requests()), { status: 99 });
    const split = start();
    await settle();
    tunnel.answer(only(tunnel.requests()), { headers: ["x", "a\r\nb"] });
    expect(await Promise.all([late, big, strange, split])).toEqual(["failed", "failed", "failed", "failed"]);
    expect(reports.map(({ outcome }) => outcome)).toEqual([
      "timedOut",
      "invalidResponse",
      "invalidResponse",
      "invalidResponse",
    ]);
  });

  test("T-14 a body of 3 MiB in one frame is taken", async () => {
    const { open, start } = setUp();
    const tunnel = open();
    const reply = start();
    await settle();
    const body = new Uint8Array(3_145_728).fill(0x61);
    tunnel.answer(only(tunnel.requests()), { headers: plainText, body });
    expect(await reply).toEqual({ kind: "text", text: "a".repeat(body.length) });
  });

  test("T-15 answers may come in any order", async () => {
    const { open, start } = setUp();
    const tunnel = open();
    const replies = [start(), start()];
    await settle();
    const [first, second] = tunnel.requests();
    if (first === undefined || second === undefined) throw new Error("two requests are expected");
    tunnel.answer(second, { headers: plainText, body: bytesOf("second") });
    tunnel.answer(first, { headers: plainText, body: bytesOf("first") });
    expect(await Promise.all(replies)).toEqual([
      { kind: "text", text: "first" },
      { kind: "text", text: "second" },
    ]);
  });

  test("T-20 unknown, repeated and late answers are ignored", async () => {
    const { open, start, time } = setUp({ timeoutMs: 5000 });
    const tunnel = open();
    const other = open("other");
    const reply = start();
    await settle();
    const [holder, bystander] = tunnel.requests().length === 1 ? [tunnel, other] : [other, tunnel];
    const request = { ackId: 1, routing: { local: false, channel: "" } } as TunnelRequest;
    bystander.answer(request, { headers: plainText, body: bytesOf("from another application") });
    holder.answer({ ...request, ackId: 77 });
    holder.answer(request, { headers: plainText, body: bytesOf("mine") });
    holder.answer(request, { headers: plainText, body: bytesOf("again") });
    expect(await reply).toEqual({ kind: "text", text: "mine" });
    const late = start();
    await time.elapse(5000);
    expect(await late).toBe("failed");
    for (const each of [tunnel, other]) for (const asked of each.requests()) each.answer(asked);
    expect([tunnel.sink.ended, other.sink.ended]).toEqual([null, null]);
  });

  test("T-21 cookies are kept and come back as one header", async () => {
    const { open, chat, start } = setUp();
    const tunnel = open();
    const source = chat();
    const reply = start(source);
    await settle();
    tunnel.answer(only(tunnel.requests()), {
      headers: ["set-cookie", "a=1; Path=/", "set-cookie", "b=2; Secure; Path=/"],
    });
    await reply;
    void start(source);
    await settle();
    expect(valueOf(only(tunnel.requests()), "Cookie")).toBe("a=1; b=2");
  });

  test("a redirect leads nowhere, as there is no host to stay with", async () => {
    const { open, start, reports } = setUp();
    const tunnel = open();
    const reply = start();
    await settle();
    tunnel.answer(only(tunnel.requests()), { status: 307, headers: ["location", "http://h/"] });
    expect(await reply).toBe("failed");
    expect(reports).toMatchObject([{ outcome: "unexpectedStatus", status: 307, url: "tunnel:///eventhandler/chat" }]);
  });
});

describe("failures", () => {
  test("T-16 a 5xx is tried again with the same ce-id and another AckId", async () => {
    const { open, start, time } = setUp();
    const tunnel = open();
    const reply = start();
    const seen: (readonly [number, string | undefined])[] = [];
    for (const delayMs of [...retryDelaysMs, null]) {
      await settle();
      const request = only(tunnel.requests());
      seen.push([request.ackId, valueOf(request, "ce-id")]);
      tunnel.answer(request, { status: 500, body: bytesOf("connect ECONNREFUSED") });
      if (delayMs !== null) await time.elapse(delayMs);
    }
    expect(await reply).toBe("failed");
    expect(new Set(seen.map(([, id]) => id)).size).toBe(1);
    expect(new Set(seen.map(([ackId]) => ackId)).size).toBe(retryDelaysMs.length + 1);
  });

  test("T-17 a request on a lost socket is tried again on another one of the hub", async () => {
    const { open, start, time } = setUp();
    const first = open();
    const reply = start();
    await settle();
    const lost = only(first.requests());
    const second = open();
    first.drop();
    await time.elapse(firstRetryMs);
    await settle();
    const again = only(second.requests());
    expect(valueOf(again, "ce-id")).toBe(valueOf(lost, "ce-id"));
    second.answer(again, { headers: plainText, body: bytesOf("ok") });
    expect(await reply).toEqual({ kind: "text", text: "ok" });
  });

  test("T-18 without a tunnel the event fails after its retries, and the log says why", async () => {
    const { start, time, reports } = setUp();
    const reply = start();
    for (const delayMs of retryDelaysMs) await time.elapse(delayMs);
    expect(await reply).toBe("failed");
    expect(reports).toHaveLength(retryDelaysMs.length + 1);
    for (const report of reports)
      expect(report).toMatchObject({ outcome: "unreachable", detail: "there is no tunnel connection for hub chat" });
  });

  test("T-18 a tunnel that comes between retries gets the event", async () => {
    const { open, start, time } = setUp();
    const reply = start();
    await settle();
    const tunnel = open();
    await time.elapse(firstRetryMs);
    await settle();
    tunnel.answer(only(tunnel.requests()), { headers: plainText, body: bytesOf("ok") });
    expect(await reply).toEqual({ kind: "text", text: "ok" });
  });

  test("an event whose client is gone is withdrawn, waiting or sent", async () => {
    const { open, upstream, chat, tunnels } = setUp({
      tunnel: { limits: () => ({ socketsPerHub: 9, socketsPerServer: 9, requestsPerSocket: 2 }) },
    });
    const tunnel = open();
    const outcomes = [new AbortController(), new AbortController()].map((controller) => {
      const outcome = upstream.connect(chat(), emptyConnect, controller.signal);
      return { controller, outcome };
    });
    await settle();
    const request = only(tunnel.requests());
    for (const { controller } of outcomes.toReversed()) controller.abort();
    for (const { outcome } of outcomes) expect(await outcome).toMatchObject({ kind: "refused" });
    tunnel.answer(request);
    expect(tunnel.requests()).toEqual([]);
    expect(tunnels.hasTunnel("chat")).toBe(true);
  });
});

describe("choosing", () => {
  const limits = (changes: Partial<ReturnType<TunnelsOptions["limits"]>>) => ({
    limits: () => ({ socketsPerHub: 128, socketsPerServer: 16, requestsPerSocket: 256, ...changes }),
  });

  test("T-32 a connection stays with its application, new ones go to the least busy", async () => {
    const { open, chat, start } = setUp();
    const tunnels = [open("one"), open("two")];
    const sources = [chat(), chat()];
    for (const source of sources) void start(source);
    await settle();
    const first = tunnels.map((tunnel) => only(tunnel.requests()));
    const owners = first.map((request) => valueOf(request, "ce-connectionId"));
    expect(new Set<string | undefined>(owners)).toEqual(new Set(sources.map(({ id }) => id)));
    for (const [at, tunnel] of tunnels.entries()) tunnel.answer(first[at] ?? expect.unreachable());
    for (let round = 0; round < 5; round++) {
      for (const source of sources) void start(source);
      await settle();
      for (const [at, tunnel] of tunnels.entries()) {
        const request = only(tunnel.requests());
        expect(valueOf(request, "ce-connectionId")).toBe(owners[at] ?? "");
        tunnel.answer(request);
      }
    }
  });

  test("T-33 an application's sockets share its connections, and nobody else's", async () => {
    const { open, start, chat } = setUp();
    const ours = [open("app"), open("app")];
    const source = chat();
    for (let count = 0; count < 6; count++) void start(source);
    await settle();
    const other = open("other");
    for (let count = 0; count < 6; count++) void start(source);
    await settle();
    expect(ours.map((tunnel) => tunnel.requests().length)).toEqual([6, 6]);
    expect(other.requests()).toEqual([]);
  });

  test("sockets without a subject are an application each", async () => {
    const { open, start, chat } = setUp();
    const tunnels = [open(null), open(null)];
    const source = chat();
    for (let count = 0; count < 4; count++) void start(source);
    await settle();
    expect(new Set(tunnels.map((tunnel) => tunnel.requests().length))).toEqual(new Set([0, 4]));
  });

  test("T-34 events wait 5 s for their application to come back", async () => {
    const { open, start, chat } = setUp({ retryDelaysMs: [] });
    const other = open("other");
    other.sink.capacity = 0; // busy, so that the first event goes elsewhere
    const [source, app] = [chat(), open("app")];
    EventSession.of(source).tunnelServer = "app";
    app.drop();
    const reply = start(source);
    await settle();
    const back = open("app");
    back.answer(only(back.requests()), { headers: plainText, body: bytesOf("back") });
    expect(await reply).toEqual({ kind: "text", text: "back" });
    other.sink.drain();
    expect(other.requests()).toEqual([]);
  });

  test("T-34 when it does not come back another one gets them, and keeps the connection", async () => {
    const { open, start, chat, time } = setUp({ retryDelaysMs: [] });
    const source = chat();
    const app = open("app");
    EventSession.of(source).tunnelServer = "app";
    const other = open("other");
    app.drop();
    const reply = start(source);
    await settle();
    expect(other.requests()).toEqual([]);
    time.advance(5000);
    other.answer(only(other.requests()), { headers: plainText, body: bytesOf("taken over") });
    expect(await reply).toEqual({ kind: "text", text: "taken over" });
    open("app");
    void start(source);
    await settle();
    expect(other.requests()).toHaveLength(1);
  });

  test("T-34 a new connection does not wait for an application that is away", async () => {
    const { open, start } = setUp();
    const busy = open("busy");
    void start();
    await settle();
    expect(busy.requests()).toHaveLength(1);
    open("away").drop();
    void start();
    await settle();
    expect(busy.requests()).toHaveLength(1);
  });

  test("requests beyond the limit wait for answers, and notifications do not take all the room", async () => {
    const { open, start, upstream, chat } = setUp({ tunnel: limits({ requestsPerSocket: 4 }) });
    const tunnel = open();
    for (let count = 0; count < 3; count++) upstream.connected(chat());
    for (let count = 0; count < 5; count++) void start();
    await settle();
    const sent = tunnel.requests();
    const isConnected = ({ url }: TunnelRequest) => url.endsWith("/connected");
    expect([sent.filter(isConnected).length, sent.length]).toEqual([1, 4]);
    for (const request of sent) tunnel.answer(request);
    await settle();
    const more = tunnel.requests();
    expect([more.filter(isConnected).length, more.length]).toEqual([1, 3]);
  });

  test("nothing is sent to an application that does not read", async () => {
    const { open, start } = setUp();
    const tunnel = open();
    tunnel.received();
    tunnel.sink.capacity = 1;
    for (let count = 0; count < 4; count++) void start();
    await settle();
    expect(tunnel.requests()).toHaveLength(1);
    tunnel.sink.drain();
    expect(tunnel.requests()).toHaveLength(3);
  });

  test("while one socket of an application is full the others get its events", async () => {
    const { open, start, chat } = setUp();
    const [full, free] = [open(), open()];
    for (const tunnel of [full, free]) tunnel.received();
    full.sink.capacity = 0;
    const source = chat();
    for (let count = 0; count < 6; count++) void start(source);
    await settle();
    expect(free.requests()).toHaveLength(5);
  });

  test("there is a limit to sockets, of a hub and of an application; a place given back is free", () => {
    const { tunnels, open } = setUp({ tunnel: limits({ socketsPerHub: 3, socketsPerServer: 2 }) });
    const hub = "chat" as Parameters<typeof tunnels.reserve>[0];
    open("app");
    const place = tunnels.reserve(hub, "app", caller);
    expect(tunnels.reserve(hub, "app", caller)).toBeNull();
    place?.abandoned();
    const second = open("app");
    open("other");
    expect(tunnels.reserve(hub, "third", caller)).toBeNull();
    second.drop();
    expect(tunnels.reserve(hub, "third", caller)).not.toBeNull();
  });
});

describe("life", () => {
  test("T-6 T-9 the first frame tells the connection its id and its application's", () => {
    const { open, tunnels } = setUp();
    const [one, two, nameless] = [open("app"), open("app"), open(null)];
    const greetings = [one, two, nameless].map((tunnel) => tunnel.received()[0]);
    expect(greetings).toMatchObject([
      { type: "connected", userId: "app" },
      { type: "connected", userId: "app" },
      { type: "connected", userId: null },
    ]);
    expect(new Set(greetings.map((greeting) => greeting?.type === "connected" && greeting.connectionId)).size).toBe(3);
    expect([tunnels.hasTunnel("chat"), tunnels.hasTunnel("news")]).toEqual([true, false]);
  });

  test("T-28 an idle tunnel gets a message each minute and a ping each 20 s", () => {
    const { open, time } = setUp();
    const tunnel = open();
    tunnel.received();
    for (let second = 0; second < 240; second += 20) {
      tunnel.events.alive();
      time.advance(20_000);
    }
    expect(tunnel.received()).toEqual(Array(4).fill({ type: "status", text: "keepalive" }));
    expect(tunnel.sink.pings).toBe(12);
    tunnel.drop();
    expect(time.running).not.toContain(20_000);
  });

  test("a tunnel that gives no sign of life for a minute is cut", () => {
    const { open, time, tunnels } = setUp();
    const tunnel = open();
    time.advance(40_000);
    tunnel.events.alive();
    time.advance(40_000);
    expect(tunnel.sink.ended).toBeNull();
    time.advance(20_000);
    expect(tunnel.sink.ended).toBe("aborted");
    expect(tunnels.hasTunnel("chat")).toBe(false);
  });

  test("T-31 closing ends every tunnel with 1001 and resolves when all are closed", async () => {
    const { open, tunnels } = setUp();
    const sockets = [open("a"), open("b", "news")];
    await tunnels.close(1000);
    for (const { sink } of sockets) expect(sink.ended).toEqual({ code: 1001, reason: "Service is restarting." });
    await tunnels.close(1000);
  });

  test.each<readonly [string, (tunnel: FakeTunnel) => void, number]>([
    ["text", ({ events }) => events.frame("hello"), 1003],
    ["garbage", ({ events }) => events.frame(new Uint8Array([1, 2, 3])), 1007],
    ["a message only the service sends", (tunnel) => tunnel.send({ type: "close", text: "bye" }), 1007],
    ["oversized JSON", (tunnel) => tunnel.send({ type: "status", text: "x".repeat(70_000) }), 1009],
  ])("T-10 %s closes the tunnel and nothing else", async (_name, act, code) => {
    const { open, start } = setUp();
    const [bad, good] = [open("bad"), open("good")];
    act(bad);
    expect(bad.sink.ended).toMatchObject({ code });
    void start();
    await settle();
    expect(good.requests()).toHaveLength(1);
  });
});
