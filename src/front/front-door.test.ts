import { expect, test } from "bun:test";
import type { NetworkRequest } from "../core/network-access.ts";
import type { Endpoint, UpgradeRequest } from "../core/ports.ts";
import { type ApiRequest, createFrontDoor } from "./front-door.ts";

function setUp(
  options: { readonly pathBase?: string; readonly isStopped?: boolean; readonly denied?: readonly string[] } = {},
) {
  const api: ApiRequest[] = [];
  const upgrades: UpgradeRequest[] = [];
  const asked: NetworkRequest[] = [];
  const serverUpgrades: UpgradeRequest[] = [];
  const endpointOf = (seen: UpgradeRequest[]): Endpoint => ({
    upgrade(request) {
      seen.push(request);
      return Promise.resolve({ accept: false, status: 418, body: "" });
    },
  });
  const door = createFrontDoor({
    pathBase: options.pathBase ?? "",
    endpoint: endpointOf(upgrades),
    serverEndpoint: endpointOf(serverUpgrades),
    rest(request) {
      api.push(request);
      return new Response(null, { status: 299 });
    },
    settings: () => ({
      maxTargetLength: 100,
      isStopped: options.isStopped ?? false,
      isTrustedProxy: () => false,
      isAllowed(request) {
        asked.push(request);
        return !(options.denied ?? []).includes(request.type);
      },
    }),
  });
  /** Status of the answer; 101 stands for a question to an endpoint. */
  const knockAt = async (url: string, init: RequestInit = {}): Promise<number> => {
    // The runtime hands over whatever the client wrote, which the constructor would not take.
    const request = Object.defineProperty(new Request("http://host.test/", init), "url", { value: url });
    const answer = await door(request, {
      address: "192.0.2.1",
      isSecure: false,
      listener: "private",
      certificate: null,
    });
    return "upgrade" in answer ? 101 : answer.status;
  };
  const knock = (target: string, init?: RequestInit): Promise<number> => knockAt(`http://host.test${target}`, init);
  return { knock, knockAt, api, upgrades, serverUpgrades, asked };
}

test("requests find their way by the first segment, in any case", async () => {
  const { knock, api, upgrades, asked } = setUp();
  expect(await knock("/API/hubs/h/:send?api-version=1&x=%2F?")).toBe(299);
  expect(await knock("/client/hubs/h")).toBe(101);
  expect(api.map(({ path, query, pathBase }) => [path, query, pathBase])).toEqual([
    ["/API/hubs/h/:send", "api-version=1&x=%2F?", ""],
  ]);
  expect(upgrades.map(({ path, query, isUpgrade }) => [path, query, isUpgrade])).toEqual([
    ["/client/hubs/h", "", false],
  ]);
  expect(asked).toEqual([
    { type: "RESTAPI", address: "192.0.2.1", listener: "private" },
    { type: "ClientConnection", address: "192.0.2.1", listener: "private" },
  ]);
});

test("T-7 application servers have an endpoint and a request type of their own", async () => {
  const { knock, upgrades, serverUpgrades, asked } = setUp();
  const headers = { upgrade: "websocket", connection: "Upgrade" };
  expect(await knock("/Server/tunnel?hub=h", { headers })).toBe(101);
  expect(serverUpgrades.map(({ path, query, isUpgrade }) => [path, query, isUpgrade])).toEqual([
    ["/Server/tunnel", "hub=h", true],
  ]);
  expect([upgrades, asked.map(({ type }) => type)]).toEqual([[], ["ServerConnection"]]);
  expect(await setUp({ denied: ["ServerConnection"] }).knock("/server/tunnel?hub=h", { headers })).toBe(403);
});

test("an upgrade is a GET", async () => {
  const { knock, upgrades } = setUp();
  const headers = { upgrade: "WebSocket", connection: "Upgrade" };
  await knock("/client/hubs/h", { headers });
  await knock("/client/hubs/h", { method: "POST", headers });
  expect(upgrades.map(({ isUpgrade }) => isUpgrade)).toEqual([true, false]);
});

test.each([
  "/",
  "/x",
  "/apix",
  "/constructor/x",
  "/__proto__",
  "/toString",
  "//client/hubs/h",
  "/servers",
  "/livetrace",
  "*",
])("%p is nowhere", async (url) => {
  expect(await setUp().knock(url)).toBe(404);
});

test("H-52 a request without a usable host is still routed by its own path", async () => {
  const { knockAt, upgrades } = setUp();
  expect(await knockAt("/client/hubs/h?a=//b/api/x")).toBe(101);
  expect(await knockAt("/x/api/hubs/h")).toBe(404);
  expect(upgrades.map(({ path, query }) => [path, query])).toEqual([["/client/hubs/h", "a=//b/api/x"]]);
});

test("M-40 with a path base everything is below it and nothing beside it", async () => {
  const { knock, api } = setUp({ pathBase: "/pubsub" });
  expect(await knock("/pubsub/api/hubs/h")).toBe(299);
  expect(api.map(({ path, pathBase }) => [path, pathBase])).toEqual([["/api/hubs/h", "/pubsub"]]);
  for (const url of ["/api/hubs/h", "/pubsub", "/pubsubXapi/hubs/h", "/pubsubapi/hubs/h", "/x/pubsub/api/hubs/h"])
    expect([url, await knock(url)]).toEqual([url, 404]);
});

test("M-60 a stopped service answers 503 to everything but health", async () => {
  const { knock } = setUp({ isStopped: true });
  expect([
    await knock("/api/hubs/h"),
    await knock("/client/hubs/h"),
    await knock("/API/Health/"),
    await knock("/api/health?x"),
  ]).toEqual([503, 503, 299, 299]);
});

test("M-34 a denied type is answered 403 before anybody looks at a token, and health stays open", async () => {
  const { knock, api, upgrades } = setUp({ denied: ["RESTAPI", "ClientConnection"] });
  expect([await knock("/api/hubs/h"), await knock("/client/hubs/h")]).toEqual([403, 403]);
  expect([api, upgrades]).toEqual([[], []]);
  expect(await knock("/api/health")).toBe(299);
});

test("H-22 a Host that is not one host is refused before anything else; none at all is fine", async () => {
  const { knock, api } = setUp();
  for (const host of ["a.test, b.test", "a.test/path", "a.test:80:81", "a test", "user@a.test"]) {
    expect(await knock("/api/hubs/h/:send", { headers: { host } })).toBe(400);
  }
  expect(api).toEqual([]);
  for (const host of ["a.test:8080", "[::1]:8080", "127.0.0.1", ""]) {
    expect(await knock("/api/hubs/h/:send", { headers: { host } })).toBe(299);
  }
});

test("C-13 H-22 a WebSocket upgrade needs both headers", async () => {
  const { knock, upgrades } = setUp();
  for (const headers of [
    { upgrade: "websocket" },
    { connection: "upgrade" },
    { upgrade: "h2c", connection: "upgrade" },
    { upgrade: "websocket", connection: "keep-alive, upgraded" },
    { upgrade: "WebSocket", connection: "keep-alive, Upgrade" },
  ]) {
    await knock("/client/hubs/h", { headers });
  }
  expect(upgrades.map(({ isUpgrade }) => isUpgrade)).toEqual([false, false, false, false, true]);
});

test("a request line that is too long is answered 414", async () => {
  const { knock, api } = setUp();
  const path = "/api/hubs/h/:send";
  expect(await knock(`${path}?${"x".repeat(100 - path.length)}`)).toBe(299);
  expect(await knock(`${path}?${"x".repeat(101 - path.length)}`)).toBe(414);
  expect(api.length).toBe(1);
});
