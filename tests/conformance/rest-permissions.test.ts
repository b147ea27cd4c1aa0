import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectAbsent, expectEmpty, expectProblem } from "../support/rest-answers.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

const success = { success: true };
const forbidden = { success: false, error: { name: "Forbidden", message: expect.any(String) as unknown } };

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** A connected client and requests about its permissions. */
async function oneClient(roles: readonly string[] = []) {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, roles });
  const api = hubApi(server, hub);
  const ask = (method: string, permission: string, group: string): Promise<HttpResponse> =>
    api(
      method,
      `/permissions/${permission}/connections/${client.connectionId}?targetName=${encodeURIComponent(group)}`,
    );
  return { hub, api, client, ask };
}

const expectDenied = (answer: HttpResponse): void => expectAbsent(answer, "Info.Connection.NotExisted");

test("R-88 what is granted is there until it is revoked, both as often as one likes", async () => {
  const { client, ask } = await oneClient();
  const send = { type: "sendToGroup", group: "g", dataType: "text", data: "x", noEcho: true };
  expectDenied(await ask("HEAD", "sendToGroup", "g"));
  expect(await client.ask(send)).toEqual(forbidden);
  for (let time = 0; time < 2; time++) expectEmpty(await ask("PUT", "sendToGroup", "g"), 200);
  expectEmpty(await ask("HEAD", "sendToGroup", "g"), 200);
  expect(await client.ask(send)).toEqual(success);
  for (const [permission, group] of [
    ["sendToGroup", "G"],
    ["sendToGroup", "h"],
    ["joinLeaveGroup", "g"],
  ] as const) {
    expectDenied(await ask("HEAD", permission, group));
  }
  for (let time = 0; time < 2; time++) expectEmpty(await ask("DELETE", "sendToGroup", "g"), 204);
  expectDenied(await ask("HEAD", "sendToGroup", "g"));
  expect(await client.ask(send)).toEqual(forbidden);
});

test("R-88 joinLeaveGroup lets a client join the named group alone", async () => {
  const { client, ask } = await oneClient();
  for (const group of ["*", "room.*", " room "]) {
    expectEmpty(await ask("PUT", "joinLeaveGroup", group), 200);
    expect(await client.ask({ type: "joinGroup", group })).toEqual(success);
  }
  for (const group of ["room.a", "room"]) expect(await client.ask({ type: "joinGroup", group })).toEqual(forbidden);
});

test("R-89 permissions are named in any case or by number, others answer 400", async () => {
  const { ask } = await oneClient();
  for (const [permission, name] of [
    ["SENDTOGROUP", "sendToGroup"],
    ["JoinLeaveGroup", "joinLeaveGroup"],
  ] as const) {
    expectEmpty(await ask("PUT", permission, "by name"), 200);
    expectEmpty(await ask("HEAD", name, "by name"), 200);
  }
  expectEmpty(await ask("PUT", "1", "by number"), 200);
  expectEmpty(await ask("HEAD", "sendToGroup", "by number"), 200);
  expectDenied(await ask("HEAD", "2", "by number"));
  for (const permission of ["unknown", "0", "3", "sendToGroup,joinLeaveGroup", "%20"]) {
    for (const method of ["PUT", "DELETE", "HEAD"]) expect((await ask(method, permission, "g")).status).toBe(400);
  }
});

test("R-90 a targetName of 1 to 1024 characters is required", async () => {
  const { api, client, ask } = await oneClient();
  const path = `/permissions/sendToGroup/connections/${client.connectionId}`;
  for (const query of ["", "?targetName=", "?targetName=%20", `?targetName=${"g".repeat(1025)}`]) {
    for (const method of ["PUT", "DELETE"]) {
      const answer = await api(method, `${path}${query}`);
      expect({ status: answer.status, code: (answer.json as { code: string }).code }).toEqual({
        status: 400,
        code: "Error.BadRequest",
      });
    }
    expect((await api("HEAD", `${path}${query}`)).status).toBe(400);
  }
  expectEmpty(await ask("PUT", "sendToGroup", "g".repeat(1024)), 200);
});

test("R-91 an unknown connection answers 404 to grant and check, 204 to revoke", async () => {
  const api = hubApi(server, freshName("hub"));
  const path = "/permissions/sendToGroup/connections/missing?targetName=g";
  const granted = await api("PUT", path);
  const { message } = granted.json as { message: string };
  expectProblem(granted, 404, { code: "Info.Connection.NotExisted", message, target: "Connection" });
  expectDenied(await api("HEAD", path));
  expectEmpty(await api("DELETE", path), 204);
});

