import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { connectEcho } from "../support/echo.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";
import { handshake } from "../support/web-socket.ts";

let server: Target;
let bystander: JsonClient;
beforeAll(async () => {
  server = await anyServer();
  bystander = await connectJson(server, { hub: freshName("bystander"), groups: ["g"], roles: allRoles });
});
afterAll(async () => await server.stop());
afterEach(async () => await bystander.nothingArrived());

const connect = (groups: readonly string[] = ["g"]): Promise<JsonClient> =>
  connectJson(server, { hub: freshName("hub"), userId: "u", roles: allRoles, groups });

/** Sends text and says how it went: the close code, or the frames that came until the pong of a later ping. */
async function outcome(client: JsonClient, message: string): Promise<number | readonly unknown[]> {
  client.send(message);
  client.send('{"type":"ping"}');
  const frames: unknown[] = [];
  for (;;) {
    const event = await client.socket.next();
    if (event.kind === "closed") return event.code;
    const frame: unknown = event.kind === "text" ? JSON.parse(event.text) : event;
    if (Bun.deepEquals(frame, { type: "pong" })) return frames;
    frames.push(frame);
  }
}

describe("JSON of wrong shape", () => {
  const commands: readonly (readonly [name: string, members: Readonly<Record<string, string>>])[] = [
    ["joinGroup", { type: '"joinGroup"', group: '"g"', ackId: "1" }],
    ["leaveGroup", { type: '"leaveGroup"', group: '"other"', ackId: "1" }],
    ["sendToGroup", { type: '"sendToGroup"', group: '"g"', ackId: "1", noEcho: "true", dataType: '"json"', data: "1" }],
    ["event", { type: '"event"', event: '"e"', ackId: "1", dataType: '"text"', data: '"x"' }],
    ["sequenceAck", { type: '"sequenceAck"', sequenceId: "1" }],
    ["ping", { type: '"ping"' }],
  ];
  const values = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "9".repeat(10_000),
    '""',
    '" "',
    '"\\u0000"',
    '"__proto__"',
    '"constructor"',
    "[]",
    "{}",
    '{"__proto__":null}',
    '[["g"]]',
    `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  ];

  const text = (members: readonly (readonly [string, string])[]): string =>
    `{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`;

  /** The client is closed as the documents say, or goes on. */
  async function survives(client: JsonClient, message: string): Promise<JsonClient> {
    const how = await outcome(client, message);
    if (typeof how !== "number") return client;
    expect([1007, 1008]).toContain(how);
    return connect();
  }

  test.each(commands)(
    "H-23 %s with each member absent, doubled, renamed or of another type",
    async (_name, command) => {
      let client = await connect();
      const members = Object.entries(command);
      for (const [at, [name]] of members.entries()) {
        client = await survives(client, text(members.toSpliced(at, 1)));
        client = await survives(client, text([...members, [name, "null"]]));
        client = await survives(client, text(members.toSpliced(at, 1, [name.toUpperCase(), '"x"'])));
        for (const value of values) client = await survives(client, text(members.toSpliced(at, 1, [name, value])));
      }
    },
  );

  test("H-23 members that are no business of ours are harmless, `__proto__` among them", async () => {
    const client = await connect();
    const message = '{"__proto__":{"noEcho":true,"group":"other"},"type":"sendToGroup","group":"g","data":1,"x":[{}]}';
    expect(await outcome(client, message)).toEqual([
      { type: "message", from: "group", group: "g", fromUserId: "u", dataType: "json", data: 1 },
    ]);
    expect(
      await outcome(client, '{"constructor":{"prototype":{"type":"nope"}},"type":"sequenceAck","sequenceId":1}'),
    ).toEqual([]);
  });

  test("H-23 JSON data named `__proto__`, or with members twice, is passed on as it was written", async () => {
    const client = await connect();
    for (const data of ['{"__proto__":{"a":1}}', '{"a":1,"a":2}', "1e400", "-0", "9".repeat(400)]) {
      client.send(`{"type":"sendToGroup","group":"g","data":${data}}`);
      expect(await client.socket.nextText()).toContain(`"data":${data}`);
    }
  });

  test("H-23 nesting of 10,000 closes 1007 wherever it counts", async () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    for (const message of [deep, `{"type":"sendToGroup","group":"g","data":${deep}}`, `{"x":`.repeat(10_000)])
      expect(await outcome(await connect(), message)).toBe(1007);
  });

  test("H-23 token claims of wrong type never break the handshake", async () => {
    const odd: readonly unknown[] = [null, 5, true, {}, [], [1], [null], [["x"]], { length: 1 }, "\0", "\ud800", 1e308];
    for (const claim of ["sub", "role", "webpubsub.group", "nbf", "iat", "exp", "aud", "__proto__", "nameid"]) {
      for (const value of odd) {
        const path = clientPath(server, { hub: freshName("hub"), userId: "u", claims: { [claim]: value } });
        expect([101, 400, 401]).toContain((await handshake(server.endpoint, { path })).status);
      }
    }
  });

  test.each([
    ["POST", "/:addToGroups"],
    ["POST", "/:removeFromGroups"],
    ["POST", "/:generateToken?userId=u"],
    ["POST", "/groups/g/:send"],
  ])("H-23 REST answers bodies of wrong shape for %s %s with 2xx or 4xx", async (method, path) => {
    const api = hubApi(server, freshName("hub"));
    const bodies = [
      "",
      "null",
      "1",
      '"groups"',
      "[]",
      "{}",
      "{",
      "\0",
      '{"groups":null}',
      '{"groups":"g"}',
      '{"groups":[1]}',
      '{"groups":[""],"filter":""}',
      '{"groups":{"length":1},"filter":1}',
      '{"__proto__":{"groups":["g"]},"filter":"userId eq \'u\'"}',
      `{"groups":${"[".repeat(10_000)}${"]".repeat(10_000)},"filter":"x"}`,
      `{"groups":["g"],"filter":"${"(".repeat(10_000)}"}`,
      `{"groups":["g"],"filter":"${"not ".repeat(10_000)}x"}`,
    ];
    for (const body of bodies) {
      const { status } = await api(method, path, { body, headers: { "Content-Type": "application/json" } });
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
    }
  });
});

describe("edges", () => {
  test("H-24 group names of 1024 characters exist everywhere, of 1025 and 0 nowhere", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const longest = "\u{1f30a}".repeat(512); // 1024 UTF-16 units
    const client = await connectJson(server, { hub, userId: "u", roles: allRoles });
    for (const [group, isValid] of [
      [longest, true],
      [`${longest}x`, false],
    ] as const) {
      const path = `/groups/${encodeURIComponent(group)}`;
      expect((await api("PUT", `${path}/connections/${client.connectionId}`)).status).toBe(isValid ? 200 : 400);
      expect((await api("PUT", `/users/u${path}`)).status).toBe(isValid ? 200 : 400);
      expect((await api("POST", `${path}/:send`, { body: "x" })).status).toBe(isValid ? 202 : 400);
      if (isValid) expect(await client.next()).toMatchObject({ group, data: "x" });
      const inToken = clientPath(server, { hub, groups: [group] });
      expect((await handshake(server.endpoint, { path: inToken })).status).toBe(isValid ? 101 : 400);
      const simple = clientPath(server, { hub, query: { webpubsub_mode: "sendToGroup", group } });
      expect((await handshake(server.endpoint, { path: simple })).status).toBe(isValid ? 101 : 400);
    }
    expect((await api("POST", "/groups//:send", { body: "x" })).status).toBe(404);
    expect((await api("POST", "/groups/%20/:send", { body: "x" })).status).toBe(400);
    for (const group of ["", " ", "x".repeat(1025)])
      expect(await outcome(await connect(), JSON.stringify({ type: "joinGroup", group }))).toBe(1007);
  });

  test("H-24 data without length arrives without length", async () => {
    const client = await connect();
    const message = { type: "message", from: "group", group: "g", fromUserId: "u" };
    for (const dataType of ["text", "binary"]) {
      client.send({ type: "sendToGroup", group: "g", dataType, data: "" });
      expect(await client.next()).toEqual({ ...message, dataType, data: "" });
    }
    client.send('{"type":"sendToGroup","group":"g","dataType":"json","data":""}');
    expect(await client.next()).toEqual({ ...message, dataType: "json", data: "" });
    const echo = await connectEcho(server);
    echo.socket.send("");
    expect(await echo.socket.nextText()).toBe("");
    echo.socket.send(new Uint8Array(0));
    expect(await echo.socket.nextBinary()).toHaveLength(0);
    const sent = await hubApi(server, client.hub)("POST", "/:send", { body: new Uint8Array(0) });
    expect(sent.status).toBe(202);
    expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "binary", data: "" });
  });

  test("H-24 NUL is a character like others, in names and in data", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const [group, userId, text] = ["a\0b", "u\0v", "\0 and \0"];
    const client = await connectJson(server, { hub, userId, roles: allRoles, groups: [group] });
    expect(client.connected["userId"]).toBe(userId);
    const prefix = await connectJson(server, { hub, userId: "u", groups: ["a"] });
    expect((await api("POST", "/groups/a%00b/:send", { body: text })).status).toBe(202);
    expect(await client.next()).toMatchObject({ group, data: text });
    expect((await api("POST", "/users/u%00v/:send", { body: text })).status).toBe(202);
    expect(await client.next()).toMatchObject({ from: "server", data: text });
    client.send({ type: "sendToGroup", group, dataType: "text", data: text });
    expect(await client.next()).toMatchObject({ group, fromUserId: userId, data: text });
    await prefix.nothingArrived();
  });

  test("H-24 lone surrogates are kept apart in names and stay valid Unicode on the wire", async () => {
    const client = await connect([]);
    for (const message of [
      '{"type":"joinGroup","group":"\\ud800","ackId":1}',
      '{"type":"sendToGroup","group":"\\ud800","dataType":"text","data":"\\udfff","ackId":2}',
      '{"type":"sendToGroup","group":"\\udc00","dataType":"json","data":"\\ud800","ackId":3}',
    ])
      client.send(message);
    // The client would fail at a frame that is not UTF-8.
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    const [message, ack] = [await client.next(), await client.next()];
    expect([message, ack]).toContainEqual({ type: "ack", ackId: 2, success: true });
    expect([message, ack]).toContainEqual({
      type: "message",
      from: "group",
      group: "\ud800",
      fromUserId: "u",
      dataType: "text",
      data: "\udfff",
    });
    expect(await client.next()).toEqual({ type: "ack", ackId: 3, success: true }); // another group: no message
    const simple = await connectSimple(server, { hub: client.hub, groups: ["both"] });
    client.send('{"type":"sendToGroup","group":"both","dataType":"text","data":"a\\ud800b"}');
    expect(await simple.socket.nextText()).toBe("a\ufffdb");
  });

  test("H-24 an encoded slash belongs to the name, escapes are decoded once and only if they are whole", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const names = ["a/b", "a", "a%2Fb", "a+b", "../x", ":send", "a?b#c"];
    const members = await Promise.all(names.map((group) => connectJson(server, { hub, groups: [group] })));
    for (const [at, group] of names.entries()) {
      const sent = await api("POST", `/groups/${encodeURIComponent(group)}/:send`, { body: group });
      expect(sent.status).toBe(202);
      expect(await members[at]?.next()).toMatchObject({ group, data: group });
    }
    expect((await api("POST", "/groups/a%2fb/:send", { body: "lower case" })).status).toBe(202);
    expect(await members[0]?.next()).toMatchObject({ group: "a/b", data: "lower case" });
    expect((await api("POST", "/groups/a%252Fb/:send", { body: "once" })).status).toBe(202);
    expect(await members[2]?.next()).toMatchObject({ group: "a%2Fb", data: "once" });
    for (const broken of ["%", "%2", "%zz", "%c0%af", "%ff", "%ed%a0%80"])
      expect((await api("POST", `/groups/${broken}/:send`, { body: "x" })).status).toBe(400);
    for (const member of members) await member.nothingArrived();
  });
});
