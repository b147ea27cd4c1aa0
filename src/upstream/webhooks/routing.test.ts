import { expect, test } from "bun:test";
import { handlerAt } from "../../../tests/support/upstream-harness.ts";
import type { EventHandlerSettings } from "../settings.ts";
import { compileRoutes, type HubRoutes } from "./routing.ts";

/** Hubs of this name have a tunnel. */
const tunnelled = "tunnelled";
const options = {
  globEventPatterns: false,
  createAuthenticator: () => null,
  hasTunnel: (hub: string) => hub === tunnelled,
};

function routes(...eventHandlers: EventHandlerSettings[]): HubRoutes {
  return compileRoutes({ eventHandlers }, options).routes;
}

const pathOf = (handler: ReturnType<HubRoutes["user"]>) => handler?.template?.resolve("hub", "event") ?? null;

test("E-7 the first handler that matches wins", () => {
  const hub = routes(
    handlerAt("http://h/1", { userEventPattern: "a" }),
    handlerAt("http://h/2"),
    handlerAt("http://h/3"),
  );
  expect(pathOf(hub.user("a", "hub"))).toBe("/1");
  expect(pathOf(hub.user("b", "hub"))).toBe("/2");
});

test("E-8 E-9 each event is routed on its own, user events by the user pattern only", () => {
  const hub = routes(
    handlerAt("http://h/connect", { systemEvents: ["connect"], userEventPattern: "" }),
    handlerAt("http://h/user", { systemEvents: ["disconnected"], userEventPattern: "connected" }),
  );
  expect(pathOf(hub.system("connect", "hub"))).toBe("/connect");
  expect(pathOf(hub.system("disconnected", "hub"))).toBe("/user");
  expect(hub.system("connected", "hub")).toBeNull();
  expect(pathOf(hub.user("connected", "hub"))).toBe("/user");
  expect(hub.user("connect", "hub")).toBeNull();
});

test("E-77 presence goes to the first handler whose names and filters match", () => {
  const presence = (...groupFilters: string[]) => ({
    groupPresenceEvents: { eventNames: ["joined"] as const, groupFilters },
  });
  const hub = routes(
    handlerAt("http://h/1"),
    handlerAt("http://h/2", presence("room.*")),
    handlerAt("http://h/3", presence()),
  );
  expect(hub.hasPresence).toBe(true);
  expect(pathOf(hub.presence("joined", "room.a", "hub"))).toBe("/2");
  expect(pathOf(hub.presence("joined", "room.a.b", "hub"))).toBe("/3");
  expect(hub.presence("left", "room.a", "hub")).toBeNull();
  expect(routes(handlerAt("http://h/1")).hasPresence).toBe(false);
});

test("E-4 E-6 a handler with faulty settings is named, and keeps the events it matches from others", () => {
  const faulty = handlerAt("http://{hub}/", {
    userEventPattern: "a*",
    groupPresenceEvents: { eventNames: ["joined"], groupFilters: ["\\"] },
  });
  expect(compileRoutes({ eventHandlers: [handlerAt("http://h/"), faulty] }, options).problems).toEqual([
    { index: 1, key: "urlTemplate", message: "must not have a placeholder in the host" },
    { index: 1, key: "userEventPattern", message: "must be * or plain event names separated by commas" },
    { index: 1, key: "groupPresenceEvents.groupFilters", message: "has an invalid pattern" },
  ]);
  const hub = routes(faulty, handlerAt("http://h/2"));
  expect(hub.system("connect", "hub")?.template).toBeNull();
  expect(hub.presence("joined", "g", "hub")).toBeNull();
});

test("T-35 a tunnel handler hands on only what it is told to, and only without a tunnel", () => {
  const tunnel = (whenNoTunnel?: string) =>
    routes(handlerAt("tunnel:///t/{event}", { whenNoTunnel }), handlerAt("http://h/2"));
  const chosen = (routed: HubRoutes, hub: string) => {
    const handlers = [routed.user("a", hub), routed.system("connect", hub)];
    return handlers.map((handler) => (handler?.template?.href ?? "none") + (pathOf(handler) ?? ""));
  };
  const inTunnel = ["tunnel:///t/event", "tunnel:///t/event"];
  expect(chosen(tunnel(), "other")).toEqual(inTunnel);
  expect(chosen(tunnel("next"), "other")).toEqual(["http://h/2", "http://h/2"]);
  expect(chosen(tunnel("https://else/{event}"), "other")).toEqual(["https://else/event", "https://else/event"]);
  for (const rule of [undefined, "fail", "next", "https://else/{event}"])
    expect(chosen(tunnel(rule), tunnelled)).toEqual(inTunnel);
});

test("T-35 the rule means nothing for other handlers, and a faulty URL in it is named", () => {
  expect(routes(handlerAt("http://h/1", { whenNoTunnel: "next" })).user("a", "hub")).not.toBeNull();
  const faulty = handlerAt("tunnel:///t", { whenNoTunnel: "ftp://h/" });
  const { routes: routed, problems } = compileRoutes({ eventHandlers: [faulty] }, options);
  expect(problems).toMatchObject([{ index: 0, key: "whenNoTunnel" }]);
  expect(routed.user("a", "hub")?.template).toBeNull();
});
