import { afterEach, expect, test } from "bun:test";
import { dial } from "../../tests/support/dial.ts";
import { defaultDeadlineMs, Inbox, inTime } from "../../tests/support/inbox.ts";
import { rawRequest } from "../../tests/support/raw-http.ts";
import { tempDir } from "../../tests/support/temp.ts";
import { handshake, openWebSocket } from "../../tests/support/web-socket.ts";
import type { Frame } from "../core/outbound.ts";
import type { FrameSink, SocketEvents, UpgradeDecision } from "../core/ports.ts";
import { ensureLocalCertificate } from "../tls/local-ca.ts";
import {
  type Answer,
  ListenError,
  type Listener,
  type ListenOptions,
  listen,
  listenError,
  type Peer,
} from "./listener.ts";

type Event =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "drained"; readonly bufferedBytes: number }
  | { readonly kind: "alive" }
  | { readonly kind: "abandoned" }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

/** The server's side of the one socket a test opens. */
class Endpoint {
  readonly events = new Inbox<Event>();
  readonly sinks = new Inbox<FrameSink>();
  readonly #first: readonly Frame[];
  readonly #subprotocol: string | null;

  constructor(options: { readonly subprotocol?: string; readonly first?: readonly Frame[] } = {}) {
    this.#subprotocol = options.subprotocol ?? null;
    this.#first = options.first ?? [];
  }

  decision(): UpgradeDecision {
    return {
      accept: true,
      subprotocol: this.#subprotocol,
      open: (sink) => {
        sink.write(this.#first);
        this.sinks.push(sink);
        return this.#record(sink);
      },
      abandoned: () => this.events.push({ kind: "abandoned" }),
    };
  }

  async sink(): Promise<FrameSink> {
    return await this.sinks.take({ what: "socket" });
  }

  async next(kind: Event["kind"]): Promise<Event> {
    return await this.events.take({ what: kind, where: (event) => event.kind === kind });
  }

  #record(sink: FrameSink): SocketEvents {
    return {
      frame: (frame) => this.events.push({ kind: "frame", frame }),
      drained: () => this.events.push({ kind: "drained", bufferedBytes: sink.bufferedBytes }),
      alive: () => this.events.push({ kind: "alive" }),
      closed: (code, reason) => this.events.push({ kind: "closed", code, reason }),
    };
  }
}

const listeners: Listener[] = [];
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.stop()));
});

interface Counted {
  in: number;
  out: number;
  messages: number;
}

