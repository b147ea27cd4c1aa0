import { expect, test } from "bun:test";
import { FakeTunnel, settle } from "../../../tests/support/tunnel-harness.ts";
import { createHarness } from "../../../tests/support/upstream-harness.ts";
import type { TunnelRequest } from "../../tunnel/messages.ts";
import type { TunnelRest } from "./rest-calls.ts";

const none = new Uint8Array(0);

function setUp(rest: TunnelRest) {
  const { tunnels, logs } = createHarness({ handlers: [], tunnel: { rest } });
  const tunnel = new FakeTunnel(tunnels, "chat", "app");
  tunnel.received();
  let ackId = 0;
  const call = (request: Partial<TunnelRequest> = {}) => {
    const routing = { local: true, channel: "c" };
    const plain = { method: "POST", url: "https://host/api/x", headers: [], body: none };
    tunnel.send({ type: "request", ackId: ++ackId, routing, ...plain, ...request });
    return ackId;
  };
  const answers = async () => {
    await settle();
    return tunnel.received().filter((message) => message.type === "response");
  };
  return { tunnel, logs, call, answers };
}

test("T-25 the hub is that of the tunnel, path and query are kept as they are", async () => {
  const seen: unknown[] = [];
  const { call, answers } = setUp(async ({ request, path, query, hub, caller }) => {
    seen.push([
      request.method,
      path,
      query,
      hub,
      caller.address,
      request.headers.get("content-type"),
      await request.text(),
    ]);
    return new Response("ok", { status: 202, headers: { "x-a": "1" } });
  });
  const url = "https://host/api/hubs/other/groups/a%2Fb/:send?filter=a+eq+%27b%27";
  const ackId = call({ url, headers: ["Content-Type", "text/plain"], body: new TextEncoder().encode("hey") });
  expect(await answers()).toMatchObject([
    {
      ackId,
      status: 202,
      routing: { local: true, channel: "c" },
      isPartial: false,
      body: new TextEncoder().encode("ok"),
    },
  ]);
  const path = "/api/hubs/other/groups/a%2Fb/:send";
  expect(seen).toEqual([["POST", path, "filter=a+eq+%27b%27", "chat", "192.0.2.1", "text/plain", "hey"]]);
});

test("T-27 calls are carried out one after the other, in order of arrival", async () => {
  const gates: (() => void)[] = [];
  const started: string[] = [];
  const { call, answers } = setUp(async ({ path }) => {
    started.push(path);
    await new Promise<void>((resolve) => gates.push(resolve));
    return new Response(null, { status: 202 });
  });
  for (const name of ["a", "b", "c"]) call({ url: `https://host/${name}` });
  expect(await answers()).toEqual([]);
  expect(started).toEqual(["/a"]);
  gates[0]?.();
  expect((await answers()).map(({ ackId }) => ackId)).toEqual([1]);
  expect(started).toEqual(["/a", "/b"]);
});

test("what is no request is answered 400, an exception 500, and the calls behind them are answered too", async () => {
  const { call, answers, logs } = setUp(({ path }) => {
    if (path === "/throws") throw new Error("oops");
    return new Response(null, { status: 202 });
  });
  call({ url: "relative" });
  call({ headers: ["no name", "x"] });
  call({ url: "https://host/throws" });
  call();
  expect((await answers()).map(({ status }) => status)).toEqual([400, 400, 500, 202]);
  expect(logs.map(({ event }) => event)).toContain("InternalError");
});

test("an answer above 512 KiB comes in parts, status and headers in each", async () => {
  const body = new Uint8Array(1_100_000).map((_, at) => at);
  const { call, answers } = setUp(() => new Response(body));
  call();
  const parts = await answers();
  expect(parts.map(({ isPartial, body: part }) => [isPartial, part.length])).toEqual([
    [true, 524_288],
    [true, 524_288],
    [false, 51_424],
  ]);
  expect(Buffer.concat(parts.map((part) => part.body)).equals(Buffer.from(body))).toBe(true);
});

test("calls beyond the bound are answered 429 at once, and what a lost tunnel asked for is dropped", async () => {
  let open = (): void => undefined;
  let count = 0;
  const { tunnel, call, answers } = setUp(async () => {
    count += 1;
    await new Promise<void>((resolve) => {
      open = resolve;
    });
    return new Response(null, { status: 202 });
  });
  const body = new Uint8Array(12_000_000);
  for (let calls = 0; calls < 4; calls++) call({ body });
  expect((await answers()).map(({ ackId, status }) => [ackId, status])).toEqual([[4, 429]]);
  tunnel.drop();
  open();
  await settle();
  expect(count).toBe(1);
});

test("an application that does not read its answers is closed before they fill the memory", async () => {
  const { tunnel, call, answers } = setUp(() => new Response(new Uint8Array(12_000_000)));
  tunnel.sink.capacity = 0;
  for (let calls = 0; calls < 4; calls++) call();
  await answers();
  expect(tunnel.sink.ended).toMatchObject({ code: 1008 });
});
