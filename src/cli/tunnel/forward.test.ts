import { afterEach, expect, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { startEventHandler } from "../../../tests/support/event-handler.ts";
import type { TunnelRequest } from "../../tunnel/messages.ts";
import { createForwarder } from "./forward.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function request(changes: Partial<TunnelRequest> = {}): TunnelRequest {
  const routing = { local: false, channel: "" };
  const url = "tunnel:///eventhandler/ev";
  return {
    type: "request",
    ackId: 1,
    method: "POST",
    url,
    headers: ["ce-hub", "chat"],
    routing,
    body: new Uint8Array(0),
    ...changes,
  };
}

async function setUp(path = "") {
  const app = await startEventHandler();
  const forwarder = createForwarder(new URL(`${app.url}${path}`));
  cleanups.push(
    () => forwarder.close(),
    () => app.stop(),
  );
  return { app: app.hub("chat"), url: app.url, forwarder };
}

test("method, path, query, headers and body go on as they came, but for those of the connection", async () => {
  const { app, url, forwarder } = await setUp();
  await forwarder.forward(
    request({
      url: "tunnel:///eventhandler/a%20b/?code=x%2F",
      headers: [
        "ce-hub",
        "chat",
        "ce-userId",
        "j\u00c3\u00bc",
        "Host",
        "evil",
        "Content-Length",
        "99",
        "X-Two",
        "1",
        "X-Two",
        "2",
      ],
      body: new TextEncoder().encode("hey"),
    }),
  );
  const received = await app.next();
  expect([received.method, received.url, received.text]).toEqual(["POST", "/eventhandler/a%20b/?code=x%2F", "hey"]);
  expect([received.header("host"), received.header("content-length")]).toEqual([new URL(url).host, "3"]);
  expect(received.values("x-two")).toEqual(["1", "2"]);
  // T-22: the bytes are UTF-8.
  expect(Buffer.from(received.header("ce-userId") ?? "", "latin1").toString("utf8")).toBe("jü");
});

test("the path of the upstream comes first", async () => {
  const { app, forwarder } = await setUp("/base/");
  await forwarder.forward(request());
  expect((await app.next()).url).toBe("/base/eventhandler/ev");
});

test("the answer comes back as it is: status, repeated headers, encoded body", async () => {
  const { app, forwarder } = await setUp();
  const body = gzipSync("hello");
  app.answer("", {
    status: 307,
    headers: [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["Content-Encoding", "gzip"],
      ["Location", "/x"],
    ],
    body,
  });
  const { status, headers, body: received, problem } = await forwarder.forward(request());
  expect([status, problem]).toEqual([307, null]);
  expect(Buffer.from(received).equals(body)).toBe(true);
  expect(headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() === "set-cookie")).toEqual([
    "Set-Cookie",
    "a=1",
    "Set-Cookie",
    "b=2",
  ]);
  for (const name of ["connection", "transfer-encoding", "content-length"])
    expect(headers.map((text) => text.toLowerCase())).not.toContain(name);
});

test("T-16 an application that is not there, or fails, is a 500 with the reason", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const forwarder = createForwarder(new URL(`http://127.0.0.1:${port}`));
  cleanups.push(() => forwarder.close());
  const reset = await forwarder.forward(request());
  expect([reset.status, reset.problem]).toEqual([500, expect.any(String) as string]);
  await new Promise((resolve) => server.close(resolve));
  const refused = await forwarder.forward(request());
  expect([refused.status, Buffer.from(refused.body).toString()]).toEqual([500, refused.problem ?? ""]);
  expect(refused.problem).toMatch(/ECONNREFUSED|connect/i);
  for (const bad of [
    { url: "relative" },
    { headers: ["bad name", "x"] },
    { headers: ["x", "a\r\nb"] },
    { method: "NO METHOD" },
  ])
    expect((await forwarder.forward(request(bad))).status).toBe(500);
});

test("an answer above 16 MiB is a 500", async () => {
  const { app, forwarder } = await setUp();
  app.answer("", { body: new Uint8Array(16_777_217) });
  expect(await forwarder.forward(request())).toMatchObject({
    status: 500,
    problem: expect.stringContaining("16 MiB") as string,
  });
});
