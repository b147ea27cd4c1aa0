import { afterEach, expect, test } from "bun:test";
import { Inbox } from "../../../tests/support/inbox.ts";
import { createAccessKey } from "../../auth/access-keys.ts";
import { decodeFrame, encodeFrame, type FrameFault } from "../../tunnel/frames.ts";
import type { TunnelMessage, TunnelRequest } from "../../tunnel/messages.ts";
import type { Forwarded } from "./forward.ts";
import type { LinkEnd } from "./link.ts";
import { TunnelClient, type TunnelClientOptions } from "./tunnel-client.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Seen {
  readonly url: URL;
  send(message: TunnelMessage | Uint8Array | string): void;
  close(code: number, reason: string): void;
  readonly received: Inbox<TunnelMessage | FrameFault>;
  readonly closed: Promise<number>;
}

/** A service that takes every tunnel. */
function startService(options: { readonly greets?: boolean } = {}) {
  const tunnels = new Inbox<Seen>();
  const state = { status: 101 };
  interface Data {
    readonly url: URL;
    readonly received: Inbox<TunnelMessage | FrameFault>;
    readonly closed: PromiseWithResolvers<number>;
  }
  const server = Bun.serve<Data>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => {
      if (state.status !== 101) return new Response(null, { status: state.status });
      const data = {
        url: new URL(request.url),
        received: new Inbox<TunnelMessage | FrameFault>(),
        closed: Promise.withResolvers<number>(),
      };
      return self.upgrade(request, { data, headers: { "Sec-WebSocket-Protocol": "" } })
        ? undefined
        : new Response(null, { status: 400 });
    },
    websocket: {
      open(socket) {
        const { url, received, closed } = socket.data;
        const send = (message: TunnelMessage | Uint8Array | string) => {
          if (typeof message === "string") socket.send(message);
          else socket.send(message instanceof Uint8Array ? message : encodeFrame(message));
        };
        if (options.greets !== false) send({ type: "connected", connectionId: "c-1", userId: null });
        tunnels.push({
          url,
          received,
          send,
          closed: closed.promise,
          close: (code, reason) => socket.close(code, reason),
        });
      },
      message(socket, frame) {
        if (typeof frame !== "string") socket.data.received.push(decodeFrame(frame, { maxJsonBytes: 1_000_000 }));
      },
      close: (socket, code) => socket.data.closed.resolve(code),
    },
  });
  cleanups.push(() => server.stop(true));
  return {
    url: `http://127.0.0.1:${server.port}`,
    state,
    next: (withinMs = 5000) => tunnels.take({ what: "tunnel", withinMs }),
  };
}

function setUp(endpoint: string, overrides: Partial<TunnelClientOptions> = {}) {
  const lost = new Inbox<LinkEnd>();
  const told: string[] = [];
  const ended = new Inbox<string>();
  const client = new TunnelClient({
    endpoint,
    hub: "chat",
    key: createAccessKey("a key of some length, as it should be"),
    handle: ({ body }) => Promise.resolve({ status: 200, headers: ["x-a", "1"], body, problem: null }),
    opened: () => undefined,
    lost: (end) => lost.push(end),
    told: (text) => void told.push(text),
    ended: (text) => ended.push(text),
    ...overrides,
  });
  cleanups.push(() => client.stop(0));
  return { client, lost, told, ended };
}

function request(ackId: number, body = "hey"): TunnelRequest {
  const routing = { local: false, channel: "n1" };
  return {
    type: "request",
    ackId,
    method: "POST",
    url: "tunnel:///x",
    headers: [],
    routing,
    body: new TextEncoder().encode(body),
  };
}

