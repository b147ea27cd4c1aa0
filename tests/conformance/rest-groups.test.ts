import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, type JsonClient } from "../support/clients.ts";
import { type HubApi, hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectBadRequest, expectEmpty, expectProblem } from "../support/rest-answers.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** Ids of the members of a group. */
async function members(api: HubApi, group: string): Promise<readonly string[]> {
  const { value } = (await api("GET", `/groups/${encodeURIComponent(group)}/connections`)).json as {
    value: readonly { connectionId: string }[];
  };
  return value.map(({ connectionId }) => connectionId);
}

const ids = (...clients: readonly JsonClient[]): string[] => clients.map(({ connectionId }) => connectionId).sort();

test("R-64 a connection is put into a group once, without a permission of its own", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub });
  expect(await client.ask({ type: "joinGroup", group: "g" })).toMatchObject({ success: false });
  for (let time = 0; time < 2; time++)
    expectEmpty(await api("PUT", `/groups/g/connections/${client.connectionId}`), 200);
  expect(await members(api, "g")).toEqual([client.connectionId]);
  expectEmpty(await api("POST", "/groups/g/:send", { body: "to the group" }), 202);
  expect(await client.next()).toMatchObject({ from: "group", group: "g", data: "to the group" });
  await client.nothingArrived();
});

test("R-65 a connection is taken out of a group with 204, member or not", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub, groups: ["g", "h"] });
  for (let time = 0; time < 2; time++) {
    expectEmpty(await api("DELETE", `/groups/g/connections/${client.connectionId}`), 204);
  }
  expectEmpty(await api("DELETE", "/groups/g/connections/missing"), 204);
  expect(await members(api, "g")).toEqual([]);
  expectEmpty(await api("POST", "/groups/g/:send", { body: "left" }), 202);
  expectEmpty(await api("POST", "/groups/h/:send", { body: "stayed" }), 202);
  expect(await client.next()).toMatchObject({ group: "h", data: "stayed" });
});

test("R-66 a connection is taken out of all groups and stays open", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub, groups: ["g", "h"], roles: ["webpubsub.sendToGroup.g"] });
  const other = await connectJson(server, { hub, groups: ["g"] });
  expectEmpty(await api("DELETE", `/connections/${client.connectionId}/groups`), 204);
  expectEmpty(await api("DELETE", "/connections/missing/groups"), 204);
  expect(await members(api, "g")).toEqual([other.connectionId]);
  expect((await api("HEAD", "/groups/h")).status).toBe(404);
  expect((await api("HEAD", `/connections/${client.connectionId}`)).status).toBe(200);
  expect(await client.ask({ type: "sendToGroup", group: "g", dataType: "text", data: "still allowed" })).toEqual({
    success: true,
  });
  await client.nothingArrived();
});

test("R-67 a user's present connections join a group, later ones do not", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const [first, second, other] = [
    await connectJson(server, { hub, userId: "u" }),
    await connectJson(server, { hub, userId: "u" }),
    await connectJson(server, { hub, userId: "U" }),
  ];
  for (let time = 0; time < 2; time++) expectEmpty(await api("PUT", "/users/u/groups/g"), 200);
  const later = await connectJson(server, { hub, userId: "u" });
  expect(await members(api, "g")).toEqual(ids(first, second));
  expectEmpty(await api("POST", "/groups/g/:send", { body: "to the group" }), 202);
  for (const client of [first, second]) expect(await client.next()).toMatchObject({ data: "to the group" });
  for (const client of [other, later]) await client.nothingArrived();
});

test("R-68 a user without connections answers 404", async () => {
  const hub = freshName("hub");
  await connectJson(server, { hub, userId: "u" });
  const answer = await hubApi(server, hub)("PUT", "/users/nobody/groups/g");
  const { message } = answer.json as { message: string };
  expectProblem(answer, 404, { code: "Error.User.NotExisted", message, target: "User" });
});

test("R-69 a user is taken out of one group or all with 204, known or not", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const groups = ["g", "h", "i"];
  const [first, second] = [
    await connectJson(server, { hub, userId: "u", groups }),
    await connectJson(server, { hub, userId: "u", groups }),
  ];
  const other = await connectJson(server, { hub, userId: "U", groups });
  expectEmpty(await api("DELETE", "/users/u/groups/g"), 204);
  expect(await members(api, "g")).toEqual([other.connectionId]);
  expect(await members(api, "h")).toEqual(ids(first, second, other));
  expectEmpty(await api("DELETE", "/users/u/groups"), 204);
  for (const group of groups) expect(await members(api, group)).toEqual([other.connectionId]);
  for (const path of ["/users/nobody/groups/g", "/users/nobody/groups", "/users/u/groups/none"]) {
    expectEmpty(await api("DELETE", path), 204);
  }
});

