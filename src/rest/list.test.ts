import { describe, expect, test } from "bun:test";
import { createHarness, type HarnessOptions } from "../../tests/support/rest-harness.ts";
import type { ConnectionId, UserId } from "../core/names.ts";
import type { Member } from "../core/operations.ts";

interface Page {
  readonly value: readonly { readonly connectionId: string; readonly userId: string | null }[];
  readonly nextLink: string | null;
}

/** A group with six members, the odd ones anonymous. */
const six: readonly Member[] = ["c1", "c2", "c3", "c4", "c5", "c6"].map((id, index) => ({
  connectionId: id as ConnectionId,
  userId: index % 2 === 0 ? null : (`u${index}` as UserId),
}));

function withMembers(members: readonly Member[], options: HarnessOptions = {}) {
  const listMembers = ({ after, limit }: { readonly after: string; readonly limit: number }) =>
    members.filter(({ connectionId }) => connectionId > after).slice(0, limit);
  return createHarness({ ...options, answers: { listMembers } });
}

type Harness = ReturnType<typeof createHarness>;

async function fetchPage({ send }: Harness, url: string, base = "http://localhost"): Promise<Page> {
  expect(url).toStartWith(base);
  const response = await send(`GET ${url.slice(base.length)}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

/** Follows the links as the SDKs do and gives the ids of each page. */
async function fetchAll(harness: Harness, url: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let next: string | null = url; next !== null; ) {
    const page: Page = await fetchPage(harness, next);
    pages.push(page.value.map(({ connectionId }) => connectionId));
    next = page.nextLink;
  }
  return pages;
}

const list = "http://localhost/api/hubs/chat/groups/g/connections";

describe("pages", () => {
  test("R-75 an unknown group is an empty list", async () => {
    const response = await withMembers([]).send("GET /api/hubs/chat/groups/g/connections");
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect([response.status, await response.text()]).toEqual([200, '{"value":[],"nextLink":null}']);
  });

  test("R-76 page size and top decide about the pages", async () => {
    const harness = withMembers(six);
    const sizes = async (query: string) => (await fetchAll(harness, list + query)).map((page) => page.length);
    expect(await sizes("?maxpagesize=2")).toEqual([2, 2, 2]);
    expect(await sizes("?maxpagesize=2&top=5")).toEqual([2, 2, 1]);
    expect(await sizes("?top=3")).toEqual([3]);
    expect(await sizes("?top=6")).toEqual([6]);
    expect(await sizes("?top=4&maxpagesize=2")).toEqual([2, 2]);
    expect(await sizes("")).toEqual([6]);
    expect(await fetchAll(harness, `${list}?maxpagesize=4`)).toEqual([
      ["c1", "c2", "c3", "c4"],
      ["c5", "c6"],
    ]);
  });

  test("a page holds at most 200", async () => {
    const many = Array.from({ length: 450 }, (_, index) => ({
      connectionId: `c${1000 + index}` as ConnectionId,
      userId: null,
    }));
    const pages = await fetchAll(withMembers(many), `${list}?top=401`);
    expect(pages.map((page) => page.length)).toEqual([200, 200, 1]);
  });

  test("R-80 anonymous members have userId null", async () => {
    const { value } = await fetchPage(withMembers(six), `${list}?top=2`);
    expect(value).toEqual([
      { connectionId: "c1", userId: null },
      { connectionId: "c2", userId: "u1" },
    ]);
  });

  test("R-77 nextLink is absolute, keeps the paging parameters and works unchanged for any group name", async () => {
    const harness = withMembers(six);
    const encoded = encodeURIComponent("g/1 é%20");
    const page = await fetchPage(
      harness,
      `http://localhost/api/hubs/Chat/groups/${encoded}/connections?maxpagesize=4&top=5`,
    );
    const link = new URL(page.nextLink ?? "");
    expect(link.href).toStartWith(
      `http://localhost/api/hubs/chat/groups/${encoded}/connections?api-version=2024-12-01&`,
    );
    expect([link.searchParams.get("maxpagesize"), link.searchParams.get("top")]).toEqual(["4", "1"]);
    expect((await fetchPage(harness, page.nextLink ?? "")).value.map(({ connectionId }) => connectionId)).toEqual([
      "c5",
    ]);
    expect(harness.recorded.map(({ args }) => (args[0] as { group: string }).group)).toEqual(["g/1 é%20", "g/1 é%20"]);
  });

  test("R-77 M-37 nextLink has the scheme and host the caller sees: of the public endpoints the one dialled, else the first", async () => {
    const link = async (host: string, options: HarnessOptions = {}) => {
      const caller = { scheme: "http", host } as const;
      const response = await withMembers(six, options).send("GET /api/hubs/chat/groups/g/connections?maxpagesize=1", {
        caller,
      });
      return ((await response.json()) as Page).nextLink;
    };
    expect(await link("Hub.example.com:8080")).toStartWith("http://Hub.example.com:8080/api/");
    const access = { publicEndpoints: ["https://hub.example.com/", "https://other.example.com"] };
    expect(await link("HUB.example.com", { access })).toStartWith("https://hub.example.com/api/");
    expect(await link("other.example.com", { access })).toStartWith("https://other.example.com/api/");
    expect(await link("internal:8080", { access })).toStartWith("https://hub.example.com/api/");
  });

  test("R-36 nextLink carries the path base", async () => {
    const harness = withMembers(six, { pathBase: "/pubsub" });
    const base = "http://localhost/pubsub";
    const { nextLink } = await fetchPage(harness, `${base}/api/hubs/chat/groups/g/connections?maxpagesize=5`, base);
    expect((await fetchPage(harness, nextLink ?? "", base)).value.length).toBe(1);
  });
});

