import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonClient, type SimpleClient } from "../support/clients.ts";
import { exchange } from "../support/exchange.ts";
import { type HubApi, hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectBadRequest, expectEmpty } from "../support/rest-answers.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const sendWith = (api: HubApi, filter: string, body = "x") =>
  api("POST", `/:send?filter=${encodeURIComponent(filter)}`, { body });

test("R-97 the documented syntax error is told in the documented words", async () => {
  const api = hubApi(server, freshName("hub"));
  const message =
    "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')";
  expectBadRequest(await sendWith(api, "invalid filter"), message);
  for (const path of ["/groups/g/:send", "/users/u/:send"]) {
    expectBadRequest(await api("POST", `${path}?filter=invalid%20filter`, { body: "x" }), message);
  }
  expectBadRequest(await api("POST", "/:addToGroups", { json: { groups: ["g"], filter: "invalid filter" } }), message);
});

describe("a hub of six connections", () => {
  const hub = freshName("hub");
  const clients = new Map<string, JsonClient>();
  let raw: SimpleClient;
  let api: HubApi;
  beforeAll(async () => {
    const connect = async (name: string, userId: string | null, groups: readonly string[]): Promise<void> => {
      clients.set(name, await connectJson(server, { hub, userId, groups }));
    };
    await connect("nobody", null, []);
    await connect("user1", "user1", ["g"]);
    await connect("USER1", "USER1", ["g", "h"]);
    await connect("quoted", "user'1", ["h"]);
    await connect("x", "x", ["G"]);
    raw = await connectSimple(server, { hub, userId: "raw" });
    api = hubApi(server, hub);
  });

  /** Names of the connections that a send with this filter reaches; the marker behind it shows that all has arrived. */
  async function reached(filter: string): Promise<readonly string[]> {
    const body = freshName("to ");
    const marker = freshName("marker ");
    expectEmpty(await sendWith(api, filter, body), 202);
    expectEmpty(await api("POST", "/:send", { body: marker }), 202);
    const names: string[] = [];
    for (const [name, client] of clients) {
      const first = (await client.next())["data"];
      if (first === body) names.push(name);
      expect(first === body ? (await client.next())["data"] : first).toBe(marker);
    }
    const first = await raw.socket.nextText();
    if (first === body) names.push("raw");
    expect(first === body ? await raw.socket.nextText() : first).toBe(marker);
    return names;
  }

  const users = ["user1", "USER1", "quoted", "x", "raw"];
  test.each([
    ["userId eq null", ["nobody"]],
    ["userId ne null", users],
    ["userId eq 'user1'", ["user1"]],
    ["USERID eq 'user''1'", ["quoted"]],
    ["tolower(userId) eq 'user1'", ["user1", "USER1"]],
    ["toupper(userId) eq 'USER1'", ["user1", "USER1"]],
    ["trim(concat(concat(' ',userId),' ')) eq 'x'", ["x"]],
    ["startswith(userId,'us')", ["user1", "quoted"]],
    ["endswith(userId,'1')", ["user1", "USER1", "quoted"]],
    ["contains(userId,'''')", ["quoted"]],
    ["length(userId) gt 3", ["user1", "USER1", "quoted"]],
    ["length(userId) le 3", ["x", "raw"]],
    ["userId in ('user1','x')", ["user1", "x"]],
    ["'g' in groups", ["user1", "USER1"]],
    ["not ('g' in groups)", ["nobody", "quoted", "x", "raw"]],
    ["length(groups) ge 2", ["USER1"]],
    ["length(groups) eq 0", ["nobody", "raw"]],
    ["indexof(userId,'r1') ge 0", ["user1"]],
    ["indexof(userId,'r1') eq -1", ["nobody", "USER1", "quoted", "x", "raw"]],
    ["substring(userId,0,4) eq 'user'", ["user1", "quoted"]],
    ["substring(userId,1) eq 'aw'", ["raw"]],
    ["concat(userId,'x') eq 'user1x'", ["user1"]],
    ["concat(userId,'x') eq 'x'", ["nobody"]],
    ["protocol eq 'json.webpubsub.azure.v1'", ["nobody", "user1", "USER1", "quoted", "x"]],
    ["protocol eq null", ["raw"]],
    ["true", ["nobody", ...users]],
    ["false", []],
    ["userId eq 'x' or userId eq 'user1' and 'h' in groups", ["x"]],
    ["(userId eq 'x' or userId eq 'user1') and 'g' in groups", ["user1"]],
    ["userId eq 1", []],
    ["1 eq 1 and null eq null and 'a' ne 'A'", ["nobody", ...users]],
  ])("R-98 %s", async (filter, expected) => {
    expect(new Set(await reached(filter))).toEqual(new Set(expected));
  });

  test("R-98 a connection is found by its id", async () => {
    const { connectionId } = clients.get("x") ?? { connectionId: "" };
    expect(await reached(`connectionId eq '${connectionId}'`)).toEqual(["x"]);
    expect(await reached(`connectionId eq '${connectionId.toUpperCase()}!'`)).toEqual([]);
  });
});