const claimsOf = (url: URL) =>
  JSON.parse(Buffer.from(url.searchParams.get("access_token")?.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
const move = (
  type: "reconnect" | "rebalance",
  endpoint: string | null,
  targetId: string | null = null,
): TunnelMessage => ({ type, endpoint, targetId, text: type });
const answerTo = async ({ received }: Seen) => received.take({ what: "answer" });

test("T-2 it connects with a token for exactly its URL, and answers requests with their routing", async () => {
  const service = startService();
  const { client } = setUp(`${service.url}/base`);
  expect(await client.start()).toBeNull();
  const tunnel = await service.next();
  expect(tunnel.url.pathname).toBe("/base/server/tunnel");
  const claims = claimsOf(tunnel.url);
  expect(claims["aud"]).toBe(`${service.url.replace("http", "ws")}/base/server/tunnel?hub=chat`);
  expect([typeof claims["sub"], claims["role"]]).toEqual(["string", undefined]);
  expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(3600);
  tunnel.send(request(7));
  const routing = { local: false, channel: "n1" };
  expect(await answerTo(tunnel)).toEqual({
    type: "response",
    ackId: 7,
    status: 200,
    headers: ["x-a", "1"],
    routing,
    isPartial: false,
    body: new TextEncoder().encode("hey"),
  });
});

test("requests run side by side", async () => {
  const service = startService();
  const slow = Promise.withResolvers<Forwarded>();
  const handle = ({ ackId, body }: TunnelRequest) =>
    ackId === 1 ? slow.promise : Promise.resolve({ status: 200, headers: [], body, problem: null });
  const { client } = setUp(service.url, { handle });
  await client.start();
  const tunnel = await service.next();
  tunnel.send(request(1));
  tunnel.send(request(2));
  expect(await answerTo(tunnel)).toMatchObject({ ackId: 2 });
  slow.resolve({ status: 201, headers: [], body: new Uint8Array(0), problem: null });
  expect(await answerTo(tunnel)).toMatchObject({ ackId: 1, status: 201 });
});

test.each([401, 403, 503])("a first start that is refused with %d is reported and not repeated", async (status) => {
  const service = startService();
  service.state.status = status;
  const { client, lost } = setUp(service.url);
  expect(await client.start()).toMatchObject({ kind: "failed", status });
  expect(lost.untaken).toEqual([]);
});

test("a service that is not there, or no tunnel service, is reported without the token", async () => {
  const { client } = setUp("http://127.0.0.1:1");
  const end = await client.start();
  expect(end).toMatchObject({
    kind: "failed",
    status: null,
    detail: expect.stringMatching(/connection refused/) as string,
  });
  expect(JSON.stringify(end)).not.toContain("access_token");
  const silent = startService({ greets: false });
  const second = setUp(silent.url);
  const starting = second.client.start();
  (await silent.next()).send({ type: "status", text: "hello" });
  expect(await starting).toMatchObject({ kind: "failed", detail: "the service did not greet" });
});

test("T-29 a lost connection is had back, with the same subject, whatever the reason", async () => {
  const service = startService();
  const { client, lost } = setUp(service.url);
  await client.start();
  const first = await service.next();
  first.close(1001, "Service is restarting.");
  expect(await lost.take({ what: "loss" })).toEqual({ kind: "closed", code: 1001, reason: "Service is restarting." });
  const second = await service.next();
  expect(claimsOf(second.url)["sub"]).toBe(claimsOf(first.url)["sub"]);
  service.state.status = 401;
  second.close(1008, "");
  expect(await lost.take({ what: "loss" })).toMatchObject({ code: 1008 });
  expect(await lost.take({ what: "refusal" })).toMatchObject({ kind: "failed", status: 401 });
  service.state.status = 101;
  const third = await service.next();
  third.send(new Uint8Array([1, 2, 3]));
  expect(await lost.take({ what: "loss" })).toMatchObject({ kind: "closed" });
  await service.next();
});

test("T-30 type 8 opens one more connection, type 6 moves one, type 7 ends one for good", async () => {
  const [here, there] = [startService(), startService()];
  const { client, lost, told, ended } = setUp(here.url);
  await client.start();
  const first = await here.next();
  first.send({ type: "status", text: "keepalive" });
  first.send(move("rebalance", `${there.url}/`, "node 2"));
  const second = await there.next();
  expect(second.url.search).toStartWith("?hub=chat&target=node%202&access_token=");
  expect(claimsOf(second.url)).toMatchObject({
    aud: `${there.url.replace("http", "ws")}/server/tunnel?hub=chat&target=node%202`,
    sub: claimsOf(first.url)["sub"],
  });
  for (const [ackId, tunnel] of [first, second].entries()) {
    tunnel.send(request(ackId + 1));
    expect(await answerTo(tunnel)).toMatchObject({ ackId: ackId + 1 });
  }
  first.send(move("reconnect", null));
  await first.closed;
  const third = await here.next();
  expect(third.url.searchParams.has("target")).toBe(false);
  second.send({ type: "close", text: "bye" });
  await second.closed;
  expect(ended.untaken).toEqual([]);
  third.send({ type: "close", text: "for good" });
  await third.closed;
  expect(await ended.take({ what: "end" })).toBe("for good");
  expect([lost.untaken, told]).toEqual([[], ["keepalive", "rebalance", "reconnect"]]);
});

test("T-30 a place that is no URL is not gone to", async () => {
  const service = startService();
  const { client, told } = setUp(service.url);
  await client.start();
  const tunnel = await service.next();
  tunnel.send(move("rebalance", "file:///etc"));
  tunnel.send(request(1));
  await answerTo(tunnel);
  expect(told).toEqual(["The service asked for a connection to a place that is no URL."]);
});

test("stopping answers what is under way, takes nothing new, and closes in order", async () => {
  const service = startService();
  const gate = Promise.withResolvers<Forwarded>();
  const asked: number[] = [];
  const arrived = Promise.withResolvers<void>();
  const handle = ({ ackId }: TunnelRequest) => {
    asked.push(ackId);
    arrived.resolve();
    return gate.promise;
  };
  const told = Promise.withResolvers<void>();
  const { client, lost } = setUp(service.url, { handle, told: () => told.resolve() });
  await client.start();
  const tunnel = await service.next();
  tunnel.send(request(1));
  await arrived.promise;
  const stopped = client.stop(5000);
  tunnel.send(request(2));
  tunnel.send({ type: "status", text: "a fence" });
  await told.promise;
  gate.resolve({ status: 200, headers: [], body: new Uint8Array(0), problem: null });
  expect(await answerTo(tunnel)).toMatchObject({ ackId: 1 });
  await stopped;
  expect(await tunnel.closed).toBe(1000);
  expect([asked, lost.untaken]).toEqual([[1], []]);
});
