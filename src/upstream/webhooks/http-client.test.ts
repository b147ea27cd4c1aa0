import { afterEach, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import zlib from "node:zlib";
import { FakeTime } from "../../../tests/support/fake-time.ts";
import { Inbox } from "../../../tests/support/inbox.ts";
import { retryDelaysMs } from "../../../tests/support/upstream-harness.ts";
import type { ResolveHost, TargetPolicy } from "../settings.ts";
import type { Authenticator } from "./handler-auth.ts";
import { createTargets } from "./http/targets.ts";
import { createHttpClient, type HttpCall, type HttpFailure, type HttpReply } from "./http-client.ts";
import { targetOrigin } from "./target-origin.ts";
import { createTargetGuard } from "./target-policy.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A peer that answers each complete request with raw bytes. */
async function listen(answer: (socket: Socket, request: string, count: number) => void) {
  const requests = new Inbox<string>();
  const sockets = new Set<Socket>();
  let count = 0;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let pending = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      for (;;) {
        const head = pending.indexOf("\r\n\r\n");
        if (head < 0) return;
        const length = Number(/content-length: ([0-9]+)/i.exec(pending.slice(0, head))?.[1] ?? 0);
        if (pending.length < head + 4 + length) return;
        const request = pending.slice(0, head + 4 + length);
        pending = pending.slice(head + 4 + length);
        requests.push(request);
        answer(socket, request, ++count);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, requests, count: () => count, connections: () => connections };
}

const say = (head: string, body = "") =>
  `HTTP/1.1 ${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function setUp(
  options: {
    readonly policy?: Partial<TargetPolicy>;
    readonly resolveHost?: ResolveHost;
    readonly maxSocketsPerHost?: number;
  } = {},
) {
  const time = new FakeTime();
  const policy = { allowLoopback: true, allowPrivate: true, allowedHosts: [], ...options.policy };
  const guard = createTargetGuard(policy, options.resolveHost);
  const targets = createTargets({ scheduler: time, guard, maxSocketsPerHost: options.maxSocketsPerHost ?? 8 });
  const client = createHttpClient({ clock: time, scheduler: time });
  cleanups.push(() => targets.close());
  const attempts: (HttpReply | HttpFailure)[] = [];
  const call = async (url: string, overrides: Partial<HttpCall> = {}) => {
    const origin = targetOrigin(new URL(url)) ?? expect.unreachable();
    return await client.call({
      method: "POST",
      target: targets.of(origin, null),
      path: new URL(url).pathname,
      headers: ["ce-id", "7"],
      body: "body",
      bodyBytes: 4,
      pool: "blocking",
      authenticator: null,
      needsBody: true,
      maxResponseBytes: 1000,
      timeoutMs: 100_000,
      retryDelaysMs,
      followsRedirects: true,
      signal: null,
      onSent: null,
      onAttempt: (attempt) => void attempts.push(attempt),
      ...overrides,
    });
  };
  return { time, call, attempts, client };
}

const text = (result: HttpReply | HttpFailure) =>
  result.kind === "reply"
    ? `${result.status} ${Buffer.from(result.body).toString()}`
    : `${result.cause}: ${result.detail}`;

test("E-23 header casing and order stay, Content-Length is sent and nothing else is added", async () => {
  const peer = await listen((socket) => socket.write(say("200 OK", "ok")));
  const { call } = setUp();
  expect(
    text(
      await call(`${peer.url}/p`, {
        headers: ["ce-userId", "\xc3\xa9", "ce-ID", "7"],
        body: Buffer.from("\u00e9!"),
        bodyBytes: 3,
      }),
    ),
  ).toBe("200 ok");
  expect(await peer.requests.take({ what: "request" })).toBe(
    `POST /p HTTP/1.1\r\nHost: 127.0.0.1:${peer.port}\r\nce-userId: \xc3\xa9\r\nce-ID: 7\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n\xc3\xa9!`,
  );
});

test("E-13 OPTIONS and GET have neither body nor Content-Length", async () => {
  const peer = await listen((socket) => socket.write(say("200 OK")));
  const { call } = setUp();
  await call(peer.url, { method: "OPTIONS", body: null, headers: ["a", "b"] });
  expect(await peer.requests.take({ what: "request" })).toBe(
    `OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1:${peer.port}\r\na: b\r\nConnection: keep-alive\r\n\r\n`,
  );
});

test("E-67 408 and 5xx are tried four times in all, with the same request", async () => {
  const peer = await listen((socket, _request, count) =>
    socket.write(say(["503 A", "408 B", "599 C", "500 D"][count - 1] ?? "200 OK")),
  );
  const { call, time, attempts } = setUp();
  const result = call(peer.url);
  for (const delay of retryDelaysMs) await time.elapse(delay);
  expect(text(await result)).toBe("500 ");
  expect(attempts.map(text)).toEqual(["503 ", "408 ", "599 ", "500 "]);
  const requests = new Set(peer.requests.untaken);
  expect([peer.requests.untaken.length, requests.size, peer.connections()]).toEqual([4, 1, 1]);
});

test.each([400, 401, 404, 429, 301, 302])("E-67 E-69 %p is final", async (status) => {
  const peer = await listen((socket) => socket.write(say(`${status} X\r\nLocation: /elsewhere`)));
  const { call } = setUp();
  expect(text(await call(peer.url))).toBe(`${status} `);
  expect(peer.count()).toBe(1);
});

test("E-67 a refused connection and a connection cut before the reply are tried again", async () => {
  const peer = await listen((socket, _request, count) =>
    count === 1 ? socket.destroy() : void socket.write(say("200 OK", "ok")),
  );
  const { call, time } = setUp();
  const result = call(peer.url);
  await time.elapse(retryDelaysMs[0] ?? 0);
  expect(text(await result)).toBe("200 ok");

  const refused = call("http://127.0.0.1:1", { retryDelaysMs: [11] });
  await time.elapse(11);
  expect(text(await refused)).toBe("network: ECONNREFUSED");
});

test("E-67 a kept-alive connection that was closed meanwhile costs no attempt and no delay", async () => {
  const seen = new WeakSet<Socket>();
  const peer = await listen((socket) => {
    if (seen.has(socket)) socket.destroy();
    else socket.write(say("200 OK", "ok"));
    seen.add(socket);
  });
  const { call, attempts } = setUp();
  expect(text(await call(peer.url))).toBe("200 ok");
  expect(text(await call(peer.url, { retryDelaysMs: [] }))).toBe("200 ok");
  expect([peer.count(), attempts.length]).toEqual([3, 0]);
});

test("E-68 the time runs over all attempts and ends in a failure that is not retried", async () => {
  const peer = await listen((socket, _request, count) => void (count === 1 && socket.write(say("500 X"))));
  const { call, time } = setUp();
  const result = call(peer.url, { timeoutMs: 500 });
  await time.elapse(retryDelaysMs[0] ?? 0);
  await peer.requests.take({ what: "first request" });
  await peer.requests.take({ what: "second request" });
  await time.elapse(489);
  expect(text(await result)).toBe("timeout: no answer in time");
  expect(time.running).toEqual([]);
});

test("E-68 H-37 a reply that trickles in has the same time again for its body", async () => {
  const answer = Promise.withResolvers<void>();
  const peer = await listen((socket) => {
    void answer.promise.then(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"));
  });
  const { call, time } = setUp();
  const result = call(peer.url, { timeoutMs: 501 });
  await peer.requests.take({ what: "request" });
  time.advance(250);
  answer.resolve();
  await time.elapse(501);
  expect(text(await result)).toBe("timeout: the body took too long");
});

test("E-69 307 and 308 on the same host are followed with the body, at most five", async () => {
  const peer = await listen((socket, request) => {
    const hop = Number(/^POST \/([0-9]+)/.exec(request)?.[1] ?? 0);
    socket.write(hop < 5 ? say(`${hop % 2 === 0 ? 307 : 308} R\r\nLocation: /${hop + 1}?q=1`) : say("200 OK", "ok"));
  });
  const { call } = setUp();
  expect(text(await call(`${peer.url}/0`))).toBe("200 ok");
  expect(peer.requests.untaken.every((request) => request.endsWith("\r\n\r\nbody"))).toBe(true);
  expect(peer.requests.untaken[5]).toStartWith("POST /5?q=1 HTTP/1.1");

  const loop = await listen((socket) => socket.write(say("307 R\r\nLocation: /")));
  expect(text(await call(loop.url))).toBe("307 ");
  expect(loop.count()).toBe(6);
});

test("E-69 H-37 a redirect to another host, port or scheme is a failure and calls nobody", async () => {
  const other = await listen((socket) => socket.write(say("200 OK", "stolen")));
  const { call } = setUp();
  for (const location of [
    other.url,
    `http://localhost:${other.port}/`,
    `https://localhost:${other.port}/`,
    "http://169.254.169.254/latest",
    "file:///etc/passwd",
    "http://u:p@127.0.0.1/",
    "::",
  ]) {
    const peer = await listen((socket) => socket.write(say(`307 R\r\nLocation: ${location}`)));
    expect(text(await call(peer.url))).toBe("307 ");
  }
  expect(other.count()).toBe(0);
});

