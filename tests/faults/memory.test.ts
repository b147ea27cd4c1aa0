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

/**
 * Growth in MiB from the first fifth of the rounds to the last two fifths: from the most to the least, since garbage comes and
 * goes. Legal is below 32 MiB; each test makes so much that a leak is more than 200.
 */
function growth(memory: readonly number[]): number {
  const settled = Math.max(...memory.slice(0, memory.length / 5)); // what one round needs is kept for the next
  return Math.min(...memory.slice(-memory.length * 0.4)) - settled;
}
const maxGrowth = 64;

test("H-60 groups created and dropped leave no memory behind (500,000 in rounds of 10,000)", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  const round = async (number: number): Promise<number> => {
    const names = Array.from({ length: 10_000 }, (_, at) => `group-${number}-${at}-${"x".repeat(950)}`);
    const requests = (type: string): string[] => names.map((group) => `{"type":"${type}","group":"${group}"}`);
    await settle(client, requests("joinGroup"));
    await settle(client, requests("leaveGroup"));
    return residentMebibytes(server);
  };
  const memory: number[] = [];
  for (let number = 0; number < 50; number++) memory.push(await round(number));
  expect(growth(memory)).toBeLessThan(maxGrowth); // 210,000 names of a kilobyte
});

test("H-60 users and connections that come and go leave no memory behind (4,000 in rounds of 100)", async () => {
  const hub = freshName("hub");
  const stays = await connectJson(server, { hub }); // with its last connection the hub would go and take much along
  const round = async (): Promise<number> => {
    const clients = await Promise.all(
      Array.from({ length: 100 }, () => {
        const userId = freshName(`user${"x".repeat(100)}`);
        return connectJson(server, { hub, userId, roles: allRoles, groups: [freshName("group"), "all"] });
      }),
    );
    const name = "x".repeat(950);
    for (const client of clients)
      for (let group = 0; group < 200; group++) client.send({ type: "joinGroup", group: freshName(`g${name}`) });
    await Promise.all(clients.map((client) => settle(client, [])));
    const closed = await hubApi(server, hub)("POST", `/:closeConnections?excluded=${stays.connectionId}`);
    expect(closed.status).toBe(204);
    await Promise.all(clients.map(({ socket }) => socket.ended));
    expect((await hubApi(server, hub)("HEAD", "/groups/all")).status).toBe(404);
    return residentMebibytes(server);
  };
  const memory: number[] = [];
  for (let number = 0; number < 40; number++) memory.push(await round());
  expect(growth(memory)).toBeLessThan(maxGrowth); // 1,700 connections with 200 kilobytes of names each
});
