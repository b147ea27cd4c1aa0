import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, type JsonFrame } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const success = { success: true };
const forbidden = { success: false, error: { name: "Forbidden", message: expect.any(String) as unknown } };
const text = (group: string, data: string): JsonFrame => ({ type: "sendToGroup", group, dataType: "text", data });

/** Sends to a group by REST, answered 202. */
async function restToGroup(hub: string, group: string, body: string): Promise<void> {
  const sent = await server.rest({
    method: "POST",
    path: `/api/hubs/${hub}/groups/${encodeURIComponent(group)}/:send`,
    body,
  });
  expect(sent.status).toBe(202);
}

test("C-27 joinGroup is acked with its ackId, and later messages arrive", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, roles: allRoles });
  client.send({ type: "joinGroup", group: "red", ackId: 1 });
  expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
  await restToGroup(hub, "red", "hello");
  expect(await client.next()).toEqual({
    type: "message",
    from: "group",
    group: "red",
    dataType: "text",
    data: "hello",
  });
});

test("C-28 joining twice and leaving without membership succeed", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  expect(await client.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
  for (let time = 0; time < 2; time++) expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual(success);
  await restToGroup(client.hub, "g", "once");
  expect(await client.next()).toMatchObject({ data: "once" });
  for (let time = 0; time < 2; time++) expect(await client.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
});

test("C-29 after leaveGroup messages of the group do not arrive", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles, groups: ["g", "h"] });
  expect(await client.ask({ type: "leaveGroup", group: "g" })).toEqual(success);
  await restToGroup(client.hub, "g", "left");
  await restToGroup(client.hub, "h", "stayed");
  expect(await client.next()).toMatchObject({ group: "h", data: "stayed" });
});

test("C-30 without ackId there is no ack, neither on success nor when forbidden", async () => {
  const hub = freshName("hub");
  const allowed = await connectJson(server, { hub, roles: allRoles });
  const denied = await connectJson(server, { hub });
  for (const client of [allowed, denied]) {
    client.send({ type: "joinGroup", group: "g" });
    client.send({ ...text("g", "x"), noEcho: true });
    client.send({ type: "leaveGroup", group: "g" });
    client.send({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong" });
    await client.nothingArrived();
  }
});

test("C-31 a missing role is acked Forbidden, delivers nothing and keeps the connection", async () => {
  const hub = freshName("hub");
  const member = await connectJson(server, { hub, groups: ["g"] });
  const client = await connectJson(server, { hub, groups: ["mine"] });
  expect(await client.ask(text("g", "x"))).toEqual(forbidden);
  expect(await client.ask({ type: "joinGroup", group: "g" })).toEqual(forbidden);
  expect(await client.ask({ type: "leaveGroup", group: "mine" })).toEqual(forbidden);
  await member.nothingArrived();
  await restToGroup(hub, "g", "not a member");
  await restToGroup(hub, "mine", "still a member");
  expect(await client.next()).toMatchObject({ group: "mine", data: "still a member" });
});

test("C-32 after Forbidden the same ackId succeeds once the role is granted", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, groups: ["g"] });
  client.send({ ...text("g", "x"), ackId: 7 });
  expect(await client.next()).toEqual({ type: "ack", ackId: 7, ...forbidden });
  const granted = await server.rest({
    method: "PUT",
    path: `/api/hubs/${hub}/permissions/sendToGroup/connections/${client.connectionId}?targetName=g`,
  });
  expect(granted.status).toBe(200);
  client.send({ ...text("g", "y"), ackId: 7 });
  expect(await client.next()).toMatchObject({ type: "message", data: "y" });
  expect(await client.next()).toEqual({ type: "ack", ackId: 7, success: true });
});

