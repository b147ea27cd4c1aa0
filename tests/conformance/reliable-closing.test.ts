import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import {
  connectReliable,
  leave,
  numbered,
  type ReliableClient,
  recover,
  refusedRecovery,
  tryToRecover,
} from "../support/reliable.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

/** What the server must say of a connection that is over. */
async function expectGone(target: Target, client: ReliableClient): Promise<void> {
  expect(await (await tryToRecover(target, client)).closed()).toEqual(refusedRecovery);
  expect((await hubApi(target, client.hub)("HEAD", `/connections/${client.connectionId}`)).status).toBe(404);
}

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test("C-79 a close with 1000 or without code is final", async () => {
    const hub = freshName("hub");
    for (const code of [1000, undefined]) {
      const client = await connectReliable(server, { hub });
      client.socket.close(code);
      await client.socket.closed();
      await client.socket.ended;
      await expectGone(server, client);
    }
  });

  test("C-83 R-63 a detached connection exists for REST, with its user and groups", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectReliable(server, { hub, userId: "u", groups: "g" });
    await leave(client);
    for (const path of [`/connections/${client.connectionId}`, "/users/u", "/groups/g"])
      expect((await api("HEAD", path)).status).toBe(200);
  });

  test("R-80 detached members are listed in the order of connection ids", async () => {
    const hub = freshName("hub");
    const clients = [
      await connectReliable(server, { hub, userId: "u", groups: "g" }),
      await connectReliable(server, { hub, groups: "g" }),
      await connectReliable(server, { hub, groups: "g" }),
    ];
    for (const client of clients.slice(1)) await leave(client);
    const listed = (await hubApi(server, hub)("GET", "/groups/g/connections")).json as { readonly value: unknown };
    expect(listed.value).toEqual(
      clients
        .map(({ connectionId }, index) => ({ connectionId, ...(index === 0 ? { userId: "u" } : {}) }))
        .sort((left, right) => (left.connectionId < right.connectionId ? -1 : 1))
        .map((member) => expect.objectContaining(member) as unknown),
    );
  });

  test("C-83 a detached connection joins and leaves groups, which shows when it is back", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectReliable(server, { hub, groups: "old" });
    await leave(client);
    expect((await api("PUT", `/groups/new/connections/${client.connectionId}`)).status).toBe(200);
    expect((await api("DELETE", `/groups/old/connections/${client.connectionId}`)).status).toBe(204);
    for (const group of ["old", "new"]) await api("POST", `/groups/${group}/:send`, { body: group });
    await api("POST", `/connections/${client.connectionId}/:send`, { body: "direct" });
    const again = await recover(server, client);
    expect(await again.next()).toMatchObject({ sequenceId: 1, group: "new", data: "new" });
    expect(await again.next()).toEqual(numbered(2, "direct"));
  });

  test("R-86 C-83 closing a detached connection by any scope prevents its recovery", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    for (const [method, path] of [
      ["DELETE", "/connections/ID?reason=r"],
      ["POST", "/users/u/:closeConnections"],
      ["POST", "/groups/g/:closeConnections"],
      ["POST", "/:closeConnections"],
    ] as const) {
      const client = await connectReliable(server, { hub, userId: "u", groups: "g" });
      await leave(client);
      expect((await api(method, path.replace("ID", client.connectionId))).status).toBe(204);
      await expectGone(server, client);
    }
  });

  test("C-92 a REST close of an attached reliable connection is announced and final", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    expect((await hubApi(server, hub)("DELETE", `/connections/${client.connectionId}`)).status).toBe(204);
    expect(await client.next()).toMatchObject({ type: "system", event: "disconnected" });
    expect((await client.socket.closed()).code).toBe(1000);
    await expectGone(server, client);
  });

  test("C-57 a message that is none is final too", async () => {
    const client = await connectReliable(server, { hub: freshName("hub") });
    client.send("not json");
    expect(await client.next()).toMatchObject({ type: "system", event: "disconnected" });
    expect((await client.socket.closed()).code).toBe(1007);
    await expectGone(server, client);
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      limits: { reliable: { recoverySeconds: 3 } },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("E-51 R-63 C-77 a client that stays away is gone after the recovery time, told once", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectReliable(server, { hub, userId: "u", groups: "g" });
    client.socket.abort();
    expect((await api("HEAD", "/users/u")).status).toBe(200);
    const told = await handler.hub(hub).next("disconnected");
    expect(told.json).toEqual({ reason: "The connection recovery timeout expired." });
    expect(told.header("ce-connectionId")).toBe(client.connectionId);
    await expectGone(server, client);
    for (const path of ["/users/u", "/groups/g"]) expect((await api("HEAD", path)).status).toBe(404);
    expect(handler.hub(hub).untaken).not.toContain("disconnected");
  });

  test("E-51 a plain client's end is told at once, a reliable one's only after the recovery time", async () => {
    const hub = freshName("hub");
    const reliable = await connectReliable(server, { hub });
    const plain = await connectJson(server, { hub });
    reliable.socket.abort();
    plain.socket.abort();
    const ended = [await handler.hub(hub).next("disconnected"), await handler.hub(hub).next("disconnected")];
    expect(ended.map((each) => each.header("ce-connectionId"))).toEqual([plain.connectionId, reliable.connectionId]);
  });

  test("C-79 the end of a client that says good-bye is told at once with its reason", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    client.socket.close(1000, "bye");
    expect((await handler.hub(hub).next("disconnected")).json).toEqual({ reason: "bye" });
  });

  test("R-86 C-82 closing a detached connection tells disconnected once, with the reason", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const client = await connectReliable(server, { hub });
    await leave(client);
    await hubApi(server, hub)("DELETE", `/connections/${client.connectionId}?reason=r`);
    const reason = "Application server closed the connection. Reason: r";
    expect((await events.next("disconnected")).json).toEqual({ reason });
    // Another one that stays away is gone later than the first would be a second time.
    const later = await connectReliable(server, { hub });
    later.socket.abort();
    expect((await events.next("disconnected")).header("ce-connectionId")).toBe(later.connectionId);
    expect(events.untaken).not.toContain("disconnected");
  });
});
