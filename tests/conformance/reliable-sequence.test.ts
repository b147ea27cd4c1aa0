import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { successAck } from "../support/events.ts";
import { freshName } from "../support/names.ts";
import {
  connectReliable,
  numbered,
  type ReliableClient,
  recover,
  refusedRecovery,
  tryToRecover,
} from "../support/reliable.ts";
import { anyServer, type Target } from "../support/server.ts";

const everything = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];
const full = "The reliable message buffer is full.";

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  const send = async (hub: string, body: string): Promise<void> => {
    expect((await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body })).status).toBe(202);
  };

  /** Recovers and returns the texts and numbers that are replayed, up to a message of now. */
  const replayed = async (client: ReliableClient): Promise<readonly (readonly [unknown, unknown])[]> => {
    const again = await recover(server, client);
    await send(client.hub, "end");
    const seen: [unknown, unknown][] = [];
    for (;;) {
      const { sequenceId, data } = await again.next();
      if (data === "end") break;
      seen.push([sequenceId, data]);
    }
    again.send({ type: "sequenceAck", sequenceId: 1_000_000 });
    await again.ask({ type: "joinGroup", group: "other" }); // its answer tells that the sequence ack was taken
    return seen;
  };

  test("C-71 data messages of every source are numbered 1, 2, 3; acks, pong and system are not", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: everything });
    expect(client.connected).not.toHaveProperty("sequenceId");
    expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual(successAck);
    await send(hub, "a");
    expect(await client.socket.nextText()).toStartWith('{"sequenceId":1,');
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong" });
    client.send({ type: "sendToGroup", group: "g", dataType: "text", data: "b", ackId: 1 });
    const message = { sequenceId: 2, type: "message", from: "group", group: "g", fromUserId: null };
    const frames = [await client.next(), await client.next()];
    expect(frames).toContainEqual({ ...message, dataType: "text", data: "b" });
    expect(frames).toContainEqual({ type: "ack", ackId: 1, success: true });
    await send(hub, "c");
    expect(await client.next()).toEqual(numbered(3, "c"));
  });

  test("C-71 each connection has numbers of its own, a plain client none", async () => {
    const hub = freshName("hub");
    const first = await connectReliable(server, { hub });
    await send(hub, "a");
    const second = await connectReliable(server, { hub });
    const plain = await connectJson(server, { hub });
    await send(hub, "b");
    expect([await first.next(), await first.next()]).toEqual([numbered(1, "a"), numbered(2, "b")]);
    expect(await second.next()).toEqual(numbered(1, "b"));
    expect(await plain.next()).not.toHaveProperty("sequenceId");
  });

  test("C-73 a sequence ack releases everything up to it; smaller ones nothing, larger ones everything", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: everything });
    for (const data of ["a", "b", "c"]) await send(hub, data);
    for (let count = 0; count < 3; count++) await client.next();
    client.send({ type: "sequenceAck", sequenceId: 2 });
    client.send({ type: "sequenceAck", sequenceId: 1 });
    // A sequence ack has no reply: the next frame is this one's.
    expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual(successAck);
    expect(await replayed(client)).toEqual([[3, "c"]]);
    expect(await replayed(client)).toEqual([]);
  });

  test("C-81 the 1001st unconfirmed message closes 1008, and the connection cannot be recovered", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: everything, groups: "g" });
    const publisher = await connectJson(server, { hub, roles: everything });
    const message = { type: "sendToGroup", group: "g", dataType: "text", data: "x" };
    for (let count = 0; count < 999; count++) publisher.send(message);
    expect(await publisher.ask(message)).toEqual(successAck);
    for (let count = 1; count <= 1000; count++) expect((await client.next())["sequenceId"]).toBe(count);
    expect(await client.ask({ type: "joinGroup", group: "still-open" })).toEqual(successAck);
    expect(await publisher.ask(message)).toEqual(successAck);
    expect(await client.next()).toEqual({ type: "system", event: "disconnected", message: full });
    expect(await client.socket.closed()).toEqual({ code: 1008, reason: full });
    expect(await (await tryToRecover(server, client)).closed()).toEqual(refusedRecovery);
  });

  test("C-81 so do more than 16 MiB, also of a client that is away", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    client.socket.abort();
    const million = "x".repeat(1_000_000);
    for (let count = 0; count < 16; count++) await send(hub, million);
    const path = `/api/hubs/${hub}/connections/${client.connectionId}`;
    expect((await server.rest({ method: "HEAD", path })).status).toBe(200);
    await send(hub, million);
    expect((await server.rest({ method: "HEAD", path })).status).toBe(404);
    expect(await (await tryToRecover(server, client)).closed()).toEqual(refusedRecovery);
  });
});
