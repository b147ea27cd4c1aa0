import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { failedAck, textEvent, textReply, tryToConnect } from "../support/events.ts";
import { startHandlerProgram } from "../support/handler-program.ts";
import { aspNetLike, functionsLike, type Middleware } from "../support/middlewares.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

const python = Bun.which("python3");
/** Only a JDK compiles the source it is given. */
const java = Bun.which("javac") === null ? null : Bun.which("java");
const userKey = "some-other-key-0123456789abcdef0123456789";

describe.skipIf(isForeign)("handlers like the official ones", () => {
  let handler: EventHandler;
  let server: Server;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      upstream: { retryDelaysSeconds: [0] },
      hubs: {
        "*": { eventHandlers: [handler.settings()] },
        functions: { eventHandlers: [handler.settings({ path: "/api/{event}" })] },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  /** A hub whose every request the middleware decides about. One hub at a time: validations do not name theirs. */
  function hubBehind(middleware: Middleware, hub = freshName("hub")): string {
    handler.answerValidation(middleware);
    for (const event of ["connect", "connected", "disconnected", "x"]) handler.hub(hub).answer(event, middleware);
    return hub;
  }

  async function expectAccepted(middleware: Middleware): Promise<void> {
    const client = await connectJson(server, { hub: hubBehind(middleware) });
    expect(client.connected["userId"]).toBe("from-asp-net");
    for (const count of [2, 3]) {
      client.send(textEvent("x"));
      expect(await client.next()).toEqual(textReply(`event ${count}`)); // the state came back undamaged
    }
    client.send({ type: "event", event: "x", dataType: "json", data: {}, ackId: 1 });
    expect(await client.next()).toEqual(textReply("event 4"));
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
  }

  test("E-74 a verifier like the ASP.NET Core middleware accepts the requests, with either connection string", async () => {
    await expectAccepted(aspNetLike(server.connectionString));
    await expectAccepted(aspNetLike(server.connectionString.replace(server.primaryKey, server.secondaryKey)));
  });

  test("E-74 the same verifier refuses a service whose key or host it does not know", async () => {
    const otherKey = server.connectionString.replace(server.primaryKey, userKey);
    expect((await tryToConnect(server, { hub: hubBehind(aspNetLike(otherKey)) })).status).toBe(401);
    const otherHost = server.connectionString.replace("127.0.0.1", "other.test");
    const hub = hubBehind(aspNetLike(otherHost));
    expect((await tryToConnect(server, { hub })).status).toBe(500);
    expect(handler.hub(hub).untaken).toEqual([]);
  });

  test("E-76 a Functions-style handler that validates by GET on /api/validate receives all events", async () => {
    const hub = hubBehind(functionsLike(server.connectionString), "functions");
    const client = await connectJson(server, { hub });
    client.send(textEvent("x"));
    expect(await client.next()).toEqual(textReply('{"from":"connect"}'));
    client.socket.close();
    for (const event of ["connect", "connected", "x", "disconnected"])
      expect((await handler.hub(hub).next(event)).url).toBe(`/api/${event}`);
    for (const method of ["OPTIONS", "GET"]) {
      const request = await handler.validations.take({ what: method, where: ({ url }) => url === "/api/validate" });
      expect(request.method).toBe(method);
    }
  });
});

describe.skipIf(isForeign)("sample-like servers at exactly /eventhandler", () => {
  /** A server of ours in front of the program, with one handler for everything. */
  const serve = async (url: string): Promise<Server> =>
    await startServer({
      upstream: { retryDelaysSeconds: [] },
      hubs: {
        "*": {
          eventHandlers: [
            {
              urlTemplate: `${url}/eventhandler`,
              userEventPattern: "*",
              systemEvents: ["connect", "connected", "disconnected"],
            },
          ],
        },
        slash: { eventHandlers: [{ urlTemplate: `${url}/eventhandler/`, systemEvents: ["connect"] }] },
      },
    });

  test.skipIf(python === null)("E-75 a server of Python's standard library (needs python3)", async () => {
    const program = await startHandlerProgram(python ?? "", "event_handler.py");
    const server = await serve(program.url);
    try {
      expect((await tryToConnect(server, { hub: "slash" })).status).toBe(500); // the path goes out as it is written
      const hub = freshName("hub");
      expect((await tryToConnect(server, { hub })).status).toBe(401);
      const client = await connectJson(server, { hub, query: { id: "ann" } });
      expect(client.connected["userId"]).toBe("ann");
      client.send(textEvent("echo", "grüß"));
      expect(await client.next()).toEqual(textReply("[ann] grüß"));
      expect(await client.ask(textEvent("unknown"))).toEqual(failedAck);
      const simple = await connectSimple(server, { hub, query: { id: "bob" }, userId: null });
      simple.socket.send("hello");
      simple.socket.send("again");
      const next = async (type: string, user: string): Promise<unknown> => {
        // Different connections have no order among each other.
        const where = (line: string): boolean => line.includes(type) && line.includes(`"user": "${user}"`);
        return JSON.parse(await program.lines.take({ what: `${type} of ${user}`, where })) as unknown;
      };
      expect(await next("user.message", "bob")).toEqual({
        type: "azure.webpubsub.user.message",
        user: "bob",
        text: "hello",
      });
      expect(await next("user.message", "bob")).toMatchObject({ user: "bob", text: "again" }); // so the first 204 is done with
      simple.socket.close(1000, "bye");
      expect(await simple.socket.closed()).toMatchObject({ code: 1000 }); // neither closed nor sent anything before
      expect(await next("sys.connected", "ann")).toEqual({
        type: "azure.webpubsub.sys.connected",
        user: "ann",
        text: "{}",
      });
      expect(await next("sys.disconnected", "bob")).toMatchObject({ user: "bob", text: '{"reason":"bye"}' });
    } finally {
      await server.stop();
      await program.stop();
    }
  });

  test.skipIf(java === null)("E-75 a server of the JDK (needs java and javac)", async () => {
    const program = await startHandlerProgram(java ?? "", "EventHandler.java");
    const server = await serve(program.url);
    try {
      expect((await tryToConnect(server, { hub: "slash" })).status).toBe(500);
      const hub = freshName("hub");
      expect((await tryToConnect(server, { hub })).status).toBe(401);
      const client = await connectJson(server, { hub, query: { id: "ann" } });
      expect(client.connected["userId"]).toBe("ann");
      client.send(textEvent("echo", "grüß"));
      expect(await client.next()).toEqual(textReply("[ann] grüß"));
      client.socket.close(1000, "bye");
      for (const line of ["sys.connected ann 2", "sys.disconnected ann 16"])
        await program.lines.take({ what: line, where: (each) => each === `azure.webpubsub.${line}` });
    } finally {
      await server.stop();
      await program.stop();
    }
  });
});
