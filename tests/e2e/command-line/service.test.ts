import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { connectJson } from "../../support/clients.ts";
import { tidewire } from "../../support/command-line.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer({ compat: { permissionWithoutTargetMeansAll: true } });
});
afterAll(async () => {
  await server.stop();
});

const silent = { exitCode: 0, stdout: "", stderr: "" };

/** Runs `tidewire service …` with the connection string in the environment. */
function service(...args: readonly string[]) {
  return tidewire(["service", ...args], { env: { WebPubSubConnectionString: server.connectionString } });
}

async function answer(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await service(...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

test("M-62 service broadcast sends text, or JSON when told, to every connection of the hub", async () => {
  const hub = freshName("chat");
  const client = await connectJson(server, { hub });
  expect(await service("broadcast", "--hub-name", hub, "--payload", "hello you")).toEqual(silent);
  expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "text", data: "hello you" });
  const json = ["--payload", '{"a":1}', "--content-type", "application/json"];
  expect(await service("broadcast", "--hub-name", hub, ...json)).toEqual(silent);
  expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "json", data: { a: 1 } });
});

test("M-62 service group add-user, send and remove-user; names with blanks and slashes arrive", async () => {
  const hub = freshName("chat");
  const [group, user] = ["a room/1", "ann lee"];
  const client = await connectJson(server, { hub, userId: user });
  const member = ["--hub-name", hub, "--group-name", group, "--user-id", user];
  const hello = ["--hub-name", hub, "--group-name", group, "--payload", "hello"];
  expect(await service("group", "add-user", ...member)).toEqual(silent);
  expect(await service("group", "send", ...hello)).toEqual(silent);
  expect(await client.next()).toMatchObject({ type: "message", from: "group", group, data: "hello" });
  expect(await service("group", "remove-user", ...member)).toEqual(silent);
  expect(await service("group", "send", ...hello)).toEqual(silent);
  await client.nothingArrived();
});

test("service group add-connection and remove-connection", async () => {
  const hub = freshName("chat");
  const client = await connectJson(server, { hub });
  const member = ["--hub-name", hub, "--group-name", "room", "--connection-id", client.connectionId];
  const hello = ["--hub-name", hub, "--group-name", "room", "--payload", "hello"];
  expect(await service("group", "add-connection", ...member)).toEqual(silent);
  expect(await service("group", "send", ...hello)).toEqual(silent);
  expect(await client.next()).toMatchObject({ group: "room", data: "hello" });
  expect(await service("group", "remove-connection", ...member)).toEqual(silent);
  expect(await service("group", "send", ...hello)).toEqual(silent);
  await client.nothingArrived();
});

test("M-62 service user exist prints true or false, in JSON too, and user send reaches the user", async () => {
  const hub = freshName("chat");
  const exist = ["user", "exist", "--hub-name", hub, "--user-id", "ann"];
  expect(await answer(...exist)).toBe("false\n");
  const client = await connectJson(server, { hub, userId: "ann" });
  expect(await answer(...exist)).toBe("true\n");
  expect(JSON.parse(await answer(...exist, "-o", "json"))).toBe(true);
  expect(await service("user", "send", "--hub-name", hub, "--user-id", "ann", "--payload", "hi")).toEqual(silent);
  expect(await client.next()).toMatchObject({ from: "server", data: "hi" });
});

test("service connection exist, send and close with a reason", async () => {
  const hub = freshName("chat");
  const client = await connectJson(server, { hub });
  const one = ["--hub-name", hub, "--connection-id", client.connectionId];
  expect(await answer("connection", "exist", ...one)).toBe("true\n");
  expect(await service("connection", "send", ...one, "--payload", "hi")).toEqual(silent);
  expect(await client.next()).toMatchObject({ from: "server", data: "hi" });
  expect(await service("connection", "close", ...one, "--reason", "so long")).toEqual(silent);
  expect(await client.next()).toMatchObject({
    event: "disconnected",
    message: expect.stringContaining("so long") as unknown,
  });
  expect(await answer("connection", "exist", ...one)).toBe("false\n");
});

test("M-62 service permission grant, check and revoke", async () => {
  const hub = freshName("chat");
  const client = await connectJson(server, { hub });
  const one = ["--hub-name", hub, "--connection-id", client.connectionId, "--permission", "sendToGroup"];
  const room = [...one, "--group-name", "room"];
  expect(await answer("permission", "check", ...room)).toBe("false\n");
  expect(await service("permission", "grant", ...room)).toEqual(silent);
  expect(JSON.parse(await answer("permission", "check", ...room, "-o", "json"))).toBe(true);
  expect(await answer("permission", "check", ...one, "--group-name", "other")).toBe("false\n");
  expect(await client.ask({ type: "sendToGroup", group: "room", data: "x" })).toMatchObject({ success: true });
  expect(await service("permission", "revoke", ...room)).toEqual(silent);
  expect(await answer("permission", "check", ...room)).toBe("false\n");
  expect(await service("permission", "grant", ...one)).toEqual(silent);
  expect(await answer("permission", "check", ...one, "--group-name", "other")).toBe("true\n");
});

