import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../../support/clients.ts";
import { startTidewire, tidewire } from "../../support/command-line.ts";
import { type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";

let handler: EventHandler;
let server: Server;

beforeAll(async () => {
  handler = await startEventHandler();
  server = await startServer({ hubs: { "*": { eventHandlers: [handler.settings()] } } });
});
afterAll(async () => {
  await server.stop();
  await handler.stop();
});

const environment = () => ({ WebPubSubConnectionString: server.connectionString });

/** Connects to a client URL and returns its first frame. */
async function firstFrame(url: string): Promise<unknown> {
  const socket = new WebSocket(url, "json.webpubsub.azure.v1");
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))), { once: true });
  socket.addEventListener("error", () => reject(new Error("refused")), { once: true });
  try {
    return await promise;
  } finally {
    socket.close();
  }
}

function claims(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
}

test("M-63 url makes a URL with hub, user id, groups, roles and lifetime that connects", async () => {
  const hub = freshName("chat");
  const roles = ["--role", "webpubsub.sendToGroup.room", "--role", "webpubsub.joinLeaveGroup"];
  const options = ["--hub-name", hub, "--user-id", "ann lee", "--group", "room", "--group", "b", "--expires", "7"];
  const { exitCode, stdout } = await tidewire(["url", ...options, ...roles], { env: environment() });
  expect(exitCode).toBe(0);
  const url = stdout.trimEnd();
  expect(url.startsWith(`${server.endpoint.replace("http", "ws")}/client/hubs/${hub}?access_token=`)).toBe(true);
  expect(await firstFrame(url)).toMatchObject({ type: "system", event: "connected", userId: "ann lee" });
  const said = claims(new URL(url).searchParams.get("access_token") ?? "");
  expect(said).toMatchObject({
    sub: "ann lee",
    role: ["webpubsub.sendToGroup.room", "webpubsub.joinLeaveGroup"],
    "webpubsub.group": ["room", "b"],
  });
  expect(Number(said["exp"]) - Number(said["iat"])).toBe(420);
});

test("M-63 url and token in JSON have the members of the SDK; MQTT has a path of its own", async () => {
  const hub = freshName("chat");
  const run = async (...args: readonly string[]) => {
    return (await tidewire([...args, "--hub-name", hub], { env: environment() })).stdout;
  };
  const made = JSON.parse(await run("url", "-o", "json")) as Record<string, string>;
  expect(made["url"]).toBe(`${made["baseUrl"]}?access_token=${made["token"]}`);
  expect(claims(made["token"] ?? "")).not.toHaveProperty("sub");
  expect(await firstFrame(made["url"] ?? "")).toMatchObject({ event: "connected" });
  const token = (await run("token")).trimEnd();
  const client = await connectJson(server, { hub, token });
  expect(client.connected["event"]).toBe("connected");
  expect(await run("url", "--protocol", "mqtt")).toContain(`/clients/mqtt/hubs/${hub}?access_token=`);
});

test("client start joins, sends, sends events, leaves and shows history and help", async () => {
  const hub = freshName("chat");
  const peer = await connectJson(server, { hub, userId: "bob", groups: ["my room"], roles: ["webpubsub.sendToGroup"] });
  handler.hub(hub).answer("greet", { headers: [["Content-Type", "text/plain"]], body: "hello \u001b[31mann" });
  const client = startTidewire(["client", "start", "--hub-name", hub, "--user-id", "ann"], { env: environment() });
  await client.written(/^connected as ann, connection \S+;/m);
  client.type('join "my room"');
  await client.written(/^joined my room$/m);
  expect(
    await peer.ask({ type: "sendToGroup", group: "my room", dataType: "json", data: { a: 1 }, noEcho: true }),
  ).toEqual({ success: true });
  await client.written(/^my room bob: \{"a":1\}$/m);
  client.type('send "my room" hello  everyone');
  expect(await peer.next()).toMatchObject({ fromUserId: "ann", dataType: "text", data: "hello  everyone" });
  client.type('sendtogroup --json "my room" [1, 2]');
  expect(await peer.next()).toMatchObject({ fromUserId: "ann", dataType: "json", data: [1, 2] });
  client.type("event greet it is me");
  await client.written(/^server: hello \\u001b\[31mann$/m);
  expect((await handler.hub(hub).next("greet")).text).toBe("it is me");
  client.type('leave "my room"');
  await client.written(/^left my room$/m);
  client.type("history");
  await client.written(/^ {3}1 {2}join "my room"$/m);
  client.type("help");
  await client.written(/^join GROUP/m);
  client.type("quit");
  expect(await client.ended()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(client.stdout).not.toContain("\u001b");
});

test("client start with piped input carries out every command, says what was refused, and ends", async () => {
  const hub = freshName("chat");
  const input = "join a\nsend a hello\nsend b\nfly\nleave a\n";
  const args = ["client", "start", "--hub-name", hub, "--role", "webpubsub.joinLeaveGroup"];
  const { exitCode, stdout, stderr } = await tidewire(args, { env: environment(), input });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^connected, connection \S+;.*\njoined a\nleft a\n$/);
  expect(stderr).toMatch(
    /^tidewire: refused: .+ \(Forbidden\)\ntidewire: send needs .+\ntidewire: there is no fly; .+\n$/,
  );
});

test("client start --output json prints the frames alone", async () => {
  const hub = freshName("chat");
  const args = ["client", "start", "--hub-name", hub, "--group", "a", "-o", "json"];
  const { stdout } = await tidewire(args, { env: environment(), input: "send a hello\nhelp\n" });
  const frames = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(frames.map(({ type }) => String(type)).toSorted()).toEqual(["ack", "message", "system"]);
});

test("client start ends with 1 when it is refused and when the connection is closed", async () => {
  const hub = freshName("chat");
  const wrongKey = `Endpoint=${server.endpoint};AccessKey=${"w".repeat(40)};Version=1.0;`;
  const start = ["client", "start", "--hub-name", hub];
  const refused = await tidewire(start, { env: { WebPubSubConnectionString: wrongKey } });
  expect(refused).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "tidewire: the service answered 401: is the connection string that of this service?\n",
  });
  const client = startTidewire(start, { env: environment() });
  await client.written(/^connected/m);
  await server.rest({ method: "POST", path: `/api/hubs/${hub}/:closeConnections?reason=lunch` });
  const { exitCode, stderr } = await client.ended();
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^tidewire: the connection ended \(1000: .*lunch.*\)\n$/);
});
