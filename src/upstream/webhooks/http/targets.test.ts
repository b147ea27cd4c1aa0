import { afterEach, beforeAll, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { type SelfSigned, selfSigned } from "../../../../tests/support/certificate.ts";
import { FakeTime } from "../../../../tests/support/fake-time.ts";
import { Inbox } from "../../../../tests/support/inbox.ts";
import type { HandlerTls, ResolveHost } from "../../settings.ts";
import type { WireFailure, WireReply, WireRequest } from "../target.ts";
import { targetOrigin } from "../target-origin.ts";
import { createTargetGuard } from "../target-policy.ts";
import { createTargets } from "./targets.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});
let identity: SelfSigned;
beforeAll(async () => {
  identity = await selfSigned(); // for localhost and 127.0.0.1
});

/** A request at a peer, which answers it by hand. */
interface Arrival {
  readonly path: string;
  /** Which of the peer's connections it came over, from 0. */
  readonly connection: number;
  readonly socket: Socket;
  readonly answer: (body?: string, head?: string) => void;
}

async function listen(tls?: TlsOptions) {
  const arrivals = new Inbox<Arrival>();
  const closed = new Inbox<number>();
  const serverNames: (string | false | null)[] = [];
  let connections = 0;
  const serve = (socket: Socket) => {
    const connection = connections++;
    if ("servername" in socket) serverNames.push(socket.servername as string | false);
    let pending = "";
    socket.on("error", () => undefined);
    socket.on("close", () => closed.push(connection));
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      const end = pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      const path = pending.split(" ", 2)[1] ?? "";
      pending = "";
      const answer = (body = "", head = "HTTP/1.1 200 OK") =>
        void socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      arrivals.push({ path, connection, socket, answer });
    });
    cleanups.push(() => socket.destroy());
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const next = () => arrivals.take({ what: "request" });
  return { port, next, arrivals, closed, serverNames, connections: () => connections };
}

interface Options {
  readonly resolveHost?: ResolveHost;
  readonly maxSocketsPerHost?: number;
  readonly tls?: HandlerTls;
}

/** `maxSocketsPerHost` is by default so that there are two for blocking requests. */
function setUp(url: string, { resolveHost, maxSocketsPerHost = 3, tls }: Options = {}) {
  const time = new FakeTime();
  const guard = createTargetGuard({ allowLoopback: true, allowPrivate: true, allowedHosts: [] }, resolveHost);
  const targets = createTargets({ scheduler: time, guard, maxSocketsPerHost });
  cleanups.push(() => targets.close());
  const origin = targetOrigin(new URL(url)) ?? expect.unreachable();
  const target = targets.of(origin, tls ?? null);
  /** Starts an exchange; `events` tells what happened to it so far. */
  const start = (path: string, overrides: Partial<WireRequest> = {}) => {
    const events: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const head = Promise.withResolvers<void>();
    const wire = {
      pool: "blocking",
      method: "POST",
      path,
      headers: [],
      body: "x",
      bodyBytes: 1,
      ...overrides,
    } as const;
    const abort = target.exchange(wire, {
      sent: () => void events.push("sent"),
      head(status) {
        events.push(`head ${status}`);
        head.resolve();
        return { maxBytes: 1000, timeoutMs: 5000, isNeeded: true };
      },
      done(result) {
        events.push("done");
        resolve(text(result));
      },
    });
    return { events, abort, begun: head.promise, result: promise };
  };
  return { start, targets, time };
}

function text(result: WireReply | WireFailure): string {
  if (result.kind === "reply") return `${result.status} ${Buffer.from(result.body).toString("latin1")}`;
  return `${result.isStale ? "stale " : ""}${result.cause}: ${result.detail}`;
}

const at = (port: number) => `http://127.0.0.1:${port}`;

test("E-48 an exchange tells that it is sent, then the head, then the end", async () => {
  const peer = await listen();
  const { events, result } = setUp(at(peer.port)).start("/1");
  expect(events).toEqual([]);
  (await peer.next()).answer("ok");
  expect(await result).toBe("200 ok");
  expect(events).toEqual(["sent", "head 200", "done"]);
});

