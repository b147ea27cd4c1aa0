import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { selfSigned } from "../support/certificate.ts";
import { connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { successAck, textEvent, tryToConnect } from "../support/events.ts";
import { freePort } from "../support/free-port.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { launch, type ServerProcess } from "../support/server-process.ts";
import { tempDir } from "../support/temp.ts";
import { tunnelHandshake } from "../support/tunnel.ts";

const handler = {
  urlTemplate: "tunnel:///eventhandler/{event}?code=s3cret",
  userEventPattern: "*",
  systemEvents: ["connect", "connected", "disconnected"],
};

/** `tidewire tunnel` with these arguments; the connection string is in the environment. */
function startCommand(connectionString: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return launch({
    command: "tunnel",
    config: null,
    args,
    env: { ...(connectionString === "" ? {} : { WebPubSubConnectionString: connectionString }), ...env },
  });
}

async function connected(target: Target, args: readonly string[], env?: Readonly<Record<string, string>>) {
  const command = startCommand(target.connectionString, args, env);
  await command.written(/^Connected to .*$/m, { withinMs: 15_000 });
  return command;
}

async function stop(command: ServerProcess): Promise<number | null> {
  command.kill("SIGINT");
  return inTime(command.exited, "end of the command", 15_000);
}

describe.skipIf(isForeign)("tidewire tunnel", () => {
  let server: Server;
  let app: EventHandler;
  beforeAll(async () => {
    app = await startEventHandler();
    server = await startServer({ hubs: { "*": { eventHandlers: [handler] } }, upstream: { retryDelaysSeconds: [] } });
  });
  afterAll(async () => {
    await server.stop();
    await app.stop();
  });

  test("T-11 T-12 events go to the local application and back, one line each, until Ctrl-C", async () => {
    const hub = freshName("hub");
    const command = await connected(server, ["--hub", hub, "--upstream", app.url]);
    app.hub(hub).answer("ev", { headers: [["Content-Type", "text/plain"]], body: "from the laptop" });
    const client = await connectJson(server, { hub, userId: "jürgen" });
    const connect = await app.hub(hub).next("connect");
    expect(connect.url).toBe("/eventhandler/connect?code=s3cret");
    expect(Buffer.from(connect.header("ce-userId") ?? "", "latin1").toString("utf8")).toBe("jürgen");
    client.send({ ...textEvent("ev", "hello"), ackId: 1 });
    expect(await client.next()).toMatchObject({ type: "message", from: "server", data: "from the laptop" });
    expect(await client.next()).toMatchObject(successAck);
    await command.written(/^\d\d:\d\d:\d\d {2}POST {2}\/eventhandler\/connect {2}200 {2}\d+ ms {2}connect$/m);
    await command.written(/^\d\d:\d\d:\d\d {2}POST {2}\/eventhandler\/ev {2}200 {2}\d+ ms {2}ev$/m);
    expect(command.output).not.toContain("s3cret");
    expect(command.output).not.toContain("hello");
    expect(await stop(command)).toBe(0);
    await server.process.written(new RegExp(`ServerConnectionEnded.*code 1000.*"${hub}"`));
  });

  test("headers and bodies are printed on request, secrets are not", async () => {
    const hub = freshName("hub");
    const command = await connected(server, ["--hub", hub, "--upstream", app.url.replace("http://", ""), "--verbose"]);
    const client = await connectJson(server, { hub, headers: [["Cookie", "session=s3cret"]] });
    client.send({ ...textEvent("ev", "hello"), ackId: 1 });
    expect(await client.next()).toMatchObject(successAck);
    await command.written(/^ {2}> hello$/m);
    expect(command.output).toMatch(/^ {2}> ce-hub: /m);
    expect(command.output).toMatch(/^ {2}> ce-signature: \*\*\*$/m);
    expect(command.output).not.toContain("s3cret");
    expect(command.output).not.toContain(server.primaryKey);
    expect(await stop(command)).toBe(0);
  });

  test("T-16 an application that is not running is a 500 whose reason is in the line", async () => {
    const hub = freshName("hub");
    const command = await connected(server, ["--hub", hub, "--upstream", `http://127.0.0.1:${await freePort()}`]);
    expect((await tryToConnect(server, { hub })).status).toBe(500);
    await command.written(/ {2}500 {2}\d+ ms {2}connect {2}.*(?:ECONNREFUSED|connect)/);
    expect(await stop(command)).toBe(0);
  });

  test("T-29 it comes back after a restart of the service", async () => {
    const folder = tempDir();
    const start = (port: string, keys: object = {}) =>
      startServer({ service: { listen: [{ url: `http://127.0.0.1:${port}` }], keys } }, { folder });
    const first = await start("0");
    const { port } = new URL(first.endpoint);
    const command = await connected(first, ["--hub", "chat", "--upstream", app.url]);
    await first.stop();
    await command.written(/was closed \(1001, Service is restarting\.\)\. Trying again in \d\.\d s\./);
    const second = await start(port, { primary: first.primaryKey, secondary: first.secondaryKey });
    await command.written(/Connected to .*[^]*Connected to /, { withinMs: 15_000 });
    expect(await stop(command)).toBe(0);
    await second.stop();
  });

  interface Refused {
    readonly what: string;
    readonly connectionString: (target: Server) => string;
    readonly args?: readonly string[];
    readonly message: RegExp;
    readonly code: number;
  }
  const right = ({ connectionString }: Server): string => connectionString;
  const wrongKey = "x".repeat(44);

  test.each<Refused>([
    {
      what: "a wrong key",
      connectionString: ({ endpoint }) => `Endpoint=${endpoint};AccessKey=${wrongKey};Version=1.0;`,
      message: /refused the tunnel with 401\. Is the access key/,
      code: 1,
    },
    {
      what: "a bad hub",
      connectionString: right,
      args: ["--hub", "no-hub"],
      message: /refused the tunnel with 400\. Is the hub's name right/,
      code: 1,
    },
    {
      what: "no service",
      connectionString: () => `Endpoint=http://127.0.0.1:1;AccessKey=${wrongKey};`,
      message: /http:\/\/127\.0\.0\.1:1 cannot be reached: connection refused/,
      code: 1,
    },
    {
      what: "no connection string",
      connectionString: () => "",
      message: /no connection string: set WebPubSubConnectionString or give --connection-string/,
      code: 2,
    },
    {
      what: "a broken connection string",
      connectionString: () => "AccessKey=x",
      message: /(?:--connection-string|WebPubSubConnectionString) has no Endpoint/,
      code: 2,
    },
    {
      what: "a bad upstream",
      connectionString: right,
      args: ["--hub", "chat", "--upstream", "ftp://x"],
      message: /--upstream must be an http or https URL/,
      code: 2,
    },
  ])("$what ends it with a clear message", async ({ connectionString, args = ["--hub", "chat"], message, code }) => {
    const command = startCommand(connectionString(server), args);
    expect(await inTime(command.exited, "end of the command", 15_000)).toBe(code);
    expect(command.output).toMatch(message);
    expect(command.output.trim().split("\n")).toHaveLength(1);
    expect(command.output).not.toContain(wrongKey);
  });

  test("the hub is required, and the help has an example", async () => {
    const missing = startCommand(server.connectionString, []);
    expect(await inTime(missing.exited, "end of the command", 15_000)).toBe(2);
    expect(missing.output).toContain("--hub <name>");
    const help = startCommand("", ["--help"]);
    expect(await inTime(help.exited, "end of the command", 15_000)).toBe(0);
    expect(help.output).toContain("tidewire tunnel --hub chat --upstream http://localhost:3000");
  });

  test("the service and the application may both be on https", async () => {
    const own = await selfSigned();
    const local = createServer(own, (request, response) => {
      request.resume();
      response.setHeader("Content-Type", "text/plain");
      response.end("over TLS");
    });
    await new Promise<void>((resolve) => local.listen(0, "127.0.0.1", resolve));
    const folder = tempDir();
    const secure = await startServer(
      {
        service: { listen: [{ url: "https://localhost:0" }] },
        hubs: { "*": { eventHandlers: [{ ...handler, systemEvents: [] }] } },
      },
      { folder },
    );
    const authorities = join(folder, "authorities.pem");
    await Bun.write(authorities, `${secure.ca}\n${own.cert}`);
    expect(readFileSync(authorities, "utf8")).toContain("BEGIN CERTIFICATE");
    const upstream = `https://localhost:${(local.address() as AddressInfo).port}`;
    const command = await connected(secure, ["--hub", "chat", "--upstream", upstream], {
      NODE_EXTRA_CA_CERTS: authorities,
    });
    expect((await tunnelHandshake(secure, { hub: "chat" })).status).toBe(101);
    const client = await connectJson(secure, { hub: "chat" });
    client.send({ ...textEvent("ev"), ackId: 1 });
    expect(await client.next()).toMatchObject({ data: "over TLS" });
    expect(await stop(command)).toBe(0);
    const distrusting = startCommand(secure.connectionString, ["--hub", "chat"]);
    expect(await inTime(distrusting.exited, "end of the command", 15_000)).toBe(1);
    expect(distrusting.output).toMatch(/cannot be reached: .*(?:certificate|CERT|TLS)/i);
    await secure.stop();
    local.close();
  });
});
