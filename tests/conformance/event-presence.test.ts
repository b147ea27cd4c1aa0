import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, type ReceivedRequest, startEventHandler } from "../support/event-handler.ts";
import { connectAnswer, successAck, textEvent } from "../support/events.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

describe.skipIf(isForeign)("group presence", () => {
  let handler: EventHandler;
  let second: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    second = await startEventHandler();
    const withPresence = (to: EventHandler, groupPresenceEvents: Record<string, unknown>) => ({
      ...to.settings(),
      groupPresenceEvents,
    });
    const both = { eventNames: ["joined", "left"] };
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0] },
      hubs: {
        "*": { eventHandlers: [withPresence(handler, both)] },
        filtered: { eventHandlers: [withPresence(handler, { ...both, groupFilters: ["room.*", "lobby"] })] },
        joinedonly: { eventHandlers: [withPresence(handler, { eventNames: ["joined"] })] },
        none: { eventHandlers: [handler.settings()] },
        ordered: {
          eventHandlers: [
            handler.settings({ systemEvents: [] }),
            withPresence(second, { ...both, groupFilters: ["a"] }),
            withPresence(handler, both),
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
    await second.stop();
  });

  const member = async (method: string, path: string): Promise<number> =>
    (await server.rest({ method, path: `/api/hubs/${path}` })).status;
  const idOf = (request: ReceivedRequest): number => Number(request.header("ce-id"));

  test("E-77 joining and leaving produce one event each, with the headers of the connection", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("connect", { headers: [["ce-connectionState", "kept"]] });
    events.answer("joined", { headers: [["ce-connectionState", "ignored"]], body: "ignored" });
    const client = await connectJson(server, { hub, userId: "ann", roles: allRoles });
    for (let time = 0; time < 2; time++)
      expect(await client.ask({ type: "joinGroup", group: "red.1" })).toEqual(successAck);
    for (let time = 0; time < 2; time++)
      expect(await client.ask({ type: "leaveGroup", group: "red.1" })).toEqual(successAck);
    for (const event of ["joined", "left"]) {
      const request = await events.next(event);
      expect([request.method, request.url, request.text]).toEqual([
        "POST",
        `/hooks/${hub}/${event}`,
        '{"group":"red.1"}',
      ]);
      expect(request.header("content-type")).toMatch(/^application\/json(?:; ?charset=utf-8)?$/);
      const names = ["ce-type", "ce-eventName", "ce-connectionId", "ce-userId", "ce-subprotocol", "ce-connectionState"];
      expect(names.map((name) => request.header(name))).toEqual([
        `azure.webpubsub.gp.${event}`,
        event,
        client.connectionId,
        "ann",
        "json.webpubsub.azure.v1",
        "kept",
      ]);
    }
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    const ids = [];
    for (const event of ["connected", "x"]) ids.push(idOf(await events.next(event)));
    expect(ids).toEqual([1, 4]); // joined and left took 2 and 3; repetitions took none
    expect(events.untaken).toEqual(["connect"]);
  });

  test("E-77 REST, token and connect handler make members too; the end leaves every group before disconnected", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const groupsOf = async (event: string, count: number) => {
      const requests: ReceivedRequest[] = [];
      for (let taken = 0; taken < count; taken++) requests.push(await events.next(event));
      return { groups: requests.map((request) => (request.json as { group: string }).group).toSorted(), requests };
    };
    const client = await connectJson(server, { hub, userId: "ann", groups: ["t1", "t2"] });
    const initial = await groupsOf("joined", 2);
    expect(initial.groups).toEqual(["t1", "t2"]);
    expect(initial.requests.map(idOf).toSorted((a, b) => a - b)).toEqual([2, 3]); // behind connected
    expect(await member("PUT", `${hub}/groups/r1/connections/${client.connectionId}`)).toBe(200);
    expect(await member("PUT", `${hub}/users/ann/groups/r2`)).toBe(200);
    expect((await groupsOf("joined", 2)).groups).toEqual(["r1", "r2"]);
    expect(await member("DELETE", `${hub}/groups/r1/connections/${client.connectionId}`)).toBe(204);
    expect((await groupsOf("left", 1)).groups).toEqual(["r1"]);
    client.socket.close();
    const left = await groupsOf("left", 3);
    expect(left.groups).toEqual(["r2", "t1", "t2"]);
    const last = idOf(await events.next("disconnected"));
    for (const request of left.requests) expect(idOf(request)).toBeLessThan(last);

    const other = freshName("hub");
    handler.hub(other).answer("connect", connectAnswer({ groups: ["chosen"] }));
    await connectJson(server, { hub: other, groups: ["given"] });
    expect((await handler.hub(other).next("joined")).json).toEqual({ group: "chosen" });
    expect(handler.hub(other).untaken).not.toContain("joined");
  });

  test("E-77 groupFilters and eventNames select what is sent", async () => {
    const filtered = await connectJson(server, { hub: "filtered", roles: allRoles });
    for (const group of ["rooms", "room.a.b", "ROOM.a", "room.a", "lobby2", "lobby"])
      expect(await filtered.ask({ type: "joinGroup", group })).toEqual(successAck);
    filtered.socket.close();
    await handler.hub("filtered").next("disconnected");
    for (const event of ["joined", "left"]) {
      const groups = [await handler.hub("filtered").next(event), await handler.hub("filtered").next(event)];
      expect(groups.map(({ text }) => text).toSorted()).toEqual(['{"group":"lobby"}', '{"group":"room.a"}']);
    }
    expect(handler.hub("filtered").untaken.toSorted()).toEqual(["connect", "connected"]);

    for (const [hub, expected] of [
      ["joinedonly", ["connect", "connected", "joined"]],
      ["none", ["connect", "connected"]],
    ] as const) {
      const client = await connectJson(server, { hub, roles: allRoles });
      expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual(successAck);
      expect(await client.ask({ type: "leaveGroup", group: "g" })).toEqual(successAck);
      client.socket.close();
      await handler.hub(hub).next("disconnected");
      expect(handler.hub(hub).untaken.toSorted()).toEqual([...expected]);
    }
  });

  test("E-77 the first handler that wants the change of this group receives it, the others do not", async () => {
    const client = await connectJson(server, { hub: "ordered", roles: allRoles });
    for (const group of ["a", "b"]) expect(await client.ask({ type: "joinGroup", group })).toEqual(successAck);
    expect((await second.hub("ordered").next("joined")).json).toEqual({ group: "a" });
    expect((await handler.hub("ordered").next("joined")).json).toEqual({ group: "b" });
    expect([handler, second].map((each) => each.hub("ordered").untaken.includes("joined"))).toEqual([false, false]);
  });
});
