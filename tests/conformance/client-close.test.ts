import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test("C-92 a REST close with reason is announced, then closes 1000", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const path = `/api/hubs/${hub}/connections/${client.connectionId}?reason=moving%20on`;
    expect((await server.rest({ method: "DELETE", path })).status).toBe(204);
    expect(await client.next()).toEqual({
      type: "system",
      event: "disconnected",
      message: "Application server closed the connection. Reason: moving on",
    });
    expect(await client.socket.closed()).toEqual({ code: 1000, reason: "" });
    await client.socket.ended;
  });

  test("C-92 a simple client gets the close frame alone, with the reason in it", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    const path = `/api/hubs/${hub}/users/${client.userId}/:closeConnections?reason=r`;
    expect((await server.rest({ method: "POST", path })).status).toBe(204);
    expect(await client.socket.closed()).toEqual({ code: 1000, reason: "r" });
  });

  test("C-92 a client's close is answered with its code and reason", async () => {
    const hub = freshName("hub");
    for (const [code, reason] of [
      [1000, "bye"],
      [1001, ""],
      [4321, "own code"],
    ] as const) {
      const client = await connectJson(server, { hub });
      client.socket.close(code, reason);
      expect((await client.socket.closed()).code).toBe(code);
      await client.socket.ended;
    }
    const silent = await connectJson(server, { hub });
    silent.socket.close();
    expect([1000, 1005]).toContain((await silent.socket.closed()).code);
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({
      hubs: {
        brisk: { webSocketKeepAliveIntervalInSeconds: 1 },
        patient: { webSocketKeepAliveIntervalInSeconds: 120 }, // who does not read answers no ping either
      },
      limits: { outboundQueue: { messages: 40, bytes: 4 * 1_048_576 } },
    });
  });
  afterAll(async () => await server.stop());

  test("C-94 a client that stops reading is closed, and nobody else notices", async () => {
    const hub = "patient";
    const reader = await connectJson(server, { hub });
    const stuck = await connectJson(server, { hub });
    stuck.socket.pause();
    const exists = async (): Promise<boolean> => {
      const path = `/api/hubs/${hub}/connections/${stuck.connectionId}`;
      return (await server.rest({ method: "HEAD", path })).status === 200;
    };
    const padding = "x".repeat(200_000);
    let sent = 0;
    while (await exists()) {
      expect(sent).toBeLessThan(1000); // 190 MiB, of which the kernel takes 36 at most
      expect(
        (await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: `${sent} ${padding}` })).status,
      ).toBe(202);
      expect((await reader.next())["data"]).toBe(`${sent} ${padding}`);
      sent++;
    }
    await reader.nothingArrived();
    stuck.socket.resume();
    let read = 0;
    for (;;) {
      const event = await stuck.socket.next();
      if (event.kind === "closed") {
        expect([event.code, event.reason]).toEqual([1008, "The outbound message queue is full."]);
        break;
      }
      expect(event).toMatchObject({ kind: "text", text: expect.stringContaining(`"data":"${read} x`) as unknown });
      read++;
    }
    expect(read).toBeLessThan(sent);
  });

  test("C-93 pings arrive at the configured interval, and a client that answers none is dropped", async () => {
    const silent = await connectSimple(server, { hub: "brisk", answerPings: false });
    const answering = await connectSimple(server, { hub: "brisk" });
    expect(await silent.socket.closed()).toEqual({ code: 1006, reason: "" });
    for (let ping = 0; ping < 5; ping++) await answering.socket.pings.take({ what: "ping" });
    await answering.nothingArrived();
  });

  test("C-93 without setting pings arrive every 20 seconds", async () => {
    const start = performance.now();
    const client = await connectSimple(server, { hub: freshName("leisurely") });
    await client.socket.pings.take({ what: "ping", withinMs: 40_000 });
    expect(performance.now() - start).toBeGreaterThan(18_000);
    await client.nothingArrived();
  });
});