test("E-48 a request that the connection did not take in full is not sent", async () => {
  const peer = await listen();
  const body = Buffer.alloc(64_000_000);
  const { events, result } = setUp(at(peer.port)).start("/1", { body, bodyBytes: body.length });
  const { socket } = await peer.next();
  socket.pause();
  socket.resetAndDestroy();
  expect(await result).toStartWith("network: ");
  expect(events).toEqual(["done"]);
});

test("H-37 a reply that overtakes its request counts, and its connection is not used again", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port));
  const body = Buffer.alloc(64_000_000);
  const early = start("/1", { body, bodyBytes: body.length });
  const arrival = await peer.next();
  arrival.socket.pause();
  arrival.answer("too big", "HTTP/1.1 413 X");
  expect(await early.result).toBe("413 too big");
  expect(early.events).toEqual(["sent", "head 413", "done"]);
  arrival.socket.resume();
  await peer.closed.take({ what: "end of the connection" });
});

test("H-37 bytes behind a reply are never the answer to the next request", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port), { maxSocketsPerHost: 2 }); // one for each pool
  const [first, waiting] = [start("/1"), start("/2")];
  const { socket } = await peer.next();
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen`);
  expect(await first.result).toBe("200 ok");
  (await peer.next()).answer("own");
  expect(await waiting.result).toBe("200 own");
  expect(await peer.closed.take({ what: "end of the connection" })).toBe(0);
});

test("H-37 an unasked reply on an idle connection ends it", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port));
  const first = start("/1");
  const { answer } = await peer.next();
  answer("ok");
  await first.result;
  answer("unasked");
  expect(await peer.closed.take({ what: "end of the connection" })).toBe(0);
  const second = start("/2");
  (await peer.next()).answer("ok");
  expect([await second.result, peer.connections()]).toEqual(["200 ok", 2]);
});

test.each([
  ["HTTP/1.1 200 OK", 1],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK", 1],
  ["HTTP/1.0 200 OK\r\nConnection: keep-alive", 1],
  ["HTTP/1.0 200 OK", 2],
  ["HTTP/1.1 200 OK\r\nConnection: close", 2],
])("H-37 after %j two requests take %i connections", async (head, connections) => {
  const peer = await listen();
  const { start } = setUp(at(peer.port));
  for (const path of ["/1", "/2"]) {
    const { result } = start(path);
    (await peer.next()).answer(path, head);
    expect(await result).toBe(`200 ${path}`);
  }
  expect(peer.connections()).toBe(connections);
});

test("H-37 a body without length ends with the connection", async () => {
  const peer = await listen();
  const { result } = setUp(at(peer.port)).start("/1");
  (await peer.next()).socket.end("HTTP/1.1 200 OK\r\n\r\nall of it");
  expect(await result).toBe("200 all of it");
});

test("H-37 a timer runs only while a part of the body is missing", async () => {
  const peer = await listen();
  const { start, time } = setUp(at(peer.port));
  const { result, begun } = start("/1");
  const { socket } = await peer.next();
  expect(time.running).toEqual([]);
  socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
  await begun;
  expect(time.running).toEqual([5000]);
  socket.write("lf");
  expect(await result).toBe("200 half");
  expect(time.running).toEqual([]);
});

test("H-37 the connection used last is used next", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port));
  const both = [start("/1"), start("/2")];
  const arrivals = [await peer.next(), await peer.next()];
  for (const [index, { answer }] of arrivals.toReversed().entries()) {
    answer();
    await both[1 - index]?.result;
  }
  for (const path of ["/3", "/4"]) {
    const { result } = start(path);
    const { connection, answer } = await peer.next();
    expect(connection).toBe(arrivals[0]?.connection as number);
    answer();
    await result;
  }
});

test("E-67 only a used connection that ends before any byte of the reply is stale, and takes the idle ones along", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port));
  const fresh = start("/1");
  (await peer.next()).socket.destroy();
  expect(await fresh.result).toStartWith("network: ");

  const both = [start("/2"), start("/3")];
  for (const { answer } of [await peer.next(), await peer.next()]) answer();
  await Promise.all(both.map(({ result }) => result));
  const begun = start("/4");
  (await peer.next()).socket.end("H");
  expect(await begun.result).toBe("network: the connection was closed");

  const third = start("/5");
  (await peer.next()).answer();
  await third.result;
  const more = [start("/6"), start("/7")];
  for (const { answer } of [await peer.next(), await peer.next()]) answer();
  await Promise.all(more.map(({ result }) => result));
  const before = peer.connections();
  const stale = start("/8");
  (await peer.next()).socket.end();
  expect(await stale.result).toBe("stale network: the connection was closed");
  const again = start("/9");
  const { connection, answer } = await peer.next();
  expect(connection).toBe(before);
  answer("ok");
  expect(await again.result).toBe("200 ok");
});

test("E-11 retired: idle connections end now, others when nobody waits for them", async () => {
  const peer = await listen();
  const { start, targets } = setUp(at(peer.port));
  const both = [start("/1"), start("/2")];
  const arrivals = [await peer.next(), await peer.next()];
  arrivals[0]?.answer();
  await both.find((_, index) => `/${index + 1}` === arrivals[0]?.path)?.result;
  const busy = start("/3"); // on the idle one
  const waiting = start("/4");
  const third = await peer.next();
  targets.retire();
  expect(peer.closed.untaken).toEqual([]);
  third.answer("3");
  expect(await busy.result).toBe("200 3");
  const fourth = await peer.next();
  expect(fourth.connection).toBe(third.connection);
  fourth.answer("4");
  expect(await waiting.result).toBe("200 4");
  expect(await peer.closed.take({ what: "end of the connection" })).toBe(fourth.connection);
  arrivals[1]?.answer("late");
  await peer.closed.take({ what: "end of the other connection" });
  expect(peer.connections()).toBe(2);

  const other = await listen();
  const idle = setUp(at(other.port));
  const { result } = idle.start("/1");
  (await other.next()).answer();
  await result;
  idle.targets.retire();
  await other.closed.take({ what: "end of the idle connection" });
});

test("H-37 closed: requests under way and those that wait fail", async () => {
  const peer = await listen();
  let lookups = 0;
  const resolveHost: ResolveHost = async (hostname) => {
    lookups += 1;
    return await loopback(hostname);
  };
  const { start, targets } = setUp(`http://hooks.invalid:${peer.port}`, { resolveHost });
  const all = ["/1", "/2", "/3"].map((path) => start(path));
  await peer.next();
  await peer.next();
  targets.close();
  expect(await Promise.all(all.map(({ result }) => result))).toEqual(
    Array<string>(3).fill("network: the connection was closed"),
  );
  for (let count = 0; count < 2; count++) await peer.closed.take({ what: "end of a connection" });
  expect([peer.connections(), lookups]).toEqual([2, 2]);
});

