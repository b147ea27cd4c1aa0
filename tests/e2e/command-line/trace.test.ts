import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../../support/clients.ts";
import { type RunningCommand, startTidewire, tidewire } from "../../support/command-line.ts";
import { type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { listening } from "../../support/trace.ts";

let handler: EventHandler;
let server: Server;

beforeAll(async () => {
  handler = await startEventHandler();
  server = await startServer({
    properties: { liveTraceConfiguration: { enabled: "true" } },
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [], userEventPattern: "ask" })] } },
  });
});
afterAll(async () => {
  await server.stop();
  await handler.stop();
});

function trace(...args: readonly string[]): RunningCommand {
  return startTidewire(["trace", ...args], { env: { WebPubSubConnectionString: server.connectionString } });
}

test("M-47 trace prints a line with time, level, event, message and context, until Ctrl+C", async () => {
  const command = trace();
  const [warmUp, hub] = [freshName("warm"), freshName("chat")];
  await listening(command, server, warmUp);
  const client = await connectJson(server, { hub, userId: "ann" });
  await command.written(
    new RegExp(
      `^\\d{4}-\\S+Z {2}Information {2}ConnectionStarted {2}Connection started {2}(?=.*\\bhub=${hub}\\b).*\\buserId=ann\\b.*$`,
      "m",
    ),
  );
  await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "x" });
  await command.written(new RegExp(`^.* HttpRequestCompleted .*/api/hubs/${hub}/:send.*$`, "m"));
  command.kill("SIGINT");
  const { exitCode, stdout, stderr } = await command.ended();
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: `tidewire: live trace of ${server.endpoint}; Ctrl+C ends it\n`,
  });
  expect(stdout).not.toContain("\u001b");
  client.socket.close(1000);
});

test("M-47 trace filters by category, event, hub, user and connection, and prints JSON lines up to the limit", async () => {
  const hub = freshName("chat");
  const filter = ["--category", "connectivitylogs", "--event", "connectionEnded", "--hub-name", hub, "--user", "ann"];
  const command = trace(...filter, "--limit", "2", "-o", "json");
  const ended = command.ended();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    for (const userId of ["bob", "ann"]) {
      const client = await connectJson(server, { hub, userId });
      client.socket.close(1000);
    }
  }
  const { exitCode, stdout } = await ended;
  expect(exitCode).toBe(0);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  const wanted = {
    level: "Information",
    eventName: "ConnectionEnded",
    message: expect.any(String) as unknown,
    logContext: expect.objectContaining({ category: "ConnectivityLogs", hub, userId: "ann" }) as unknown,
  };
  expect(lines).toEqual([expect.objectContaining(wanted), expect.objectContaining(wanted)]);
});

test("trace --connection shows one connection alone", async () => {
  const hub = freshName("chat");
  const [mine, other] = [await connectJson(server, { hub }), await connectJson(server, { hub })];
  const command = trace("--connection", mine.connectionId, "--limit", "1");
  const ended = command.ended();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const toggle = (connectionId: string) =>
    server.rest({ method: "PUT", path: `/api/hubs/${hub}/groups/a/connections/${connectionId}` });
  while (!isOver) {
    await toggle(other.connectionId);
    await server.rest({ method: "DELETE", path: `/api/hubs/${hub}/groups/a/connections/${mine.connectionId}` });
    await toggle(mine.connectionId);
  }
  const { stdout } = await ended;
  expect(stdout).toContain(`connectionId=${mine.connectionId}`);
  expect(stdout).not.toContain(other.connectionId);
});

test("trace --bodies shows what is exchanged with an event handler below its line, and follows a message by its trace id", async () => {
  const hub = freshName("chat");
  const client = await connectJson(server, { hub, userId: "ann" });
  handler.hub(hub).answer("ask", { headers: [["Content-Type", "text/plain"]], body: "the answer" });
  const command = trace("--bodies", "--user", "ann");
  const ask = () => client.send({ type: "event", event: "ask", dataType: "text", data: "the question" });
  const shown = command.written(/^.* EventHandlerInvoked {2}\+[\d.]+ ms .*\btraceId=([0-9a-f]{32})\b.*$/m);
  let isShown = false;
  void shown.then(() => {
    isShown = true;
  });
  while (!isShown) {
    ask();
    await client.next();
  }
  const [, traceId] = await shown;
  await command.written(
    /^ {4}requestBody:\n {4}the question\n {4}responseHeaders:\n(?: {4}.*\n)+ {4}responseBody:\n {4}the answer$/m,
  );
  await command.written(new RegExp(`^.* MessageDelivered {2}\\+[\\d.]+ ms .*\\btraceId=${traceId}\\b.*$`, "m"));
  command.kill("SIGINT");
  const { stdout } = await command.ended();
  expect(stdout).toMatch(/^ {4}ce-signature: REDACTED$/m);
});

test("trace refuses a category that does not exist, and names those that do", async () => {
  const { exitCode, stdout, stderr } = await tidewire(["trace", "--category", "nope"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain("'nope'");
  expect(stderr).toContain("It must be one of ConnectivityLogs, MessagingLogs, HttpRequestLogs.");
});

test("trace says why it is refused, and that the service ended it", async () => {
  const refused = async (connectionString: string) => {
    return tidewire(["trace"], { env: { WebPubSubConnectionString: connectionString } });
  };
  const wrongKey = server.connectionString.replace(server.primaryKey, "w".repeat(40));
  expect(await refused(wrongKey)).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "tidewire: the service answered 401: is the connection string that of this service?\n",
  });
  const other = await startServer({ properties: { liveTraceConfiguration: { enabled: "true" } } });
  const command = startTidewire(["trace"], { env: { WebPubSubConnectionString: other.connectionString } });
  await command.announced(/live trace of/);
  await other.reconfigure({ properties: { liveTraceConfiguration: { enabled: "false" } } });
  const { exitCode, stderr } = await command.ended();
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^tidewire: the service ended the live trace: .+$/m);
  expect((await refused(other.connectionString)).stderr).toMatch(/^tidewire: the service answered 403: live trace is/);
  await other.stop();
});