test("R-92 one group is revoked from a role for all, and membership is kept", async () => {
  const { api, client, ask } = await oneClient(["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"]);
  const send = (group: string) => ({ type: "sendToGroup", group, dataType: "text", data: "x", noEcho: true });
  expect(await client.ask({ type: "joinGroup", group: "room" })).toEqual(success);
  for (const permission of ["sendToGroup", "joinLeaveGroup"]) expectEmpty(await ask("DELETE", permission, "room"), 204);
  expect(await client.ask(send("room"))).toEqual(forbidden);
  expect(await client.ask({ type: "leaveGroup", group: "room" })).toEqual(forbidden);
  expect(await client.ask(send("room2"))).toEqual(success);
  expectDenied(await ask("HEAD", "sendToGroup", "room"));
  expectEmpty(await api("POST", "/groups/room/:send", { body: "still a member" }), 202);
  expect(await client.next()).toMatchObject({ group: "room", data: "still a member" });
  expectEmpty(await ask("PUT", "sendToGroup", "room"), 200);
  expect(await client.ask(send("room"))).toEqual(success);
});

test("R-93 the 1001st literal rule answers 409 and changes nothing", async () => {
  const { ask } = await oneClient();
  const groups = Array.from({ length: 1000 }, (_, at) => `group${at}`);
  for (let at = 0; at < groups.length; at += 50) {
    const answers = await Promise.all(groups.slice(at, at + 50).map((group) => ask("PUT", "sendToGroup", group)));
    for (const answer of answers) expect(answer.status).toBe(200);
  }
  const refused = await ask("PUT", "sendToGroup", "one more");
  const { message } = refused.json as { message: string };
  expectProblem(refused, 409, { code: "Error.Connection.Conflict", message, target: "Connection" });
  expectDenied(await ask("HEAD", "sendToGroup", "one more"));
  for (const group of ["group0", "group999"]) expectEmpty(await ask("HEAD", "sendToGroup", group), 200);
  expectEmpty(await ask("PUT", "sendToGroup", "group5"), 200);
  expectEmpty(await ask("PUT", "joinLeaveGroup", "one more"), 200);
  expectEmpty(await ask("DELETE", "sendToGroup", "group5"), 204);
  expectEmpty(await ask("PUT", "sendToGroup", "one more"), 200);
});

test("R-94 a new connection of the same token has nothing of what was granted", async () => {
  const { hub, api, client, ask } = await oneClient();
  expectEmpty(await ask("PUT", "sendToGroup", "g"), 200);
  expectEmpty(await api("DELETE", `/connections/${client.connectionId}`), 204);
  const again = await connectJson(server, { hub });
  expectDenied(await api("HEAD", `/permissions/sendToGroup/connections/${again.connectionId}?targetName=g`));
});

describe.skipIf(isForeign)("compat.permissionWithoutTargetMeansAll", () => {
  let compatible: Server;
  beforeAll(async () => {
    compatible = await startServer({ compat: { permissionWithoutTargetMeansAll: true } });
  });
  afterAll(async () => await compatible.stop());

  test("R-90 with the switch no targetName means all groups", async () => {
    const hub = freshName("hub");
    const api = hubApi(compatible, hub);
    const client = await connectJson(compatible, { hub });
    const path = `/permissions/joinLeaveGroup/connections/${client.connectionId}`;
    expectEmpty(await api("PUT", path), 200);
    for (const group of ["a", "b"]) expect(await client.ask({ type: "joinGroup", group })).toEqual(success);
    expectEmpty(await api("DELETE", path), 204);
    expect(await client.ask({ type: "joinGroup", group: "c" })).toEqual(forbidden);
  });

  test("R-88 with the switch a check without targetName asks for all groups", async () => {
    const hub = freshName("hub");
    const api = hubApi(compatible, hub);
    const client = await connectJson(compatible, { hub });
    const path = `/permissions/sendToGroup/connections/${client.connectionId}`;
    expectEmpty(await api("PUT", `${path}?targetName=g`), 200);
    expectDenied(await api("HEAD", path));
    expectEmpty(await api("PUT", path), 200);
    expectEmpty(await api("HEAD", path), 200);
  });
});