test("E-46 aborted while its host is looked up: nobody is called, and the place is free", async () => {
  const peer = await listen();
  const lookups: (() => void)[] = [];
  const { start } = setUp(`http://hooks.invalid:${peer.port}`, {
    maxSocketsPerHost: 2, // one for each pool
    resolveHost: () => new Promise((resolve) => lookups.push(() => resolve([{ address: "127.0.0.1", family: 4 }]))),
  });
  const aborted = start("/1");
  const next = start("/2");
  aborted.abort();
  for (const resolve of lookups.splice(0)) resolve();
  expect(lookups).toEqual([]);
  (await peer.next()).answer("ok");
  expect(await next.result).toBe("200 ok");
  expect([peer.connections(), aborted.events]).toEqual([1, []]);
});

test("H-37 beyond 65,536 requests that wait, another fails", async () => {
  const peer = await listen();
  const { start } = setUp(at(peer.port), { maxSocketsPerHost: 2 });
  const hanging = start("/hanging");
  await peer.next();
  const waiting = Array.from({ length: 65_536 }, () => start("/waiting"));
  const surplus = start("/surplus");
  expect(surplus.events).toEqual([]); // such a failure may be tried again, and is never reported at once
  expect(await surplus.result).toBe("network: too many requests are waiting");
  for (const { abort } of [...waiting, hanging]) abort();
});