test("R-70 :addToGroups adds the connections that fit the filter to every group of the list", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const [a, b] = [await connectJson(server, { hub, userId: "a" }), await connectJson(server, { hub, userId: "b" })];
  const json = { groups: ["one", "Two"], filter: "userId eq 'a'", unknown: [] };
  expectEmpty(await api("POST", "/:addToGroups", { json }), 200);
  for (const group of ["one", "Two"]) expect(await members(api, group)).toEqual([a.connectionId]);
  expect(await members(api, "two")).toEqual([]);
  const none = { Groups: ["three"], FILTER: "userId eq 'nobody'" };
  expectEmpty(await api("POST", "/:addToGroups", { json: none }), 200);
  expect((await api("HEAD", "/groups/three")).status).toBe(404);
  await b.nothingArrived();
});

test("R-71 without a filter :addToGroups concerns every connection of the hub", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const [a, b] = [await connectJson(server, { hub, userId: "a" }), await connectJson(server, { hub })];
  const other = await connectJson(server, { hub: freshName("hub") });
  for (const [group, filter] of [
    ["absent", undefined],
    ["null", null],
    ["empty", ""],
  ] as const) {
    expectEmpty(await api("POST", "/:addToGroups", { json: { groups: [group], filter } }), 200);
    expect(await members(api, group)).toEqual(ids(a, b));
    expect((await hubApi(server, other.hub)("HEAD", `/groups/${group}`)).status).toBe(404);
  }
});

test("R-72 :addToGroups without valid groups answers 400 and changes nothing", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  await connectJson(server, { hub });
  const message = "A nonempty list of valid group names is required.";
  for (const groups of [undefined, null, [], ["ok", ""], ["ok", " "], ["ok", "g".repeat(1025)]]) {
    expectBadRequest(await api("POST", "/:addToGroups", { json: { groups } }), message);
    expectBadRequest(await api("POST", "/:removeFromGroups", { json: { groups } }), message);
  }
  expect((await api("HEAD", "/groups/ok")).status).toBe(404);
});

test("R-73 :removeFromGroups removes the connections that fit the filter, from the listed groups alone", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const both = await connectJson(server, { hub, groups: ["room1", "room2"] });
  const one = await connectJson(server, { hub, groups: ["room1"] });
  const json = { groups: ["room1"], filter: "'room2' in groups" };
  expectEmpty(await api("POST", "/:removeFromGroups", { json }), 200);
  expect(await members(api, "room1")).toEqual([one.connectionId]);
  expect(await members(api, "room2")).toEqual([both.connectionId]);
  expectEmpty(await api("POST", "/:removeFromGroups", { json: { groups: ["room1", "room2"] } }), 200);
  for (const group of ["room1", "room2"]) expect((await api("HEAD", `/groups/${group}`)).status).toBe(404);
});

test.each(["/:addToGroups", "/:removeFromGroups"])("R-74 %s wants valid JSON with a valid filter", async (path) => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub, groups: ["kept"] });
  const headers = { "Content-Type": "application/json" };
  const good = JSON.stringify({ groups: ["g", "kept"] });
  for (const type of ["text/plain", "application/octet-stream", "json"]) {
    expectEmpty(await api("POST", path, { body: good, headers: { "Content-Type": type } }), 415);
  }
  const wrong = [
    "",
    "{",
    "[]",
    "null",
    "1",
    '{"groups":"g"}',
    '{"groups":[1]}',
    '{"groups":["g"],"filter":1}',
    `${good},`,
  ];
  for (const body of wrong) {
    expectBadRequest(await api("POST", path, { body, headers }), "The request body is not a valid groups request.");
  }
  const filtered = await api("POST", path, { json: { groups: ["g", "kept"], filter: "userId eq" } });
  expect(filtered.status).toBe(400);
  expect((filtered.json as { message: string }).message).toStartWith("Invalid syntax for ");
  expect((await api("HEAD", "/groups/g")).status).toBe(404);
  expect(await members(api, "kept")).toEqual([client.connectionId]);
});