function start(
  handle: (request: Request, peer: Peer) => Answer | Promise<Answer>,
  options: Partial<ListenOptions> = {},
) {
  const errors: unknown[] = [];
  const counted: Counted = { in: 0, out: 0, messages: 0 };
  const listener = listen({
    name: "main",
    hostname: "127.0.0.1",
    port: 0,
    tls: null,
    maxMessageBytes: 1000,
    maxFrameBytes: 1000,
    maxBodyBytes: 4000,
    idleSeconds: 10,
    traffic: {
      inbound(bytes) {
        counted.in += bytes;
      },
      outbound(bytes, messages) {
        counted.out += bytes;
        counted.messages += messages;
      },
    },
    handle,
    onError: (error) => errors.push(error),
    ...options,
  });
  listeners.push(listener);
  return {
    listener,
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${listener.port}`,
    errors,
    counted,
  };
}

async function connect(options: ConstructorParameters<typeof Endpoint>[0] = {}) {
  const endpoint = new Endpoint(options);
  const server = start(() => ({ upgrade: Promise.resolve(endpoint.decision()) }));
  const client = await openWebSocket(server.url, { path: "/", subprotocols: ["a", "b"] });
  return { ...server, endpoint, client, sink: await endpoint.sink() };
}

test("C-19 C-20 the chosen subprotocol is answered, and none is when none was chosen", async () => {
  expect((await connect({ subprotocol: "b" })).client.subprotocol).toBe("b");
  expect((await connect()).client.response.header("sec-websocket-protocol")).toBeNull();
});

test("a refusal is answered with its status, text and headers", async () => {
  const { url } = start(() => ({
    upgrade: Promise.resolve({ accept: false, status: 403, body: "no", headers: { "X-Why": "so" } }),
  }));
  const response = await handshake(url, { path: "/" });
  expect([response.status, response.text, response.header("x-why"), response.header("content-type")]).toEqual([
    403,
    "no",
    "so",
    "text/plain; charset=utf-8",
  ]);
});

test("C-25 what is written while the socket opens comes first, in order and with its type", async () => {
  const { client, sink } = await connect({ first: ["first", new Uint8Array([1, 2])] });
  expect(sink.write(["a", "", "é"])).toBe(3);
  expect(await client.nextText()).toBe("first");
  expect([...(await client.nextBinary())]).toEqual([1, 2]);
  expect([await client.nextText(), await client.nextText(), await client.nextText()]).toEqual(["a", "", "é"]);
});

test("C-62 messages arrive whole, up to the limit", async () => {
  const { client, endpoint } = await connect();
  client.send("hé");
  client.sendFrame({ opcode: 2, payload: new Uint8Array(400), fin: false });
  client.sendFrame({ opcode: 0, payload: new Uint8Array(600) });
  expect(await endpoint.next("frame")).toEqual({ kind: "frame", frame: "hé" });
  const event = await endpoint.next("frame");
  expect(event.kind === "frame" && event.frame instanceof Uint8Array && event.frame.length).toBe(1000);
});

test.each<
  [
    string,
    {
      readonly opcode: number;
      readonly payload?: string | Uint8Array;
      readonly fin?: boolean;
      readonly masked?: boolean;
    }[],
    number,
    string,
  ]
>([
  [
    "C-62 a message one byte too big",
    [{ opcode: 1, payload: "a".repeat(1001) }],
    1009,
    "The client message is too large.",
  ],
  [
    "C-62 a fragmented message one byte too big",
    [
      { opcode: 1, payload: "a".repeat(600), fin: false },
      { opcode: 0, payload: "a".repeat(401) },
    ],
    1009,
    "The client message is too large.",
  ],
  [
    "H-10 text that is no UTF-8",
    [{ opcode: 1, payload: new Uint8Array([0xff]) }],
    1007,
    "The client message is not valid UTF-8.",
  ],
  ["H-10 an unmasked frame", [{ opcode: 1, payload: "a", masked: false }], 1002, "The client frame is invalid."],
  ["H-10 an unknown opcode", [{ opcode: 7, payload: "a" }], 1002, "The client frame is invalid."],
])("%s closes both sides", async (...[, frames, code, reason]) => {
  const { client, endpoint } = await connect();
  for (const frame of frames) client.sendFrame(frame);
  expect((await client.closed()).code).toBe(code);
  expect(await endpoint.next("closed")).toEqual({ kind: "closed", code, reason });
});

test.each<[number | undefined, string, number]>([
  [1000, "bye", 1000],
  [4000, "", 4000],
  [undefined, "", 1005],
])("a client's close %p %p is reported and answered", async (code, reason, reported) => {
  const { client, endpoint } = await connect();
  client.close(code, reason);
  expect(await endpoint.next("closed")).toEqual({ kind: "closed", code: reported, reason });
  expect((await client.closed()).code).toBe(reported);
});

test("a cut by the client is reported as 1006", async () => {
  const { client, endpoint } = await connect();
  client.abort();
  expect(await endpoint.next("closed")).toEqual({ kind: "closed", code: 1006, reason: "" });
});

test("a close of ours follows what was written, is reported once, and calls behind it are ignored", async () => {
  const { client, endpoint, sink } = await connect();
  sink.write(["last"]);
  sink.close(1008, "why");
  expect(endpoint.events.untaken).toEqual([{ kind: "closed", code: 1008, reason: "why" }]);
  expect([sink.write(["a", "b"]), sink.bufferedBytes]).toEqual([2, 0]);
  sink.close(1000, "again");
  sink.ping();
  sink.abort();
  expect(await client.nextText()).toBe("last");
  expect(await client.closed()).toEqual({ code: 1008, reason: "why" });
  expect(endpoint.events.untaken).toHaveLength(1);
});

test("C-93 an abort is seen as 1006 by both sides", async () => {
  const { client, endpoint, sink } = await connect();
  sink.abort();
  expect(endpoint.events.untaken).toEqual([{ kind: "closed", code: 1006, reason: "" }]);
  expect((await client.closed()).code).toBe(1006);
});

test("C-93 pings reach the client, and its pings and pongs are signs of life", async () => {
  const { client, endpoint, sink } = await connect();
  sink.ping();
  await client.pings.take({ what: "ping" });
  await endpoint.next("alive");
  client.ping("x");
  await endpoint.next("alive");
  expect(String(await client.pongs.take({ what: "pong" }))).toBe("x");
});

test("C-94 H-35 a full socket takes fewer frames and says when it takes more; nothing is lost or reordered", async () => {
  const { client, endpoint, sink } = await connect();
  client.pause();
  const payload = "x".repeat(65_536);
  const frames = Array.from({ length: 2000 }, (_, index) => `${index} ${payload}`);
  let next = 0;
  while (next < frames.length) {
    const batch = frames.slice(next, next + 200);
    const taken = sink.write(batch);
    next += taken;
    if (taken < batch.length) break;
  }
  expect(next).toBeLessThan(frames.length);
  expect(sink.bufferedBytes).toBeGreaterThan(0);
  expect(sink.bufferedBytes).toBeLessThan(2 * payload.length); // no more than the frame that filled it
  expect(sink.write(["not now"])).toBe(0);
  client.resume();
  let received = 0;
  let drains = 0;
  const read = async (count: number): Promise<void> => {
    for (; received < count; received++) expect((await client.nextText()).startsWith(`${received} `)).toBe(true);
  };
  let isFull = true;
  while (next < frames.length) {
    if (isFull) {
      expect(await endpoint.next("drained")).toEqual({ kind: "drained", bufferedBytes: 0 });
      drains += 1;
    }
    const batch = frames.slice(next, next + 100);
    const taken = sink.write(batch);
    // A batch taken whole by a socket that got full by it is followed by `drained` too, but need not be waited for.
    isFull = taken < batch.length;
    next += taken;
    await read(Math.min(next, received + 50));
  }
  await read(frames.length);
  expect(drains).toBeGreaterThan(0);
});

test("C-94 a full socket that is cut reports its end and nothing else", async () => {
  const { client, endpoint, sink } = await connect();
  client.pause();
  const batch = [new Uint8Array(1_000_000)];
  while (sink.write(batch) === 1);
  sink.abort();
  expect(endpoint.events.untaken).toEqual([{ kind: "closed", code: 1006, reason: "" }]);
  expect(sink.write(batch)).toBe(1);
});

test("traffic is counted in bytes of payload, and started 2 KiB of each frame outbound", async () => {
  const { client, endpoint, sink, counted } = await connect();
  client.send("é€");
  client.send(new Uint8Array(3));
  await endpoint.next("frame");
  await endpoint.next("frame");
  sink.write(["é", new Uint8Array(2048), new Uint8Array(2049)]);
  expect(counted).toEqual({ in: 8, out: 2 + 2048 + 2049, messages: 1 + 1 + 2 });
});

test("a client that leaves before it was answered is abandoned, and the one who decides learns of it", async () => {
  const endpoint = new Endpoint();
  const asked = Promise.withResolvers<Request>();
  const gate = Promise.withResolvers<UpgradeDecision>();
  const { url } = start((request) => {
    asked.resolve(request);
    return { upgrade: gate.promise };
  });
  const socket = await dial(url);
  socket.write(
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  const { signal } = await inTime(asked.promise, "request", defaultDeadlineMs);
  const aborted = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => aborted.resolve());
  socket.destroy();
  await inTime(aborted.promise, "abort", defaultDeadlineMs);
  gate.resolve(endpoint.decision());
  await endpoint.next("abandoned");
  expect(endpoint.sinks.untaken).toEqual([]);
});

test("H-22 a handshake that the runtime cannot upgrade is abandoned and answered 400", async () => {
  const endpoint = new Endpoint();
  const { url } = start(() => ({ upgrade: Promise.resolve(endpoint.decision()) }));
  const response = await rawRequest(
    url,
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  expect(response.status).toBe(400);
  await endpoint.next("abandoned");
});

test("a handler that throws or rejects is reported and answered 500", async () => {
  const bug = new Error("a bug");
  const { url, errors } = start((request) => {
    if (new URL(request.url).pathname === "/sync") throw bug;
    return { upgrade: Promise.reject(bug) };
  });
  expect((await fetch(`${url}/sync`)).status).toBe(500);
  expect((await fetch(`${url}/async`)).status).toBe(500);
  expect(errors).toEqual([bug, bug]);
});

test("the handler is told who asks", async () => {
  const peers: Peer[] = [];
  const { url } = start((_request, peer) => {
    peers.push(peer);
    return new Response("ok");
  });
  expect(await (await fetch(url)).text()).toBe("ok");
  expect(peers).toEqual([{ address: "127.0.0.1", isSecure: false, listener: "main", certificate: null }]);
});

test("a listener that accepts no more keeps its sockets until it stops", async () => {
  const { client, endpoint, listener, url, sink } = await connect();
  listener.stopAccepting();
  const refused = await dial(url).then(
    (socket) => socket.destroy(),
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(Error);
  sink.write(["still here"]);
  expect(await client.nextText()).toBe("still here");
  await listener.stop();
  await endpoint.next("closed");
  await client.closed();
  await listener.stop();
});

test("a port that is taken is said to be taken", () => {
  const { listener } = start(() => new Response());
  let thrown: unknown;
  try {
    start(() => new Response(), { port: listener.port });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ListenError);
  expect(thrown).toMatchObject({
    isInUse: true,
    message: `Port ${listener.port} on 127.0.0.1 is in use by another program.`,
  });
});

/** A certificate of its own authority. */
async function certificate() {
  const made = await ensureLocalCertificate({ dataDir: tempDir(), names: [], now: new Date() });
  if (!made.ok) throw new Error(made.problem);
  const { authorityFile, certificatePem, keyPem } = made.certificate;
  return { ca: await Bun.file(authorityFile).text(), tls: { certificatePem, keyPem } };
}

test("another certificate is shown to new connections, open ones stay, and an unusable one changes nothing", async () => {
  const [one, two] = [await certificate(), await certificate()];
  const endpoint = new Endpoint();
  const { listener, url } = start(() => ({ upgrade: Promise.resolve(endpoint.decision()) }), { tls: one.tls });
  const client = await openWebSocket(url, { path: "/", ca: one.ca });
  const sink = await endpoint.sink();
  listener.setTls(two.tls);
  const late = await openWebSocket(url, { path: "/", ca: two.ca });
  const isRefused = await openWebSocket(url, { path: "/", ca: one.ca }).then(
    () => false,
    () => true,
  );
  expect(isRefused).toBe(true);
  expect(() => listener.setTls({ certificatePem: "x", keyPem: "y" })).toThrow(ListenError);
  const latest = await openWebSocket(url, { path: "/", ca: two.ca });
  sink.write(["still here"]);
  expect(await client.nextText()).toBe("still here");
  await listener.stop();
  for (const each of [client, late, latest]) await each.closed();
});

test.each([
  ["127.0.0.1", "Port 80 on 127.0.0.1 is in use by another program."],
  ["localhost", "Port 80 on localhost is in use by another program."],
  ["nowhere.test", "Cannot listen on nowhere.test:80: the port is in use, or the name is not of this machine."],
])("an address %s that cannot be had is explained", (hostname, message) => {
  expect(listenError(Object.assign(new Error("no"), { code: "EADDRINUSE" }), hostname, 80).message).toBe(message);
});
