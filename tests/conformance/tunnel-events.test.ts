import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, type JsonClient, openClient } from "../support/clients.ts";
import { failedAck, successAck, textEvent } from "../support/events.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { acceptAllBut, openTunnel, type TunnelledRequest } from "../support/tunnel.ts";

const allEvents = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };
const handler = { urlTemplate: "tunnel:///eventhandler/{event}", ...allEvents };
const json = { "content-type": ["application/json"] };
const text = { "content-type": ["text/plain"] };

describe.skipIf(isForeign)("events through a tunnel", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({
      hubs: { "*": { eventHandlers: [handler] } },
      upstream: { retryDelaysSeconds: [0, 0, 1] },
    });
  });
  afterAll(() => server.stop());

  /** A hub of its own with one tunnel that takes these events by hand. */
  async function setUp(...byHand: readonly string[]) {
    const hub = freshName("hub");
    const tunnel = await openTunnel(server, { hub, auto: acceptAllBut(...byHand) });
    const connect = (userId = "ann") => connectJson(server, { hub, userId, roles: ["webpubsub.sendToGroup"] });
    return { hub, tunnel, connect };
  }

  test("T-11 connect is a POST to the template's path with the headers of a webhook, each one value", async () => {
    const { hub, tunnel, connect } = await setUp("connect");
    const client = connect("jürgen");
    const request = await tunnel.serve("connect");
    await client;
    expect([request.method, new URL(request.url).pathname]).toEqual(["POST", "/eventhandler/connect"]);
    const { hostname } = new URL(server.endpoint);
    for (const [name, value] of [
      ["WebHook-Request-Origin", hostname],
      ["Content-Type", "application/json; charset=utf-8"],
      ["ce-type", "azure.webpubsub.sys.connect"],
      ["ce-hub", hub],
      ["ce-specversion", "1.0"],
      ["ce-awpsversion", "1.0"],
      ["ce-eventName", "connect"],
      ["ce-userId", Buffer.from("jürgen").toString("latin1")],
    ] as const)
      expect([name, request.header(name)]).toEqual([name, value]);
    const id = request.header("ce-connectionId") ?? "";
    expect(request.header("ce-source")).toBe(`/hubs/${hub}/client/${id}`);
    expect(request.header("ce-signature")).toMatch(/^sha256=[0-9a-f]{64},sha256=[0-9a-f]{64}$/);
    for (const name of ["Host", "Content-Length", "Connection", "Transfer-Encoding"])
      expect([name, request.header(name)]).toEqual([name, null]);
    for (const values of Object.values(request.headers)) expect(values).toHaveLength(1);
    expect(JSON.parse(request.text)).toMatchObject({ claims: { sub: ["jürgen"] }, subprotocols: [expect.any(String)] });
  });

  test("T-12 the answer to connect sets user, roles and groups, or refuses", async () => {
    const { hub, tunnel } = await setUp("connect");
    const connecting = connectJson(server, { hub });
    const body = JSON.stringify({ userId: "bob", roles: ["webpubsub.sendToGroup.g"], groups: ["g"] });
    await tunnel.serve("connect", { headers: json, body });
    const client = await connecting;
    expect(client.connected).toMatchObject({ userId: "bob" });
    client.send({ type: "sendToGroup", group: "g", dataType: "text", data: "x" });
    expect(await client.next()).toMatchObject({ type: "message", from: "group", data: "x", fromUserId: "bob" });
    const refused = openClient(server, { hub }).catch((error: unknown) => String(error));
    await tunnel.serve("connect", { status: 401, body: "no" });
    expect(await refused).toContain("401");
  });

  test("T-12 the answer to an event is a message before the ack, and its state comes back", async () => {
    const { tunnel, connect } = await setUp("ev");
    const client = await connect();
    const headers = { ...text, "ce-connectionstate": ["s1"] };
    for (const [ackId, state] of [null, "s1"].entries()) {
      client.send({ ...textEvent("ev"), ackId });
      const request = await tunnel.serve("ev", { headers, body: "hello" });
      expect(request.header("ce-connectionState")).toBe(state);
      expect(await client.next()).toMatchObject({ type: "message", from: "server", data: "hello" });
      expect(await client.next()).toEqual({ type: "ack", ackId, success: true });
    }
  });

  test("T-13 the parts of an answer are joined", async () => {
    const { tunnel, connect } = await setUp("ev");
    const client = await connect();
    client.send({ ...textEvent("ev"), ackId: 1 });
    const request = await tunnel.next("ev");
    tunnel.answer(request, { headers: text, body: "a", isPartial: true });
    tunnel.answer(request, { status: 500, body: "b", isPartial: true });
    tunnel.answer(request, { status: 500, body: "c" });
    expect(await client.next()).toMatchObject({ data: "abc" });
    expect(await client.next()).toMatchObject({ success: true });
  });

  test("T-14 an answer of 3 MiB in one frame is taken; beyond the limit the tunnel is closed and the event fails", async () => {
    const { tunnel, connect } = await setUp("ev");
    const client = await connect();
    client.send({ ...textEvent("ev"), ackId: 1 });
    const body = "x".repeat(3_145_728);
    await tunnel.serve("ev", { headers: text, body });
    expect((await client.next())["data"]).toHaveLength(body.length);
    expect(await client.next()).toMatchObject({ success: true });
    client.send({ ...textEvent("ev"), ackId: 2 });
    tunnel.answer(await tunnel.next("ev"), { headers: text, body: "x".repeat(17_000_000) });
    expect((await tunnel.closed()).code).toBe(1009);
    expect(await client.next({ withinMs: 10_000 })).toMatchObject({ type: "ack", ackId: 2, success: false });
  });

  test("T-15 answers in reverse order reach their clients", async () => {
    const { tunnel, connect } = await setUp("ev");
    const clients = [await connect("ann"), await connect("bob")];
    for (const client of clients) client.send({ ...textEvent("ev"), ackId: 1 });
    const requests = [await tunnel.next("ev"), await tunnel.next("ev")];
    for (const request of requests.toReversed())
      tunnel.answer(request, { headers: text, body: request.header("ce-userId") ?? "" });
    for (const [at, user] of ["ann", "bob"].entries())
      expect(await clients[at]?.next()).toMatchObject({ type: "message", data: user });
  });

  test("T-16 a 500 is tried again with the same ce-id and another AckId", async () => {
    const { tunnel, connect } = await setUp("ev");
    const client = await connect();
    client.send({ ...textEvent("ev"), ackId: 1 });
    const requests: TunnelledRequest[] = [];
    for (let attempt = 0; attempt < 4; attempt++)
      requests.push(await tunnel.serve("ev", { status: 500, body: "connect ECONNREFUSED 127.0.0.1:3000" }));
    expect(await client.next()).toMatchObject(failedAck);
    expect(new Set(requests.map((request) => request.header("ce-id"))).size).toBe(1);
    expect(new Set(requests.map(({ ackId }) => ackId)).size).toBe(4);
  });

  test("T-17 an event on a tunnel that is lost is delivered on another one", async () => {
    const { hub, tunnel: first, connect } = await setUp("ev");
    const client = await connect();
    client.send({ ...textEvent("ev"), ackId: 1 });
    const lost = await first.next("ev");
    const serverId = (await first.greeting()).json["UserId"] as string;
    const second = await openTunnel(server, { hub, serverId, auto: acceptAllBut("ev") });
    first.socket.abort();
    const again = await second.serve("ev");
    expect(again.header("ce-id")).toBe(lost.header("ce-id") ?? "");
    expect(await client.next()).toMatchObject(successAck);
  });

  test("T-18 without a tunnel connect is refused with 500 and the log says why; one that comes in time gets it", async () => {
    const hub = freshName("hub");
    const refused = await openClient(server, { hub }).catch((error: unknown) => String(error));
    expect(refused).toContain("answered 500");
    await server.process.written(new RegExp(`there is no tunnel connection for hub ${hub}`));
    const connecting = connectJson(server, { hub });
    await server.process.written(
      new RegExp(`no tunnel connection for hub ${hub}[\\s\\S]*no tunnel connection for hub ${hub}`),
    );
    await openTunnel(server, { hub, auto: acceptAllBut() });
    await connecting;
  });

  test("T-18 an event without a tunnel fails its ack", async () => {
    const { tunnel, connect } = await setUp();
    const client = await connect();
    tunnel.socket.close(1000);
    await tunnel.closed();
    client.send({ ...textEvent("ev"), ackId: 1 });
    expect(await client.next({ withinMs: 10_000 })).toMatchObject(failedAck);
  });

  test("T-19 T-20 nothing but events comes, and answers to nothing are ignored", async () => {
    const { tunnel, connect } = await setUp("connect", "connected", "ev");
    const connecting = connect();
    const first = await tunnel.serve("connect");
    tunnel.answer(first, { status: 401 });
    for (const ackId of [999_999, -1, 0]) tunnel.answer(first, { ackId });
    const client: JsonClient = await connecting;
    await tunnel.serve("connected");
    client.send({ ...textEvent("ev"), ackId: 1 });
    expect((await tunnel.serve("ev")).method).toBe("POST");
    expect(await client.next()).toMatchObject(successAck);
    expect(tunnel.events.untaken).toEqual([]);
  });

  test("T-21 cookies are kept per connection and sent back in one header", async () => {
    const { tunnel, connect } = await setUp("connect", "ev");
    const connecting = connect();
    await tunnel.serve("connect", { headers: { "set-cookie": ["a=1; Path=/; HttpOnly", "b=2; Path=/"] } });
    const client = await connecting;
    client.send(textEvent("ev"));
    expect((await tunnel.serve("ev")).header("Cookie")).toBe("a=1; b=2");
  });
});