test("C-33 a used ackId is answered Duplicate, whatever the request, and nothing is done", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, roles: allRoles });
  const member = await connectJson(server, { hub, groups: ["g"] });
  client.send({ ...text("g", "once"), ackId: 5 });
  expect(await client.next()).toEqual({ type: "ack", ackId: 5, success: true });
  expect(await member.next()).toMatchObject({ data: "once" });
  const repeated: readonly JsonFrame[] = [
    text("g", "twice"),
    { type: "joinGroup", group: "g" },
    { type: "leaveGroup", group: "g" },
    { type: "event", event: "ev", data: 1 },
  ];
  for (const command of repeated) {
    client.send({ ...command, ackId: 5 });
    expect(await client.next()).toEqual({
      type: "ack",
      ackId: 5,
      success: false,
      error: { name: "Duplicate", message: "Message with ack-id: 5 has been processed" },
    });
  }
  await member.nothingArrived();
  await restToGroup(hub, "g", "not joined");
  await client.nothingArrived();
});

test("C-34 ackId 0 and the largest 64-bit number are echoed exactly", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  for (const ackId of ["0", "18446744073709551615", "18446744073709551614", "9007199254740993", "9007199254740992"]) {
    client.send(`{"type":"joinGroup","group":"g","ackId":${ackId}}`);
    const ack = await client.socket.nextText();
    expect(ack).toMatch(new RegExp(`"ackId":${ackId}[,}]`));
    expect(JSON.parse(ack)).toMatchObject({ type: "ack", success: true });
  }
  client.send('{"type":"joinGroup","group":"g","ackId":18446744073709551615}');
  const again = await client.socket.nextText();
  expect(again).toContain('"ackId":18446744073709551615');
  expect(again).toContain('"Message with ack-id: 18446744073709551615 has been processed"');
});

test("C-35 the 1001st successful ackId pushes out the first", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  const join = async (ackId: number): Promise<unknown> => {
    client.send({ type: "joinGroup", group: "g", ackId });
    return (await client.next())["success"];
  };
  for (let ackId = 1; ackId <= 1000; ackId++) expect(await join(ackId)).toBe(true);
  expect(await join(1)).toBe(false);
  expect(await join(1001)).toBe(true);
  expect(await join(1)).toBe(true);
  expect(await join(3)).toBe(false);
});

test("C-36 a sender in the group gets its message before the ack unless noEcho; its user's other connections always do", async () => {
  const hub = freshName("hub");
  const sender = await connectJson(server, { hub, userId: "ann", roles: allRoles, groups: ["g"] });
  const sibling = await connectJson(server, { hub, userId: "ann", groups: ["g"] });
  const message = (data: string): JsonFrame => ({
    type: "message",
    from: "group",
    group: "g",
    fromUserId: "ann",
    dataType: "text",
    data,
  });
  sender.send({ ...text("g", "echoed"), ackId: 1 });
  expect(await sender.next()).toEqual(message("echoed"));
  expect(await sender.next()).toEqual({ type: "ack", ackId: 1, success: true });
  sender.send({ ...text("g", "not echoed"), noEcho: true, ackId: 2 });
  expect(await sender.next()).toEqual({ type: "ack", ackId: 2, success: true });
  expect(await sibling.next()).toEqual(message("echoed"));
  expect(await sibling.next()).toEqual(message("not echoed"));
  await sender.nothingArrived();
});

test("C-37 fromUserId is the sender's user, null for a client without user, absent for REST", async () => {
  const hub = freshName("hub");
  const member = await connectJson(server, { hub, groups: ["g"] });
  const ann = await connectJson(server, { hub, userId: "ann", roles: allRoles });
  const nobody = await connectJson(server, { hub, roles: allRoles });
  const message = { type: "message", from: "group", group: "g", dataType: "text", data: "x" };
  await ann.ask(text("g", "x"));
  expect(await member.next()).toEqual({ ...message, fromUserId: "ann" });
  await nobody.ask(text("g", "x"));
  expect(await member.next()).toEqual({ ...message, fromUserId: null });
  await restToGroup(hub, "g", "x");
  expect(await member.next()).toEqual(message);
});

test("C-38 sending to a group without members is acked with success", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: allRoles });
  expect(await client.ask(text(freshName("nobody"), "x"))).toEqual(success);
});