const compressed = (encoding: string, body: Buffer) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ]);

test.each([
  ["gzip", zlib.gzipSync("hello")],
  ["x-gzip", zlib.gzipSync("hello")],
  ["deflate", zlib.deflateSync("hello")],
  ["deflate", zlib.deflateRawSync("hello")],
  ["br", zlib.brotliCompressSync("hello")],
  ["identity", Buffer.from("hello")],
])("E-70 %s is decoded (%#)", async (encoding, body) => {
  const peer = await listen((socket) => socket.write(compressed(encoding, body)));
  expect(text(await setUp().call(peer.url))).toBe("200 hello");
});

test.each([
  ["gzip", zlib.gzipSync(Buffer.alloc(1001))],
  ["br", zlib.brotliCompressSync(Buffer.alloc(1001))],
  ["gzip", Buffer.from("no gzip")],
  ["gzip", zlib.gzipSync("hello").subarray(0, 15)],
  ["zstd", Buffer.from("x")],
  ["gzip, br", Buffer.from("x")],
])("E-70 %s that is too big, broken or unknown is a failure (%#)", async (encoding, body) => {
  const peer = await listen((socket) => socket.write(compressed(encoding, body)));
  expect(text(await setUp().call(peer.url))).toBe("invalidReply: the body cannot be decoded or is too big");
});

