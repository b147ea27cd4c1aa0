import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, type JsonClient } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { residentMebibytes } from "../support/resident.ts";
import { allRoles } from "../support/roles.ts";
import { type Server, startServer } from "../support/server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer({ service: adminSettings });
});
afterAll(async () => await server.stop());

/** Sends all of it and waits until the service has dealt with it. */
async function settle(client: JsonClient, messages: readonly string[]): Promise<void> {
  for (const message of messages) client.send(message);
  client.send('{"type":"ping"}');
  expect(await client.next({ withinMs: 30_000 })).toEqual({ type: "pong" });
}

/** Growth from the first two rounds to the last four, as a fraction; the lowest of these, since garbage comes and goes. */
function growth(memory: readonly number[]): number {
  const settled = Math.max(...memory.slice(0, 2)); // what one round needs is kept for the next
  return (Math.min(...memory.slice(-4)) - settled) / settled;
}

test("H-60 groups created and dropped leave no memory behind (500,000 in rounds of 50,000)", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  const round = async (number: number): Promise<number> => {
    const names = Array.from({ length: 50_000 }, (_, at) => `group-${number}-${at}-${"x".repeat(40)}`);
    const requests = (type: string): string[] => names.map((group) => `{"type":"${type}","group":"${group}"}`);
    await settle(client, requests("joinGroup"));
    await settle(client, requests("leaveGroup"));
    return residentMebibytes(server);
  };
  const memory: number[] = [];
  for (let number = 0; number < 10; number++) memory.push(await round(number));
  // Every name is longer than 50 bytes: kept, 300,000 of them would show in each of the last rounds.
  expect(growth(memory)).toBeLessThan(0.1);
});

test("H-60 users and connections that come and go leave no memory behind (3,200 in rounds of 400)", async () => {
  const hub = freshName("hub");
  const round = async (): Promise<number> => {
    const clients = await Promise.all(
      Array.from({ length: 400 }, () => {
        const userId = freshName(`user${"x".repeat(100)}`);
        return connectJson(server, { hub, userId, roles: allRoles, groups: [freshName("group"), "all"] });
      }),
    );
    for (const client of clients) client.send({ type: "joinGroup", group: freshName("g") });
    const closed = await hubApi(server, hub)("POST", "/:closeConnections");
    expect(closed.status).toBe(204);
    await Promise.all(clients.map(({ socket }) => socket.ended));
    expect((await hubApi(server, hub)("HEAD", "/groups/all")).status).toBe(404);
    return residentMebibytes(server);
  };
  const memory: number[] = [];
  for (let number = 0; number < 8; number++) memory.push(await round());
  expect(growth(memory)).toBeLessThan(0.1);
});
