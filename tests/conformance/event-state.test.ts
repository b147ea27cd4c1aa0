import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { type Answer, type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { failedAck, successAck, textEvent } from "../support/events.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

describe.skipIf(isForeign)("connection state", () => {
  let handler: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  const withState = (...values: string[]): Answer => ({
    headers: values.map((value) => ["ce-connectionState", value] as const),
  });

  test("E-71 the state of connect is sent until a user event replaces it; an absent header keeps it", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    const opaque = 'eyJhIjoxfQ==, "quoted" %20';
    events.answer("connect", withState(opaque));
    events.answer("x", [{}, withState("second"), {}, { status: 204, headers: [["CE-CONNECTIONSTATE", "third"]] }, {}]);
    const client = await connectJson(server, { hub });
    const stateOf = async (event: string) => (await events.next(event)).header("ce-connectionState");
    expect(await stateOf("connect")).toBeNull();
    expect(await stateOf("connected")).toBe(opaque);
    for (const state of [opaque, opaque, "second", "second", "third"]) {
      expect(await client.ask(textEvent("x"))).toEqual(successAck);
      expect(await stateOf("x")).toBe(state);
    }
    client.socket.close();
    expect(await stateOf("disconnected")).toBe("third");
  });

  test("E-71 an empty header is a state and is sent as an empty header", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("connect", withState("first"));
    events.answer("x", [withState(""), {}]);
    const client = await connectJson(server, { hub });
    for (const state of ["first", ""]) {
      expect(await client.ask(textEvent("x"))).toEqual(successAck);
      expect((await events.next("x")).values("ce-connectionState")).toEqual([state]);
    }
    client.socket.close();
    expect((await events.next("disconnected")).values("ce-connectionState")).toEqual([""]);
  });

  test("E-71 a state belongs to its connection", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("x", [withState("ann's"), {}]);
    const [ann, bob] = [await connectJson(server, { hub, userId: "ann" }), await connectJson(server, { hub })];
    for (const client of [ann, bob, ann]) expect(await client.ask(textEvent("x"))).toEqual(successAck);
    const states = [await events.next("x"), await events.next("x"), await events.next("x")];
    expect(states.map((request) => request.header("ce-connectionState"))).toEqual([null, null, "ann's"]);
  });

  test("E-72 answers that are not 2xx set no state, nor does connected; of repeated headers the last counts", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    events.answer("connected", withState("of-connected"));
    events.answer("x", [{ ...withState("of-503"), status: 503 }, { ...withState("of-400"), status: 400 }, {}]);
    events.answer("y", [withState("first", "last"), {}]);
    const client = await connectJson(server, { hub });
    await events.next("connected");
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    for (let request = 0; request < 3; request++)
      expect((await events.next("x")).header("ce-connectionState")).toBeNull();
    for (const state of [null, "last"]) {
      expect(await client.ask(textEvent("y"))).toEqual(successAck);
      expect((await events.next("y")).header("ce-connectionState")).toBe(state);
    }
  });
});
