import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonClient } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { failureOf, type NodeAgent } from "../../support/node-agent.ts";
import { type Server, startServer } from "../../support/server.ts";
import { connectService, type SdkVersion, startSdk } from "./service-client.ts";

const versions: readonly SdkVersion[] = ["newest", "older"];

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => await server.stop());

/** Exactly these clients got the message whose data is this. */
async function expectOnly(receivers: readonly JsonClient[], data: unknown, others: readonly JsonClient[]) {
  for (const client of receivers) expect(await client.next()).toMatchObject({ type: "message", data });
  for (const client of [...receivers, ...others]) await client.nothingArrived();
}

/** The client learns why it was closed, and is. */
async function expectClosed(client: JsonClient, reason?: string) {
  const why = reason === undefined ? "" : ` Reason: ${reason}`;
  const message = `Application server closed the connection.${why}`;
  expect(await client.next()).toEqual({ type: "system", event: "disconnected", message });
  expect((await client.socket.closed()).code).toBe(1000);
}

describe.each(versions)("server SDK, %s", (version) => {
  let sdk: NodeAgent;
  beforeAll(() => {
    sdk = startSdk({ version });
  });
  afterAll(async () => await sdk.stop());

  /** A hub of its own with the SDK's client and `count` JSON clients of users `user0`, `user1`, … */
  async function hubOf(count: number) {
    const hub = freshName("Hub");
    const service = connectService(sdk, { connection: server.connectionString, hub });
    const clients = await Promise.all(
      Array.from({ length: count }, (_, at) => connectJson(server, { hub, userId: `user${at}` })),
    );
    return { hub, service, clients: clients as [JsonClient, JsonClient, JsonClient, JsonClient] };
  }

  test("M-2 R-41 sendToAll broadcasts json, text and binary", async () => {
    const { hub, service, clients } = await hubOf(1);
    const [client] = clients;
    const simple = await connectSimple(server, { hub });
    const message = { type: "message", from: "server" };
    const values = [{ a: [1, null, "é"] }, 7, true, "json text"];
    for (const value of values) {
      await service.sendToAll(value);
      expect(await client.next()).toEqual({ ...message, dataType: "json", data: value });
      expect(await simple.socket.nextText()).toBe(JSON.stringify(value));
    }
    await service.sendToAll("grüß", { contentType: "text/plain" });
    expect(await client.next()).toEqual({ ...message, dataType: "text", data: "grüß" });
    expect(await simple.socket.nextText()).toBe("grüß");
    await service.sendToAll(new Uint8Array([0, 255, 10]));
    expect(await client.next()).toEqual({ ...message, dataType: "binary", data: "AP8K" });
    expect([...(await simple.socket.nextBinary())]).toEqual([0, 255, 10]);
  });

  test("R-50 R-51 sendToAll takes a filter, excluded connections and a time to live", async () => {
    const { service, clients } = await hubOf(3);
    const [first, second, third] = clients;
    await service.sendToAll("a", { filter: "userId ne 'user0'" });
    await expectOnly([second, third], "a", [first]);
    await service.sendToAll("b", {
      contentType: "text/plain",
      filter: "userId ne 'user0'",
      excludedConnections: [second.connectionId, "no such"],
      messageTtlSeconds: 30,
    });
    await expectOnly([third], "b", [first, second]);
    const failure = await failureOf(service.sendToAll("c", { messageTtlSeconds: 301 }));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 400 });
    await expectOnly([], "c", clients);
  });

  test("H-01 R-58 sendToConnection and sendToUser reach those alone", async () => {
    const { hub, service, clients } = await hubOf(2);
    const [first, second] = clients;
    await service.sendToConnection(first.connectionId, { n: 1 }, { messageTtlSeconds: 1 });
    await expectOnly([first], { n: 1 }, [second]);
    await service.sendToConnection("unknown", "lost", { contentType: "text/plain" });
    const again = await connectJson(server, { hub, userId: "user1" });
    const otherCase = await connectJson(server, { hub, userId: "USER1" });
    await service.sendToUser("user1", "two", { contentType: "text/plain" });
    await expectOnly([second, again], "two", [first, otherCase]);
    await service.sendToUser("user1", "one", { filter: "'g' in groups" });
    await expectOnly([], "one", [second, again]);
  });

  test("R-64 R-65 a group gets members, messages for them, and loses them", async () => {
    const { service, clients } = await hubOf(3);
    const [first, second, third] = clients;
    const group = service.group("g");
    await group.addConnection(first.connectionId);
    await group.addConnection(second.connectionId);
    await group.addUser("user2");
    await group.sendToAll({ n: 1 });
    const toGroup = { type: "message", from: "group", group: "g", dataType: "json", data: { n: 1 } };
    for (const client of [first, second, third]) expect(await client.next()).toEqual(toGroup);
    await group.sendToAll("t", {
      contentType: "text/plain",
      excludedConnections: [first.connectionId],
      filter: "userId in ('user0', 'user1')",
      messageTtlSeconds: 60,
    });
    await expectOnly([second], "t", [first, third]);
    await group.removeConnection(second.connectionId);
    await group.removeUser("user2");
    await group.sendToAll(new Uint8Array([1]));
    await expectOnly([first], "AQ==", [second, third]);
  });

  test("R-66 R-69 a connection and a user leave all groups", async () => {
    const { service, clients } = await hubOf(3);
    const [first, second, third] = clients;
    for (const name of ["g", "h"]) {
      for (const client of [first, second, third]) await service.group(name).addConnection(client.connectionId);
    }
    await service.removeConnectionFromAllGroups(first.connectionId);
    await service.removeUserFromAllGroups("user1");
    for (const name of ["g", "h"]) {
      await service.group(name).sendToAll(name);
      await expectOnly([third], name, [first, second]);
    }
  });

  test("R-70 R-73 connections are added to and removed from groups by filter", async () => {
    const { service, clients } = await hubOf(3);
    const [first, second, third] = clients;
    await service.addConnectionsToGroups(["g/1", "h"], "userId ne 'user2'");
    await service.group("g/1").sendToAll("1");
    await expectOnly([first, second], "1", [third]);
    await service.removeConnectionsFromGroups(["g/1"], "userId eq 'user1' and 'h' in groups");
    await service.group("g/1").sendToAll("2");
    await expectOnly([first], "2", [second, third]);
    await service.group("h").sendToAll("3");
    await expectOnly([first, second], "3", [third]);
    const failure = await failureOf(service.addConnectionsToGroups(["g"], "userId eq"));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 400 });
  });

  test("R-60 R-61 R-62 existence of connection, group and user", async () => {
    const { service, clients } = await hubOf(1);
    const [client] = clients;
    const exist = async () => [
      await service.connectionExists(client.connectionId),
      await service.groupExists("g"),
      await service.userExists("user0"),
    ];
    expect(await exist()).toEqual([true, false, true]);
    await service.group("g").addConnection(client.connectionId);
    expect(await exist()).toEqual([true, true, true]);
    await service.closeConnection(client.connectionId);
    await expectClosed(client);
    expect(await exist()).toEqual([false, false, false]);
  });

  test("R-81 R-85 closing a connection, a user, a group and a hub", async () => {
    const { hub, service, clients } = await hubOf(4);
    const [first, second, third, last] = clients;
    const elsewhere = await connectJson(server, { hub: freshName("other"), userId: "user1" });
    await service.closeConnection(first.connectionId, { reason: "bye bye&x=1" });
    await expectClosed(first, "bye bye&x=1");
    const sameUser = await connectJson(server, { hub, userId: "user1" });
    await service.closeUserConnections("user1", { reason: "user" });
    await expectClosed(second, "user");
    await expectClosed(sameUser, "user");
    await service.group("g").addConnection(third.connectionId);
    await service.group("g").closeAllConnections({ reason: "grüß" });
    await expectClosed(third, "grüß");
    await last.nothingArrived();
    await service.closeAllConnections({ reason: "all" });
    await expectClosed(last, "all");
    await elsewhere.nothingArrived();
  });

  test("R-88 permissions are granted, checked and revoked, and hold", async () => {
    const { service, clients } = await hubOf(1);
    const [client] = clients;
    const { connectionId } = client;
    const send = { type: "sendToGroup", group: "g", dataType: "text", data: "x", noEcho: true };
    const both = async (targetName: string) => [
      await service.hasPermission(connectionId, "sendToGroup", { targetName }),
      await service.hasPermission(connectionId, "joinLeaveGroup", { targetName }),
    ];
    expect(await client.ask(send)).toMatchObject({ success: false, error: { name: "Forbidden" } });
    await service.grantPermission(connectionId, "sendToGroup", { targetName: "g" });
    expect(await both("g")).toEqual([true, false]);
    expect(await client.ask(send)).toEqual({ success: true });
    await service.grantPermission(connectionId, "joinLeaveGroup", { targetName: "g" });
    expect(await both("g")).toEqual([true, true]);
    expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual({ success: true });
    await service.revokePermission(connectionId, "sendToGroup", { targetName: "g" });
    expect(await both("g")).toEqual([false, true]);
    expect(await client.ask(send)).toMatchObject({ success: false, error: { name: "Forbidden" } });
    expect(await both("other")).toEqual([false, false]);
  });

  test("R-90 a permission without a group is refused as RestError", async () => {
    const { service, clients } = await hubOf(1);
    const failure = await failureOf(service.grantPermission(clients[0].connectionId, "sendToGroup"));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 400, code: "Error.BadRequest" });
  });

  test("R-40 an unknown connection surfaces as RestError with its code", async () => {
    const { service } = await hubOf(0);
    const failure = await failureOf(service.group("g").addConnection("missing"));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 404, code: "Error.Connection.NotExisted" });
    expect(failure["message"]).toContain("Connection `missing` is not found.");
    const granted = service.grantPermission("missing", "sendToGroup", { targetName: "g" });
    expect(await failureOf(granted)).toMatchObject({ statusCode: 404, code: "Info.Connection.NotExisted" });
    expect(await failureOf(service.group("g").addUser("nobody"))).toMatchObject({ statusCode: 404 });
  });

  test("R-17 a wrong key surfaces as RestError 401", async () => {
    const setup = { connection: server.endpoint, key: "no key of this server, but long enough", hub: freshName("hub") };
    const failure = await failureOf(connectService(sdk, setup).sendToAll("x"));
    expect(failure).toMatchObject({ name: "RestError", statusCode: 401 });
    const right = connectService(sdk, { ...setup, key: server.secondaryKey });
    await right.sendToAll("x");
  });

  test.each(["a/b", "a%2Fb", "x+y", "x y", "é?#[]&=;", "q'uote", "语"])(
    "R-11 the user %p is that user",
    async (userId) => {
      const { hub, service } = await hubOf(0);
      const client = await connectJson(server, { hub, userId });
      const decoy = await connectJson(server, { hub, userId: "a" });
      await service.sendToUser(userId, "to the user");
      await expectOnly([client], "to the user", [decoy]);
      expect(await service.userExists(userId)).toBe(true);
      await service.group(userId).addUser(userId);
      await service.group(userId).sendToAll("to the group");
      await expectOnly([client], "to the group", [decoy]);
      await service.sendToAll("by filter", { filter: `userId eq '${userId.replaceAll("'", "''")}'` });
      await expectOnly([client], "by filter", [decoy]);
      expect(await service.groupExists(userId)).toBe(true);
      await service.closeUserConnections(userId);
      await expectClosed(client);
    },
  );
});