test.each([
  { headers: ["X", "a\r\nY: b"] },
  { headers: ["X", "a\nb"] },
  { headers: ["X", "a\0"] },
  { headers: ["X", "\u0100"] },
  { headers: ["X\r\nY", "a"] },
  { headers: ["X Y", "a"] },
  { headers: ["", "a"] },
  { headers: ["X", "\xe9"], body: "text", bodyBytes: 4 },
  { path: "/a b" },
  { path: "/a\r\nX: y" },
  { path: "/\xe9" },
  { path: "" },
])("H-37 what would be another request on the wire is not sent: %j", async (overrides) => {
  const { start } = setUp("http://127.0.0.1:1");
  const { result, events } = start("/1", overrides);
  expect(await result).toBe("invalidRequest: a part of the request cannot be sent");
  expect(events).toEqual(["done"]);
});

const trusting = (ca: string | null): HandlerTls => ({ ca, cert: null, key: null });
const loopback: ResolveHost = async () => [{ address: "127.0.0.1", family: 4 }];

test("H-53 over TLS the peer is told the host's name, but no address, and shows a certificate for either", async () => {
  const peer = await listen({ cert: identity.cert, key: identity.key });
  for (const host of ["localhost", "127.0.0.1"]) {
    const { start } = setUp(`https://${host}:${peer.port}`, { tls: trusting(identity.cert), resolveHost: loopback });
    for (const path of ["/1", "/2"]) {
      const { result } = start(path);
      (await peer.next()).answer("ok");
      expect(await result).toBe("200 ok");
    }
  }
  expect(peer.serverNames).toEqual(["localhost", false]);
});

test("H-53 a peer whose certificate does not count gets no byte of a request", async () => {
  const peer = await listen({ cert: identity.cert, key: identity.key });
  const outcome = async (host: string, tls: HandlerTls) =>
    await setUp(`https://${host}:${peer.port}`, { tls, resolveHost: loopback }).start("/1").result;
  expect(await outcome("other.test", trusting(identity.cert))).toBe("network: ERR_TLS_CERT_ALTNAME_INVALID");
  expect(await outcome("localhost", trusting((await selfSigned()).cert))).toBe("network: DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(await outcome("localhost", trusting(null))).toBe("network: DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(await outcome("localhost", trusting("no PEM"))).toBe("invalidRequest: Invalid CA");
  expect(peer.arrivals.untaken).toEqual([]);
});

test("H-53 no TLS below 1.2", async () => {
  const peer = await listen({ cert: identity.cert, key: identity.key, minVersion: "TLSv1", maxVersion: "TLSv1.1" });
  const { start } = setUp(`https://localhost:${peer.port}`, { tls: trusting(identity.cert), resolveHost: loopback });
  expect(await start("/1").result).toBe("network: ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
});

test("H-37 an idle connection does not keep the process", async () => {
  const peer = await listen();
  const program = `
    import { createTargets } from "${import.meta.dirname}/targets.ts";
    import { targetOrigin } from "${import.meta.dirname}/../target-origin.ts";
    import { createTargetGuard } from "${import.meta.dirname}/../target-policy.ts";
    const guard = createTargetGuard({ allowLoopback: true, allowPrivate: true, allowedHosts: [] });
    const scheduler = { after: () => () => undefined };
    const targets = createTargets({ scheduler, guard, maxSocketsPerHost: 3 });
    const wire = { pool: "blocking", method: "POST", path: "/", headers: [], body: "x", bodyBytes: 1 };
    const rule = { maxBytes: 10, timeoutMs: 1000, isNeeded: true };
    const done = (result) => console.log(result.status);
    const origin = targetOrigin(new URL("${at(peer.port)}"));
    targets.of(origin, null).exchange(wire, { sent() {}, head: () => rule, done });`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  (await peer.next()).answer("ok"); // and keeps the connection
  expect([await child.exited, await child.stdout.text()]).toEqual([0, "200\n"]);
});
