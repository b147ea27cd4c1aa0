import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

test("C-24 the first frame is system/connected with connection and user, without reconnection token", async () => {
  const hub = freshName("hub");
  const ann = await connectJson(server, { hub, userId: "ann" });
  expect(ann.connected).toEqual({ type: "system", event: "connected", userId: "ann", connectionId: ann.connectionId });
  const nobody = await connectJson(server, { hub });
  expect(nobody.connected).toEqual({
    type: "system",
    event: "connected",
    userId: null,
    connectionId: nobody.connectionId,
  });
  for (const id of [ann.connectionId, nobody.connectionId]) expect(id).toMatch(/^[\w.-]{16,}$/);
  expect(ann.connectionId).not.toBe(nobody.connectionId);
  await ann.nothingArrived();
});

test("C-25 the first frame is `connected` while broadcasts go on", async () => {
  const hub = freshName("hub");
  let isOver = false;
  const broadcast = async (): Promise<void> => {
    while (!isOver) await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "broadcast" });
  };
  const broadcasts = [broadcast(), broadcast(), broadcast()];
  try {
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 4 }, () => connectJson(server, { hub }))); // throws on another first frame
      for (const client of clients) {
        expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "text", data: "broadcast" });
        client.socket.abort();
      }
    }
  } finally {
    isOver = true;
    await Promise.all(broadcasts);
  }
});

test("C-26 a simple client receives no frame on connect", async () => {
  const client = await connectSimple(server, { hub: freshName("hub") });
  await client.nothingArrived();
});
