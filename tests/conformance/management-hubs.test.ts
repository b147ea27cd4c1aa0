import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { minimal, refusedStart } from "../support/refused-start.ts";
import { rejection } from "../support/rejection.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { type Server, startServer } from "../support/server.ts";
import { handshake } from "../support/web-socket.ts";

let handler: EventHandler;
beforeAll(async () => {
  handler = await startEventHandler();
});
afterAll(async () => await handler.stop());

const event = (name: string) => ({ type: "event", event: name, dataType: "text", data: "x" });
const unhandled = { success: false, error: { name: "InternalServerError", message: "Internal server error" } };

describe("hubs with settings, with others, and without", () => {
  const names = {
    open: freshName("open"),
    fast: freshName("fast"),
    every: freshName("every"),
    listed: freshName("listed"),
    single: freshName("single"),
    paths: freshName("paths"),
    ordered: freshName("ordered"),
  };
  let server: Server;
  beforeAll(async () => {
    const entry = (userEventPattern: string, path?: string) => ({
      eventHandlers: [
        handler.settings({ userEventPattern, systemEvents: [], ...(path === undefined ? {} : { path }) }),
      ],
    });
    server = await startServer({
      upstream: { retryDelaysSeconds: [] },
      hubs: {
        [names.open]: { anonymousConnectPolicy: "Allow" },
        [names.fast]: { webSocketKeepAliveIntervalInSeconds: 1 },
        [names.every]: entry("*"),
        [names.listed]: entry("one, Two ,three"),
        [names.single]: entry("Only"),
        [names.ordered]: {
          eventHandlers: [
            handler.settings({ path: "/first", userEventPattern: "one", systemEvents: [] }),
            handler.settings({ path: "/second", userEventPattern: "*", systemEvents: ["connect"] }),
            handler.settings({ path: "/third" }),
          ],
        },
        [names.paths.toUpperCase()]: entry("*", "/a/{hub}/{EVENT}/b?h={hub}&e={event}&literal=1"),
      },
    });
  });
  afterAll(async () => await server.stop());

  test("M-12 a hub without settings accepts clients and has no event handler", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    expect(await client.ask(event("anything"))).toEqual(unhandled);
    const other = await connectJson(server, { hub: names.every });
    expect(await other.ask(event("fence"))).toEqual({ success: true });
    await handler.hub(names.every).next("fence");
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("M-13 without a token clients are refused, unless the hub allows them; then they have no user", async () => {
    const refused = await handshake(server.endpoint, {
      path: clientPath(server, { hub: freshName("hub"), token: null }),
    });
    expect({ status: refused.status, challenge: refused.header("www-authenticate") }).toEqual({
      status: 401,
      challenge: "Bearer",
    });
    const client = await connectJson(server, { hub: names.open, token: null });
    expect(client.connected["userId"] ?? null).toBeNull();
    expect(client.connected).toMatchObject({ type: "system", event: "connected" });
    const known = await connectJson(server, { hub: names.open, userId: "u" });
    expect(known.connected).toMatchObject({ userId: "u" });
  });

  test("M-14 where anonymous clients are allowed, a bad token is still refused", async () => {
    for (const options of [
      { hub: names.open, token: "no.token.atall" },
      { hub: names.open, signing: { key: "some-other-key-of-at-least-32-bytes" } },
      { hub: names.open, claims: { exp: 1 } },
    ]) {
      const answer = await handshake(server.endpoint, { path: clientPath(server, options) });
      expect(answer.status).toBe(401);
    }
  });

  test("M-15 a hub with an interval of a second pings its clients, others are not pinged meanwhile", async () => {
    const fast = await connectJson(server, { hub: names.fast });
    const slow = await connectJson(server, { hub: freshName("hub") });
    for (let count = 0; count < 3; count++) await fast.socket.pings.take({ what: "ping" });
    await slow.nothingArrived();
    expect(slow.socket.pings.untaken).toEqual([]);
  });

  test("M-16 the first handler that matches an event receives it, and no other", async () => {
    const client = await connectJson(server, { hub: names.ordered });
    for (const name of ["one", "two"]) expect(await client.ask(event(name))).toEqual({ success: true });
    expectEmpty(await hubApi(server, names.ordered)("DELETE", `/connections/${client.connectionId}`), 204);
    for (const [name, url] of [
      ["connect", "/second"],
      ["connected", "/third"],
      ["one", "/first"],
      ["two", "/second"],
      ["disconnected", "/third"],
    ] as const) {
      expect((await handler.hub(names.ordered).next(name)).url).toBe(url);
    }
    expect(handler.hub(names.ordered).untaken).toEqual([]);
  });

  test.each([
    [() => names.every, ["anything", "Other.event"], []],
    [() => names.listed, ["one", "two", "THREE"], ["four", "on", "one2"]],
    [() => names.single, ["Only", "only"], ["other", "onlyx"]],
  ] as const)(
    "M-17 a pattern of user events (%#) matches as a whole and ignoring case",
    async (name, matching, others) => {
      const hub = name();
      const client = await connectJson(server, { hub });
      for (const each of others) expect(await client.ask(event(each))).toEqual(unhandled);
      for (const each of matching) {
        expect(await client.ask(event(each))).toEqual({ success: true });
        expect((await handler.hub(hub).next()).event).toBe(each);
      }
      expect(handler.hub(hub).untaken).toEqual([]);
    },
  );

  test("M-19 hub and event take the place of their placeholders in path and query", async () => {
    const client = await connectJson(server, { hub: names.paths });
    expect(await client.ask(event("my.event-1_x"))).toEqual({ success: true });
    const { url } = await handler.hub(names.paths).next("my.event-1_x");
    expect(url).toBe(`/a/${names.paths}/my.event-1_x/b?h=${names.paths}&e=my.event-1_x&literal=1`);
  });

  test("M-19 what a placeholder stands for is escaped", async () => {
    const hub = `${freshName("hub")}[1],\`x`;
    const own = await startServer({
      hubs: { [hub]: { eventHandlers: [handler.settings({ path: "/{hub}/{event}?h={hub}" })] } },
    });
    try {
      const client = await connectJson(own, { hub });
      expect(await client.ask(event("e"))).toEqual({ success: true });
      const escaped = encodeURIComponent(hub);
      expect((await handler.hub(hub).next("e")).url).toBe(`/${escaped}/e?h=${escaped}`);
    } finally {
      await own.stop();
    }
  });
});

test.each([
  ["an interval of 0", { chat: { webSocketKeepAliveIntervalInSeconds: 0 } }, "webSocketKeepAliveIntervalInSeconds"],
  ["an interval of 121", { chat: { webSocketKeepAliveIntervalInSeconds: 121 } }, "webSocketKeepAliveIntervalInSeconds"],
])("M-15 %s stops the start", async (_what, hubs, path) => {
  expect(await refusedStart({ config: { ...minimal(), hubs } })).toContain(path);
});

test.each(["http://{hub}.example.com/events", "http://{event}/events", "https://example.com:{hub}/events"])(
  "M-19 the placeholder in the host of %s stops the start",
  async (urlTemplate) => {
    const hubs = { chat: { eventHandlers: [{ urlTemplate }] } };
    expect(await refusedStart({ config: { ...minimal(), hubs } })).toContain("eventHandlers[0].urlTemplate");
  },
);

test("M-18 a listener for connect stops the start", async () => {
  const listener = (systemEvents: readonly string[]) => ({
    filter: { type: "EventName", systemEvents },
    endpoint: { type: "EventHub", fullyQualifiedNamespace: "ns.example.com", eventHubName: "events" },
  });
  const hubs = { chat: { eventListeners: [listener(["connected"]), listener(["connect"])] } };
  const output = await refusedStart({ config: { ...minimal(), hubs } });
  expect(output).toContain("hubs.chat.eventListeners[1].filter.systemEvents[0]");
  expect(output).not.toContain("eventListeners[0]");
});

test("M-20 hub names that differ in case only, or have a hyphen, stop the start", async () => {
  const twice = await refusedStart({ config: { ...minimal(), hubs: { Chat: {}, chat: {} } } });
  expect(twice).toMatch(/hubs\.chat: names the same hub as "Chat"/);
  expect(await refusedStart({ config: { ...minimal(), hubs: { "my-hub": {} } } })).toContain("my-hub");
});

test("M-21 an edited handler URL is used for the next event, and nobody is disconnected", async () => {
  const server = await startServer({ hubs: { chat: { eventHandlers: [handler.settings({ path: "/before" })] } } });
  try {
    const client = await connectJson(server, { hub: "chat" });
    expect(await client.ask(event("first"))).toEqual({ success: true });
    expect((await handler.hub("chat").next("first")).url).toBe("/before");
    await server.reconfigure({ hubs: { chat: { eventHandlers: [handler.settings({ path: "/after" })] } } });
    expect(await client.ask(event("second"))).toEqual({ success: true });
    expect((await handler.hub("chat").next("second")).url).toBe("/after");
    await client.nothingArrived();
  } finally {
    await server.stop();
  }
});

test("M-22 invalid content changes nothing on reload and is reported, and stops a start", async () => {
  const hub = freshName("hub");
  const server = await startServer({ hubs: { [hub]: { eventHandlers: [handler.settings()] } } });
  const config = { ...minimal(), hubs: { [hub]: { eventHandlers: [{ urlTemplate: "nonsense" }] } } };
  try {
    const client = await connectJson(server, { hub });
    for (const content of [config, "{ no configuration"]) {
      const from = server.process.output.length;
      server.process.writeConfig(content);
      await server.process.written(/"level":"warning","event":"ConfigurationRefused"/, { from });
      expect(await client.ask(event("still"))).toEqual({ success: true });
      await handler.hub(hub).next("still");
    }
    expect(server.process.output).toContain(`hubs.${hub}.eventHandlers[0].urlTemplate`);
  } finally {
    await server.stop();
  }
  for (const content of [config, "{ no configuration"]) await refusedStart({ config: content });
});

test("M-23 the entry for all hubs is for those without one of their own", async () => {
  const server = await startServer({
    hubs: {
      "*": { anonymousConnectPolicy: "allow", eventHandlers: [handler.settings()] },
      own: {},
    },
  });
  try {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, token: null });
    expect(await client.ask(event("anything"))).toEqual({ success: true });
    await handler.hub(hub).next("anything");
    expect(await rejection(connectJson(server, { hub: "own", token: null }))).toContain("answered 401");
    const other = await connectJson(server, { hub: "Own" });
    expect(await other.ask(event("anything"))).toEqual(unhandled);
    expect(handler.hub("own").untaken).toEqual([]);
  } finally {
    await server.stop();
  }
});
