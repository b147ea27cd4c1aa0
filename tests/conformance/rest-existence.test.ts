import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectAbsent, expectBadRequest, expectEmpty } from "../support/rest-answers.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";
import { until } from "../support/until.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

test("R-60 a connection exists from its opening to its end", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const exists = async (id: string): Promise<boolean> => (await api("HEAD", `/connections/${id}`)).status === 200;
  const [byRest, byClient, byReset] = [
    await connectJson(server, { hub }),
    await connectJson(server, { hub }),
    await connectJson(server, { hub }),
  ];
  for (const { connectionId } of [byRest, byClient, byReset]) expect(await exists(connectionId)).toBe(true);
  expectEmpty(await api("DELETE", `/connections/${byRest.connectionId}`), 204);
  expectAbsent(await api("HEAD", `/connections/${byRest.connectionId}`), "Warning.Connection.NotExisted");
  byClient.socket.close(1000);
  await until("the closed connection is gone", async () => !(await exists(byClient.connectionId)));
  byReset.socket.abort();
  await until("the reset connection is gone", async () => !(await exists(byReset.connectionId)));
});

test("R-60 a connection of another hub, or none, does not exist", async () => {
  const client = await connectJson(server, { hub: freshName("hub") });
  const api = hubApi(server, freshName("hub"));
  expectAbsent(await api("HEAD", `/connections/${client.connectionId}`), "Warning.Connection.NotExisted");
  expectAbsent(await api("HEAD", "/connections/missing"), "Warning.Connection.NotExisted");
  expectBadRequest(await api("DELETE", "/connections/%20"), "Invalid connection ID.");
});

test("R-61 a group exists from the first join to the last leave", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const [first, second] = [
    await connectJson(server, { hub, roles: allRoles }),
    await connectJson(server, { hub, roles: allRoles }),
  ];
  const status = async (): Promise<number> => (await api("HEAD", "/groups/g")).status;
  expectAbsent(await api("HEAD", "/groups/g"), "Warning.Group.NotExisted");
  await first.ask({ type: "joinGroup", group: "g" });
  expect(await status()).toBe(200);
  await second.ask({ type: "joinGroup", group: "g" });
  await first.ask({ type: "leaveGroup", group: "g" });
  expect(await status()).toBe(200);
  await second.ask({ type: "leaveGroup", group: "g" });
  expectAbsent(await api("HEAD", "/groups/g"), "Warning.Group.NotExisted");
  await first.ask({ type: "joinGroup", group: "g" });
  expectEmpty(await api("DELETE", `/connections/${first.connectionId}`), 204);
  expectAbsent(await api("HEAD", "/groups/g"), "Warning.Group.NotExisted");
});

test("R-62 a user exists while it has a connection", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  expectAbsent(await api("HEAD", "/users/u"), "Warning.User.NotExisted");
  const [first, second] = [
    await connectJson(server, { hub, userId: "u" }),
    await connectJson(server, { hub, userId: "u" }),
  ];
  expect((await api("HEAD", "/users/u")).status).toBe(200);
  expectAbsent(await api("HEAD", "/users/U"), "Warning.User.NotExisted");
  expectEmpty(await api("DELETE", `/connections/${first.connectionId}`), 204);
  expect((await api("HEAD", "/users/u")).status).toBe(200);
  expectEmpty(await api("DELETE", `/connections/${second.connectionId}`), 204);
  expectAbsent(await api("HEAD", "/users/u"), "Warning.User.NotExisted");
});