test("C-39 a role for group a.b allows that group alone", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: ["webpubsub.sendToGroup.a.b"] });
  expect(await client.ask(text("a.b", "x"))).toEqual(success);
  for (const group of ["a", "b", "a.b.c", "a.x", "A.b", "a.b "])
    expect(await client.ask(text(group, "x"))).toEqual(forbidden);
  expect(await client.ask({ type: "joinGroup", group: "a.b" })).toEqual(forbidden);
});

const patterns: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ["room-*", ["room-7", "room-"], ["room.7", "xroom-7", "room-7.a", "Room-7"]],
  ["t1.*", ["t1.a", "t1."], ["t1.a.b", "t1", "T1.a"]],
  ["t1.**", ["t1.a", "t1.a.b", "t1."], ["t2.a", "t1"]],
  ["t1.?9", ["t1.a9"], ["t1.9", "t1.ab9", "t1..9"]],
  ["a\\*b", ["a*b"], ["axb", "ab"]],
  ["a\\?b\\\\c", ["a?b\\c"], ["axb\\c", "a?bc"]],
  ["plain", ["plain"], ["plainer", "Plain"]],
  ["**", ["anything.at all", "x"], []],
];

test.each(patterns)(
  "C-40 the pattern %s grants sending and joining to what it matches",
  async (pattern, matching, others) => {
    const hub = freshName("hub");
    const sender = await connectJson(server, { hub, roles: [`webpubsub.sendToGroups.${pattern}`] });
    const joiner = await connectJson(server, { hub, roles: [`webpubsub.joinLeaveGroups.${pattern}`] });
    for (const [groups, outcome] of [
      [matching, success],
      [others, forbidden],
    ] as const) {
      for (const group of groups) {
        expect([group, await sender.ask(text(group, "x"))]).toEqual([group, outcome]);
        expect([group, await joiner.ask({ type: "joinGroup", group })]).toEqual([group, outcome]);
        expect([group, await joiner.ask({ type: "leaveGroup", group })]).toEqual([group, outcome]);
      }
    }
    const [group = ""] = matching;
    expect(await sender.ask({ type: "joinGroup", group })).toEqual(forbidden);
    expect(await joiner.ask(text(group, "x"))).toEqual(forbidden);
  },
);

test.each(["a*b*c*d*e*f*", "a******", "a\\", "a\\x", ""])(
  "C-41 the invalid pattern %p is ignored and the client accepted",
  async (pattern) => {
    const roles = [`webpubsub.sendToGroups.${pattern}`, "webpubsub.sendToGroups.good.*"];
    const client = await connectJson(server, { hub: freshName("hub"), roles });
    for (const group of ["abcdef", "a", "a\\", "ax", "a\\x", "a******", pattern].filter((name) => name !== "")) {
      expect([group, await client.ask(text(group, "x"))]).toEqual([group, forbidden]);
    }
    expect(await client.ask(text("good.one", "x"))).toEqual(success);
  },
);

test("C-41 a pattern with five stars is in force", async () => {
  const client = await connectJson(server, { hub: freshName("hub"), roles: ["webpubsub.sendToGroups.a*b*c*d*e*"] });
  expect(await client.ask(text("a1b2c3d4e5", "x"))).toEqual(success);
});

test("C-42 revoking one group beats the global role, and granting restores it", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, roles: allRoles });
  const path = `/api/hubs/${hub}/permissions/sendToGroup/connections/${client.connectionId}?targetName=g`;
  expect((await server.rest({ method: "DELETE", path })).status).toBe(204);
  expect(await client.ask(text("g", "x"))).toEqual(forbidden);
  expect(await client.ask(text("other", "x"))).toEqual(success);
  expect(await client.ask({ type: "joinGroup", group: "g2" })).toEqual(success);
  expect((await server.rest({ method: "PUT", path })).status).toBe(200);
  expect(await client.ask(text("g", "x"))).toEqual(success);
});

test("C-43 groups of the token are joined without any role", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub, groups: ["one", "two"] });
  for (const group of ["one", "two"]) {
    await restToGroup(hub, group, group);
    expect(await client.next()).toMatchObject({ group, data: group });
  }
});
