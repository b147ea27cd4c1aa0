import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { exchange } from "../support/exchange.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectAbsent, expectBadRequest, expectEmpty } from "../support/rest-answers.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

const versions = ["2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"] as const;
const unsupported = "The specified API version is not supported.";

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  const send = (hub: string, apiVersion: string | null): Promise<HttpResponse> =>
    server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "x", apiVersion });

  test("R-1 HEAD of the health needs neither token nor version and has no body", async () => {
    const { host } = new URL(server.endpoint);
    const answer = await exchange(server, `HEAD /api/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 200 ");
    expect(answer).toEndWith("\r\n\r\n");
    expect(answer.indexOf("\r\n\r\n")).toBe(answer.length - 4);
  });

  test("R-2 GET of the health answers 200", async () => {
    expectEmpty(await server.rest({ path: "/api/health", token: null, apiVersion: null }), 200);
  });

  test.each([...versions, null])("R-3 a send under version %p is accepted", async (version) => {
    expectEmpty(await send(freshName("hub"), version), 202);
  });

  test("R-3 previews that released SDKs send are accepted, and the first one's deletes answer 200", async () => {
    const api = hubApi(server, freshName("hub"));
    for (const [apiVersion, status] of [
      ["2021-05-01-preview", 200],
      ["2021-08-01-preview", 204],
    ] as const) {
      expectEmpty(await api("POST", "/:send", { body: "x", apiVersion }), 202);
      expectEmpty(await api("DELETE", "/connections/missing", { apiVersion }), status);
    }
  });

  test.each(["2099-01-01", "", "2024-12-01 ", "2021-01-01", "2020-10-01", "2021-05-01-PREVIEW"])(
    "R-4 version %p answers 400",
    async (version) => {
      const answer = await send(freshName("hub"), encodeURIComponent(version));
      expectBadRequest(answer, unsupported, "api-version");
    },
  );

  test("R-5 a repeated version answers 400 even if both are the same", async () => {
    const path = `/api/hubs/${freshName("hub")}/:send?api-version=2024-12-01`;
    const answer = await server.rest({ method: "POST", path, body: "x" });
    expect({ status: answer.status, body: answer.json }).toMatchObject({
      status: 400,
      body: { code: "Error.BadRequest", target: "api-version" },
    });
  });

  test("R-6 every answer lists the supported versions", async () => {
    const api = hubApi(server, freshName("hub"));
    const answers = {
      200: await api("GET", "/groups/g/connections"),
      202: await api("POST", "/:send", { body: "x" }),
      204: await api("DELETE", "/connections/missing"),
      400: await api("POST", "/:send", { body: "{", headers: { "Content-Type": "application/json" } }),
      401: await api("POST", "/:send", { body: "x", token: null }),
      404: await api("HEAD", "/groups/g"),
      405: await api("PUT", "/:send"),
      415: await api("POST", "/:send", { body: "x", headers: { "Content-Type": "image/png" } }),
    };
    for (const [status, answer] of Object.entries(answers)) {
      expect(answer.status).toBe(Number(status));
      expect(answer.header("api-supported-versions")).toBe(versions.join(", "));
    }
  });

  test.each(["1bad", "has-hyphen", "a".repeat(129), "%20", "a%2Fb", "%C3%A9"])("R-7 hub %p answers 400", async (hub) =>
    expectBadRequest(await send(hub, "2024-12-01"), "Invalid hub name."),
  );

  test("R-7 a hub of 128 allowed characters reaches its client", async () => {
    const hub = `${freshName("h")}_\`,.[]`.padEnd(128, "9");
    const client = await connectJson(server, { hub });
    const path = `/api/hubs/${encodeURIComponent(hub)}/:send`;
    expectEmpty(await server.rest({ method: "POST", path, body: "long" }), 202);
    expect(await client.next()).toMatchObject({ data: "long" });
  });

  test("R-8 a message to the hub's name in capitals reaches its clients", async () => {
    const hub = freshName("chat");
    const client = await connectJson(server, { hub });
    expectEmpty(await send(hub.toUpperCase(), "2024-12-01"), 202);
    expect(await client.next()).toMatchObject({ from: "server", data: "x" });
  });

  test("R-9 groups that differ in case are different in send, exists, list and close", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const [lower, upper] = [
      await connectJson(server, { hub, groups: ["room"] }),
      await connectJson(server, { hub, groups: ["ROOM"] }),
    ];
    expectEmpty(await api("POST", "/groups/room/:send", { body: "to room" }), 202);
    expect(await lower.next()).toMatchObject({ group: "room", data: "to room" });
    await upper.nothingArrived();
    expect((await api("GET", "/groups/ROOM/connections")).json).toMatchObject({
      value: [{ connectionId: upper.connectionId }],
      nextLink: null,
    });
    expectAbsent(await api("HEAD", "/groups/Room"), "Warning.Group.NotExisted");
    expectEmpty(await api("POST", "/groups/ROOM/:closeConnections"), 204);
    expectAbsent(await api("HEAD", "/groups/ROOM"), "Warning.Group.NotExisted");
    expect((await api("HEAD", "/groups/room")).status).toBe(200);
    await lower.nothingArrived();
  });

  test("R-10 a group name has 1 to 1024 characters that are not all blank", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub });
    const put = (group: string): Promise<HttpResponse> =>
      api("PUT", `/groups/${encodeURIComponent(group)}/connections/${client.connectionId}`);
    for (const longest of ["g".repeat(1024), "é".repeat(1024), "𝄞".repeat(512)]) expectEmpty(await put(longest), 200);
    for (const wrong of ["g".repeat(1025), "𝄞".repeat(512) + "g", " ", " \t"]) {
      expectBadRequest(await put(wrong), "Invalid group name.");
    }
  });

  test.each([
    ["a%252Fb", "a%2Fb"],
    ["x+y", "x+y"],
    ["x%20y", "x y"],
    ["%C3%A9%3F%23", "é?#"],
  ])("R-11 user id %p addresses user %p", async (segment, userId) => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId });
    expectEmpty(await hubApi(server, hub)("POST", `/users/${segment}/:send`, { body: "hello" }), 202);
    expect(await client.next()).toMatchObject({ data: "hello" });
  });

  test.each(["%zz", "%C3", "%"])("R-11 the malformed escape %p answers 400", async (segment) => {
    const answer = await hubApi(server, freshName("hub"))("POST", `/users/${segment}/:send`, { body: "x" });
    expectBadRequest(answer, "Invalid user ID.");
  });

  test("R-12 an encoded slash in a user id is a slash", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "tenant/alice" });
    const literal = await connectJson(server, { hub, userId: "tenant%2Falice" });
    expectEmpty(await hubApi(server, hub)("POST", "/users/tenant%2Falice/:send", { body: "hello" }), 202);
    expect(await client.next()).toMatchObject({ data: "hello" });
    await literal.nothingArrived();
  });

  test("R-13 a wrong method answers 405 with the right ones, an unknown path 404", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const allow = async (method: string, path: string): Promise<readonly string[]> => {
      const answer = await api(method, path);
      expectEmpty(answer, 405);
      return (answer.header("allow") ?? "")
        .split(", ")
        .filter((each) => each !== "OPTIONS")
        .sort();
    };
    expect(await allow("GET", "/:send")).toEqual(["POST"]);
    expect(await allow("POST", "/groups/g/connections/c")).toEqual(["DELETE", "PUT"]);
    expect(await allow("PATCH", "/permissions/sendToGroup/connections/c")).toEqual(["DELETE", "HEAD", "PUT"]);
    for (const path of ["/:unknown", "/groups", "/users/u/:sendx", "/groups/g/connections/c/d", ""]) {
      expectEmpty(await api("POST", path), 404);
    }
    for (const path of ["/api", "/api/hub", "/api/hubs", `/api/hubs/${hub}/chat/rooms/r`]) {
      expectEmpty(await server.rest({ path }), 404);
    }
  });

  test("R-14 one trailing slash changes nothing", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, groups: ["g"] });
    const api = hubApi(server, hub);
    expect((await api("GET", "/groups/g/connections/?maxpagesize=1")).json).toMatchObject({
      value: [{ connectionId: client.connectionId }],
    });
    expectEmpty(await api("POST", "/:send/", { body: "slash" }), 202);
    expect(await client.next()).toMatchObject({ data: "slash" });
    expectEmpty(await api("GET", "/groups/g/connections//"), 404);
  });

  test("R-14 the fixed parts of a path are matched ignoring case, and the colon may be encoded", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, groups: ["g"] });
    for (const path of [`/API/Hubs/${hub}/Groups/g/:SEND`, `/api/hubs/${hub}/groups/g/%3Asend`]) {
      expectEmpty(await server.rest({ method: "POST", path, body: path }), 202);
      expect(await client.next()).toMatchObject({ data: path });
    }
  });

  test("R-15 parameters nobody knows are ignored", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const path = "/:send?unknown=1&unknown=2&flag&=x&group=%zz&top=no";
    expectEmpty(await hubApi(server, hub)("POST", path, { body: "hello" }), 202);
    expect(await client.next()).toMatchObject({ data: "hello" });
  });
});

describe.skipIf(isForeign)("compat.keepEncodedSlash", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ compat: { keepEncodedSlash: true } });
  });
  afterAll(async () => await server.stop());

  test("R-12 with the switch the encoded slash stays as it is", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, userId: "tenant%2Falice" });
    const slash = await connectJson(server, { hub, userId: "tenant/alice" });
    expectEmpty(await hubApi(server, hub)("POST", "/users/tenant%2Falice/:send", { body: "hello" }), 202);
    expect(await client.next()).toMatchObject({ data: "hello" });
    await slash.nothingArrived();
  });
});
