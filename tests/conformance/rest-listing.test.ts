import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { connectJson } from "../support/clients.ts";
import { type HubApi, hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectBadRequest } from "../support/rest-answers.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

interface Page {
  readonly value: readonly { readonly connectionId: string; readonly userId: string | null }[];
  readonly nextLink: string | null;
}

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

async function readPage(api: HubApi, path: string): Promise<Page> {
  const answer = await api("GET", path);
  expect({ status: answer.status, type: answer.header("content-type") }).toEqual({
    status: 200,
    type: "application/json; charset=utf-8",
  });
  return answer.json as Page;
}

/** Follows `nextLink`, each time with a token for that very URL. */
async function readPages(api: HubApi, path: string): Promise<readonly Page[]> {
  const pages = [await readPage(api, path)];
  for (;;) {
    const { nextLink } = pages.at(-1) ?? { nextLink: null };
    if (nextLink === null) return pages;
    expect(nextLink).toStartWith(`${server.endpoint}/api/`);
    const answer = await server.rest({ path: nextLink.slice(server.endpoint.length), apiVersion: null });
    expect(answer.status).toBe(200);
    pages.push(answer.json as Page);
  }
}

async function hubWith(count: number, group: string) {
  const hub = freshName("hub");
  const clients = await Promise.all(Array.from({ length: count }, () => connectJson(server, { hub, groups: [group] })));
  return { hub, api: hubApi(server, hub), ids: clients.map(({ connectionId }) => connectionId).sort() };
}

test("R-75 an unknown group is an empty list", async () => {
  const answer = await hubApi(server, freshName("hub"))("GET", "/groups/none/connections");
  expect({ status: answer.status, json: answer.json }).toEqual({ status: 200, json: { value: [], nextLink: null } });
});

test("R-76 pages are as long as asked, and as many as needed", async () => {
  const { api, ids } = await hubWith(6, "g");
  for (const [query, lengths] of [
    ["maxpagesize=2", [2, 2, 2]],
    ["top=5&maxpagesize=2", [2, 2, 1]],
    ["top=3", [3]],
    ["top=6", [6]],
    ["maxpagesize=6", [6]],
    ["maxpagesize=200", [6]],
    ["maxpagesize=4&top=2147483647", [4, 2]],
    ["", [6]],
  ] as const) {
    const pages = await readPages(api, `/groups/g/connections?${query}`);
    expect({ query, lengths: pages.map(({ value }) => value.length) }).toEqual({ query, lengths: [...lengths] });
    const seen = pages.flatMap(({ value }) => value.map(({ connectionId }) => connectionId));
    expect(seen).toEqual(ids.slice(0, seen.length));
  }
});

test("R-77 nextLink is an absolute URL with the remaining top", async () => {
  const { hub, api } = await hubWith(4, "g/1 é");
  const path = `/groups/g%2F1%20%C3%A9/connections?maxpagesize=1&top=3`;
  const { nextLink } = await readPage(api, path);
  const url = new URL(nextLink ?? "");
  expect(`${url.origin}${url.pathname}`).toBe(`${server.endpoint}/api/hubs/${hub}/groups/g%2F1%20%C3%A9/connections`);
  const { continuationToken, ...others } = Object.fromEntries(url.searchParams);
  expect(others).toEqual({ "api-version": "2024-12-01", maxpagesize: "1", top: "2" });
  expect(continuationToken).toMatch(/^.{1,2048}$/);
  expect((await readPages(api, path)).map(({ value }) => value.length)).toEqual([1, 1, 1]);
});

test.each(["g/1 é", "%2520", "a?b#c&d=[e]"])("R-77 the SDK's iterator reads all pages of group %p", async (group) => {
  const { hub, ids } = await hubWith(3, group);
  const sdk = new WebPubSubServiceClient(server.connectionString, hub, { allowInsecureConnection: true });
  const seen: string[] = [];
  const members = await sdk.group(group).listConnections({ maxPageSize: 1 });
  for await (const { connectionId } of members) seen.push(connectionId);
  expect(seen).toEqual(ids);
});

test("R-78 page size and top are digits within their range, given once", async () => {
  const { api } = await hubWith(1, "g");
  const wrong = ["0", "x", "", "%20", "-1", "%2B1", "1.0", "1e1", "0x1"];
  for (const value of [...wrong, "201", "1&maxpagesize=1", "99999999999999999999"]) {
    const answer = await api("GET", `/groups/g/connections?maxpagesize=${value}`);
    expectBadRequest(answer, "Invalid maxpagesize.", "maxpagesize");
  }
  for (const value of [...wrong, "2147483648", "1&top=1"]) {
    expectBadRequest(await api("GET", `/groups/g/connections?top=${value}`), "Invalid top.", "top");
  }
});

test("R-79 a continuation token of another group or hub, or a forged one, answers 400", async () => {
  const { hub, api } = await hubWith(2, "g");
  const { nextLink } = await readPage(api, "/groups/g/connections?maxpagesize=1");
  const token = new URL(nextLink ?? "").searchParams.get("continuationToken") ?? "";
  expect((await readPage(api, `/groups/g/connections?continuationToken=${token}`)).value).toHaveLength(1);
  const message = "Invalid continuationToken.";
  expectBadRequest(await api("GET", `/groups/G/connections?continuationToken=${token}`), message, "continuationToken");
  const other = hubApi(server, `${hub}x`);
  expectBadRequest(
    await other("GET", `/groups/g/connections?continuationToken=${token}`),
    message,
    "continuationToken",
  );
  const flipped = `${token.slice(0, 4)}${token[4] === "A" ? "B" : "A"}${token.slice(5)}`;
  for (const forged of [
    flipped,
    token.slice(0, -2),
    "x",
    "",
    "t".repeat(2049),
    `${token}&continuationToken=${token}`,
  ]) {
    const answer = await api("GET", `/groups/g/connections?continuationToken=${forged}`);
    expectBadRequest(answer, message, "continuationToken");
  }
});

test("R-80 members are listed with their user, or null, in the order of their ids", async () => {
  const hub = freshName("hub");
  const users = ["u", null, "ü", "u", null];
  const clients = await Promise.all(
    users.map(async (userId) => ({ userId, client: await connectJson(server, { hub, userId, groups: ["g"] }) })),
  );
  await connectJson(server, { hub, groups: ["h"] });
  const expected = clients
    .map(({ userId, client: { connectionId } }) => ({ connectionId, userId }))
    .sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
  const { value } = await readPage(hubApi(server, hub), "/groups/g/connections");
  expect(value).toEqual(expected);
});

describe.skipIf(isForeign)("behind a trusted proxy", () => {
  let proxied: Server;
  beforeAll(async () => {
    proxied = await startServer({ service: { trustedProxies: ["127.0.0.1"] } });
  });
  afterAll(async () => await proxied.stop());

  test("R-77 nextLink has the scheme and host the caller sees", async () => {
    const hub = freshName("hub");
    for (let count = 0; count < 2; count++) await connectJson(proxied, { hub, groups: ["g"] });
    const api = hubApi(proxied, hub);
    const headers = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "ps.example.com" };
    const page = await api("GET", "/groups/g/connections?maxpagesize=1", { headers });
    const { nextLink } = page.json as Page;
    expect(nextLink).toStartWith(`https://ps.example.com/api/hubs/${hub}/groups/g/connections?`);
  });
});