test("--connection-string wins over the environment", async () => {
  const args = ["service", "user", "exist", "--hub-name", "chat", "--user-id", "nobody"];
  const env = { WebPubSubConnectionString: "Endpoint=http://127.0.0.1:1;AccessKey=x;Version=1.0;" };
  const { stdout } = await tidewire([...args, "--connection-string", server.connectionString], { env });
  expect(stdout).toBe("false\n");
});

test("what the service refuses is one line with its reason, and exit code 1", async () => {
  const refused = async (connectionString: string, ...args: readonly string[]) => {
    const result = await tidewire(["service", ...args], { env: { WebPubSubConnectionString: connectionString } });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    return result.stderr;
  };
  const wrongKey = `Endpoint=${server.endpoint};AccessKey=${"w".repeat(40)};Version=1.0;`;
  const told = await refused(wrongKey, "broadcast", "--hub-name", "chat", "--payload", "x");
  expect(told).toMatch(/^tidewire: the service answered 401 Unauthorized: .+\n$/);
  expect(told).not.toContain("w".repeat(40));
  expect(await refused(wrongKey, "user", "exist", "--hub-name", "chat", "--user-id", "ann")).toMatch(/ 401 .+\n$/);
  const unknown = ["group", "add-connection", "--hub-name", "chat", "--group-name", "g", "--connection-id", "c1"];
  expect(await refused(server.connectionString, ...unknown)).toBe(
    "tidewire: the service answered 404 Not Found: Connection `c1` is not found. (Error.Connection.NotExisted)\n",
  );
  const wrongJson = ["--payload", "{", "--content-type", "application/json"];
  expect(await refused(server.connectionString, "broadcast", "--hub-name", "chat", ...wrongJson)).toBe(
    "tidewire: the service answered 400 Bad Request: The request body is not a valid JSON. (Error.BadRequest)\n",
  );
});

test.each([
  ["http", ["service", "broadcast", "--hub-name", "chat", "--payload", "x"]],
  ["ws", ["trace"]],
  ["ws", ["client", "start", "--hub-name", "chat"]],
])("a service that is not there is one line, and exit code 1 (%s, %p)", async (scheme, args) => {
  const nowhere = `Endpoint=http://127.0.0.1:1;AccessKey=${"k".repeat(40)};Version=1.0;`;
  expect(await tidewire([...args, "--connection-string", nowhere])).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `tidewire: ${scheme}://127.0.0.1:1 does not answer: connection refused\n`,
  });
});

test("over https the local authority has to be trusted; without that, what to do is said", async () => {
  const secure = await startServer({ service: { listen: [{ url: "https://127.0.0.1:0" }] } });
  try {
    const env = { WebPubSubConnectionString: secure.connectionString };
    const exist = ["service", "user", "exist", "--hub-name", "chat", "--user-id", "ann"];
    const start = ["client", "start", "--hub-name", "chat"];
    for (const args of [exist, start]) {
      const { exitCode, stderr } = await tidewire(args, { env });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^tidewire: \S+ does not answer: its certificate is not trusted .+NODE_EXTRA_CA_CERTS=.+\n$/,
      );
    }
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: join(secure.dataDir, "tls", "ca.pem") };
    expect(await tidewire(exist, { env: trusting })).toEqual({ exitCode: 0, stdout: "false\n", stderr: "" });
    expect((await tidewire(start, { env: trusting })).stdout).toMatch(/^connected/);
  } finally {
    await secure.stop();
  }
});

test("wrong usage says what is wrong, without a secret, and exit code 2", async () => {
  const wrong = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const result = await tidewire(args, { env });
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    return result.stderr;
  };
  const exist = ["service", "user", "exist", "--hub-name", "chat", "--user-id", "ann"];
  expect(await wrong(exist)).toBe(
    "tidewire: no connection string: set WebPubSubConnectionString or give --connection-string\n",
  );
  const halved = await wrong(exist, { WebPubSubConnectionString: `AccessKey=${"s".repeat(40)};Version=1.0;` });
  expect(halved).toBe("tidewire: WebPubSubConnectionString has no Endpoint\n");
  expect(await wrong([...exist, "--connection-string", "garbage"])).toBe(
    "tidewire: --connection-string is not a connection string (Endpoint=…;AccessKey=…;)\n",
  );
  expect(await wrong(["service", "user", "exist", "--user-id", "ann"])).toContain("--hub-name");
  expect(await wrong(["service", "user", "exist", "--hub-name", "a-b", "--user-id", "ann"])).toContain("no hyphen");
  const permission = ["service", "permission", "check", "--hub-name", "chat", "--connection-id", "c"];
  expect(await wrong([...permission, "--permission", "fly"])).toContain("joinLeaveGroup, sendToGroup");
  expect(await wrong(["service", "broadcats"])).toContain("unknown command 'broadcats'");
  expect(await wrong(["service"])).toContain("broadcast");
});
