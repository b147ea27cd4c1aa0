import { expect, test } from "bun:test";
import { handlerAt } from "../../../tests/support/upstream-harness.ts";
import type { EventHandlerSettings } from "../settings.ts";
import { compileRoutes, type HubRoutes } from "./routing.ts";

function routes(...eventHandlers: EventHandlerSettings[]): HubRoutes {
  return compileRoutes({ eventHandlers }, { globEventPatterns: false, createAuthenticator: () => null }).routes;
}

const pathOf = (handler: ReturnType<HubRoutes["user"]>) => handler?.template?.resolve("hub", "event") ?? null;

test("E-7 the first handler that matches wins", () => {
  const hub = routes(
    handlerAt("http://h/1", { userEventPattern: "a" }),
    handlerAt("http://h/2"),
    handlerAt("http://h/3"),
  );
  expect(pathOf(hub.user("a"))).toBe("/1");
  expect(pathOf(hub.user("b"))).toBe("/2");
});

test("E-8 E-9 each event is routed on its own, user events by the user pattern only", () => {
  const hub = routes(
    handlerAt("http://h/connect", { systemEvents: ["connect"], userEventPattern: "" }),
    handlerAt("http://h/user", { systemEvents: ["disconnected"], userEventPattern: "connected" }),
  );
  expect(pathOf(hub.connect)).toBe("/connect");
  expect(pathOf(hub.disconnected)).toBe("/user");
  expect(hub.connected).toBeNull();
  expect(pathOf(hub.user("connected"))).toBe("/user");
  expect(hub.user("connect")).toBeNull();
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
  expect(pathOf(hub.presence("joined", "room.a"))).toBe("/2");
  expect(pathOf(hub.presence("joined", "room.a.b"))).toBe("/3");
  expect(hub.presence("left", "room.a")).toBeNull();
  expect(routes(handlerAt("http://h/1")).hasPresence).toBe(false);
});

test("E-4 E-6 a handler with faulty settings is named, and keeps the events it matches from others", () => {
  const faulty = handlerAt("http://{hub}/", {
    userEventPattern: "a*",
    groupPresenceEvents: { eventNames: ["joined"], groupFilters: ["\\"] },
  });
  const options = { globEventPatterns: false, createAuthenticator: () => null };
  expect(compileRoutes({ eventHandlers: [handlerAt("http://h/"), faulty] }, options).problems).toEqual([
    { index: 1, key: "urlTemplate", message: "must not have a placeholder in the host" },
    { index: 1, key: "userEventPattern", message: "must be * or plain event names separated by commas" },
    { index: 1, key: "groupPresenceEvents.groupFilters", message: "has an invalid pattern" },
  ]);
  const hub = routes(faulty, handlerAt("http://h/2"));
  expect(hub.connect?.template).toBeNull();
  expect(hub.presence("joined", "g")).toBeNull();
});
