import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { failureOf, type NodeAgent } from "../../support/node-agent.ts";
import { type Server, startServer } from "../../support/server.ts";
import { connectService, startSdk } from "./service-client.ts";

// `listConnections` exists since 1.2.0.
let server: Server;
let sdk: NodeAgent;
beforeAll(async () => {
  sdk = startSdk();
  server = await startServer();
});
afterAll(async () => {
  await sdk.stop();
  await server.stop();
});

/** A group with `count` members, the first one anonymous. */
async function groupOf(name: string, count: number) {
  const hub = freshName("Hub");
  const service = connectService(sdk, { connection: server.connectionString, hub });
  const members: { connectionId: string; userId: string | null }[] = [];
  for (let at = 0; at < count; at++) {
    const userId = at === 0 ? null : `user${at}`;
    const { connectionId } = await connectJson(server, { hub, userId, groups: [name] });
    members.push({ connectionId, userId });
  }
  members.sort((one, other) => (one.connectionId < other.connectionId ? -1 : 1));
  return { service, members };
}

describe("listing the connections of a group", () => {
  test("R-76 R-80 six members come in pages of two, in order, with their users", async () => {
    const { service, members } = await groupOf("g", 6);
    const pages = await service.pages("g", { maxPageSize: 2 });
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2]);
    expect(pages.flat().map(({ connectionId, userId }) => ({ connectionId, userId: userId ?? null }))).toEqual(members);
  });

  test("R-76 top limits the whole", async () => {
    const { service, members } = await groupOf("g", 6);
    const five = await service.pages("g", { maxPageSize: 2, top: 5 });
    expect(five.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(five.flat().map((member) => member.connectionId)).toEqual(
      members.slice(0, 5).map((member) => member.connectionId),
    );
    expect((await service.pages("g", { top: 3 })).map((page) => page.length)).toEqual([3]);
  });

  test.each(["g/1 é", "a%2Fb", "?&#=+"])("R-77 the iterator follows nextLink for the group %p", async (name) => {
    const { service, members } = await groupOf(name, 3);
    const pages = await service.pages(name, { maxPageSize: 1 });
    expect(pages.flat().map((member) => member.connectionId)).toEqual(members.map((member) => member.connectionId));
    expect(await service.members(name)).toHaveLength(3);
  });

  test("R-75 R-78 an unknown group is empty, a wrong page size a RestError", async () => {
    const { service } = await groupOf("g", 0);
    expect(await service.members("nobody here")).toEqual([]);
    const failure = await failureOf(service.pages("g", { maxPageSize: 201 }));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 400, code: "Error.BadRequest" });
  });
});