test("H-37 E-43 a body over the limit is cut off, with and without Content-Length", async () => {
  for (const head of ["Content-Length: 1000000000", "Transfer-Encoding: chunked", "Connection: close"]) {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const peer = await listen((socket) => {
      socket.on("close", () => resolve());
      const chunk = head.startsWith("T") ? `400\r\n${"x".repeat(1024)}\r\n` : "x".repeat(1024);
      socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    expect(text(await setUp().call(peer.url))).toBe("invalidReply: the body is bigger than 1000 bytes");
    await closed;
  }
});

test("H-37 a body that nobody needs is left out when it is too big, and the status counts", async () => {
  const peer = await listen((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n${"x".repeat(1001)}`),
  );
  expect(text(await setUp().call(peer.url, { needsBody: false }))).toBe("200 ");
});

test.each([
  ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "network: the connection was closed within the body"],
  ["HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "invalidReply: the reply switches protocols"],
])("H-37 a broken reply is a failure that is not retried (%#)", async (reply, expected) => {
  const peer = await listen((socket) => socket.end(reply));
  expect(text(await setUp().call(peer.url))).toBe(expected);
  expect(peer.count()).toBe(1);
});

test("H-37 reply headers may have 64 KiB, not more", async () => {
  const peer = await listen((socket, _request, count) =>
    socket.write(say(`200 OK\r\nX: ${"a".repeat(count === 1 ? 60_000 : 70_000)}`)),
  );
  const { call } = setUp();
  expect(text(await call(peer.url))).toBe("200 ");
  expect(text(await call(peer.url, { retryDelaysMs: [] }))).toBe("invalidReply: the headers are bigger than 64 KiB");
});

test("E-46 an abort resolves at once, closes the connection and frees the place of a waiting request", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const peer = await listen((socket, _request, count) => {
    if (count === 1) socket.on("close", () => resolve());
    else socket.write(say("200 OK", "ok"));
  });
  const { call, time } = setUp({ maxSocketsPerHost: 2 }); // one for each pool
  const [first, second] = [new AbortController(), new AbortController()];
  const hanging = call(peer.url, { signal: first.signal });
  await peer.requests.take({ what: "first request" });
  const waiting = call(peer.url, { signal: second.signal });
  const next = call(peer.url);
  second.abort();
  expect(text(await waiting)).toBe("aborted: the client is gone");
  first.abort();
  expect(text(await hanging)).toBe("aborted: the client is gone");
  await closed;
  expect(text(await next)).toBe("200 ok");
  expect(text(await call(peer.url, { signal: first.signal }))).toBe("aborted: the client is gone");
  expect([peer.count(), time.running]).toEqual([2, []]);
  const finished = new AbortController();
  await call(peer.url, { signal: finished.signal });
  expect(getEventListeners(finished.signal, "abort")).toEqual([]);
});

test("H-37 no more requests at a time than sockets, in order", async () => {
  const answers: (() => void)[] = [];
  const peer = await listen((socket) => answers.push(() => socket.write(say("200 OK", "ok"))));
  const { call } = setUp({ maxSocketsPerHost: 3 }); // two for blocking requests
  const results = [1, 2, 3].map((id) => call(peer.url, { headers: ["id", String(id)] }));
  await peer.requests.take({ what: "request 1" });
  await peer.requests.take({ what: "request 2" });
  expect(peer.connections()).toBe(2);
  answers[0]?.();
  expect(await peer.requests.take({ what: "request 3" })).toContain("id: 3");
  for (const answer of answers.slice(1)) answer();
  expect((await Promise.all(results)).map(text)).toEqual(["200 ok", "200 ok", "200 ok"]);
  expect(peer.connections()).toBe(2);
});

test("H-53 a name is resolved, checked and pinned; the check is not repeated for a kept connection", async () => {
  const peer = await listen((socket) => socket.write(say("200 OK", "ok")));
  const asked: string[] = [];
  let answer = "127.0.0.1";
  const { call } = setUp({
    resolveHost: async (hostname) => {
      asked.push(hostname);
      return [{ address: answer, family: 4 }];
    },
  });
  const url = `http://hooks.invalid:${peer.port}/`;
  expect(text(await call(url))).toBe("200 ok");
  answer = "169.254.169.254";
  expect(text(await call(url))).toBe("200 ok");
  expect(asked).toEqual(["hooks.invalid"]);
  expect(await peer.requests.take({ what: "request" })).toContain(`\r\nHost: hooks.invalid:${peer.port}\r\n`);
});

test("H-53 a name that resolves to a forbidden address is refused without a retry", async () => {
  const { call, attempts } = setUp({ resolveHost: async () => [{ address: "::ffff:169.254.169.254", family: 6 }] });
  expect(text(await call("http://rebind.example/"))).toBe(
    "refused: link-local, metadata and multicast addresses are never called",
  );
  expect(attempts.length).toBe(1);
});

test("H-53 addresses in the URL and loopback are refused by the policy", async () => {
  const peer = await listen((socket) => socket.write(say("200 OK")));
  const { call } = setUp({ policy: { allowLoopback: false } });
  for (const url of [
    peer.url,
    `http://localhost:${peer.port}/`,
    `http://[::ffff:127.0.0.1]:${peer.port}/`,
    `http://2130706433:${peer.port}/`,
  ]) {
    expect(text(await call(url))).toBe("refused: loopback addresses are not allowed");
  }
  expect(peer.count()).toBe(0);
});

test("E-12 on 401 the token is refreshed and the request resent once", async () => {
  const peer = await listen((socket) => socket.write(say("401 X")));
  const rejected: string[] = [];
  const authenticator: Authenticator = {
    canRefresh: true,
    authorization: () => Promise.resolve(`Bearer t${rejected.length}`),
    reject: (value) => void rejected.push(value),
  };
  expect(text(await setUp().call(peer.url, { authenticator }))).toBe("401 ");
  expect(rejected).toEqual(["Bearer t0"]);
  expect(peer.requests.untaken.map((request) => /Authorization: (.*)\r/.exec(request)?.[1])).toEqual([
    "Bearer t0",
    "Bearer t1",
  ]);
});

test("E-12 a token that cannot be had is retried like a network error, and nothing is sent without it", async () => {
  const peer = await listen((socket) => socket.write(say("200 OK", "ok")));
  let asked = 0;
  const authenticator: Authenticator = {
    canRefresh: true,
    authorization: () => Promise.resolve(++asked === 1 ? null : "Bearer t"),
    reject: () => undefined,
  };
  const { call, time } = setUp();
  const result = call(peer.url, { authenticator });
  await time.elapse(retryDelaysMs[0] ?? 0);
  expect(text(await result)).toBe("200 ok");
  expect(peer.count()).toBe(1);
});

test("H-37 abortAll ends what is under way", async () => {
  const peer = await listen(() => undefined);
  const { call, client, time } = setUp();
  const result = call(peer.url);
  await peer.requests.take({ what: "request" });
  client.abortAll();
  expect(text(await result)).toBe("aborted: the client is gone");
  expect(time.running).toEqual([]);
});