const open = "(".repeat(200);
const close = ")".repeat(200);

test.each([
  "not length(userId) gt 5",
  "userId gt 'a'",
  "userId",
  "1",
  "null",
  "name eq 'x'",
  "groups/any(g: g eq 'x')",
  "1.5 eq 1.5",
  "2147483648 eq 1",
  "length(userId) add 1 eq 2",
  "userId has 'x'",
  "length(userId,1) eq 1",
  "startswith(userId)",
  "unknown(userId)",
  "TRUE",
  "userId EQ 'x'",
  "userId eq 'x",
  "userId eq 'x' or",
  "true or length('x')",
  "'g' in 'groups'",
  `${open}true${close}`,
])("R-99 %s answers 400", async (filter) => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub, userId: "u" });
  const answer = await sendWith(api, filter);
  const { message } = answer.json as { message: string };
  expect(message).toMatch(/^Invalid syntax for '.*: .* \(Parameter 'filter'\)$/);
  expectBadRequest(answer, message);
  await client.nothingArrived();
});

test("R-100 a chain of 300 clauses is accepted in a body", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const [member, other] = [await connectJson(server, { hub, groups: ["g299"] }), await connectJson(server, { hub })];
  const filter = Array.from({ length: 300 }, (_, at) => `'g${at}' in groups`).join(" or ");
  expectEmpty(await api("POST", "/:addToGroups", { json: { groups: ["found"], filter } }), 200);
  expect((await api("GET", "/groups/found/connections")).json).toMatchObject({
    value: [{ connectionId: member.connectionId }],
  });
  await other.nothingArrived();
});

test("R-100 a preflight request is answered without authentication", async () => {
  const { host } = new URL(server.endpoint);
  const lines = [
    `OPTIONS /api/hubs/chat/:send?api-version=2024-12-01 HTTP/1.1`,
    `Host: ${host}`,
    "Origin: https://app.example.com",
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: authorization, content-type",
    "Connection: close",
  ];
  const answer = await exchange(server, `${lines.join("\r\n")}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 20[04] /);
  expect(answer).toMatch(/^access-control-allow-origin: (?:\*|https:\/\/app\.example\.com)\r$/im);
  expect(answer).toMatch(/^access-control-allow-methods: .*\bPOST\b.*\r$/im);
  expect(answer).toMatch(/^access-control-allow-headers: .*authorization.*content-type.*\r$/im);
  const hub = freshName("hub");
  const sent = await hubApi(server, hub)("POST", "/:send", {
    body: "x",
    headers: { Origin: "https://app.example.com" },
  });
  expectEmpty(sent, 202);
  expect(sent.header("access-control-allow-origin")).toMatch(/^(?:\*|https:\/\/app\.example\.com)$/);
  expect(sent.header("access-control-expose-headers")).toContain("x-ms-error-code");
});