describe("parameters", () => {
  async function refusedTarget(query: string, harness = withMembers(six)) {
    const response = await harness.send(`GET /api/hubs/chat/groups/g/connections?${query}`);
    expect([query, response.status, harness.recorded.length]).toEqual([query, 400, 0]);
    const { message, target } = (await response.json()) as { message: string; target: string };
    expect(message).toBe(`Invalid ${target}.`);
    return target;
  }

  test("R-78 a count that is no number in range, blank or repeated is a 400 that names it", async () => {
    for (const value of ["0", "201", "x", "", "%20", "+5", "-1", "1.0", "1e1", "2&maxpagesize=2"]) {
      expect(await refusedTarget(`maxpagesize=${value}`)).toBe("maxpagesize");
    }
    for (const value of ["0", "2147483648", "", "3&top=3"]) expect(await refusedTarget(`top=${value}`)).toBe("top");
  });

  test("R-79 a token of another hub or group, a forged or repeated one is a 400", async () => {
    const harness = withMembers(six);
    const page = await fetchPage(harness, `${list}?maxpagesize=2`);
    const token = new URL(page.nextLink ?? "").searchParams.get("continuationToken") ?? "";
    const other = [`POST`, "chat/groups/G", "other/groups/g"].slice(1);
    for (const path of other) {
      const response = await harness.send(`GET /api/hubs/${path}/connections?continuationToken=${token}`);
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: "Error.BadRequest", message: "Invalid continuationToken.", target: "continuationToken" },
      ]);
    }
    const changed = token.slice(0, 5) + (token[5] === "A" ? "B" : "A") + token.slice(6);
    const moved = `${token.slice(0, -2)}Mw`;
    const forged = [
      changed,
      moved,
      token.slice(0, -1),
      "x",
      "",
      `${token}&continuationToken=${token}`,
      "x".repeat(2049),
    ];
    for (const value of forged) expect(await refusedTarget(`continuationToken=${value}`)).toBe("continuationToken");
    const elsewhere = withMembers(six, {
      rest: { continuationKey: new TextEncoder().encode("another key of the same length....") },
    });
    expect(await refusedTarget(`continuationToken=${token}`, elsewhere)).toBe("continuationToken");
  });
});
