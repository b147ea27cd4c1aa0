import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { failedAck, successAck, textAnswer, textEvent, textReply, tryToConnect } from "../support/events.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { launch } from "../support/server-process.ts";

describe.skipIf(isForeign)("configuration and routing of events", () => {
  let first: EventHandler;
  let second: EventHandler;
  let server: Server;
  beforeAll(async () => {
    first = await startEventHandler();
    second = await startEventHandler();
    const events = (userEventPattern: string) => first.settings({ userEventPattern, systemEvents: [] });
    server = await startServer({
      upstream: { retryDelaysSeconds: [] },
      hubs: {
        "*": { eventHandlers: [first.settings({ path: "/hooks/{HUB}/{Event}?code=k%2F1&hub={hub}&{eVENT}" })] },
        listed: { eventHandlers: [events("a, B")] },
        every: { eventHandlers: [events("*")] },
        empty: { eventHandlers: [events("")] },
        absent: { eventHandlers: [{ urlTemplate: `${first.url}/hooks/{hub}/{event}`, systemEvents: ["connected"] }] },
        ordered: { eventHandlers: [first.settings(), second.settings()] },
        split: {
          eventHandlers: [
            first.settings({ systemEvents: ["connect"], userEventPattern: "" }),
            second.settings({ systemEvents: ["disconnected"] }),
          ],
        },
        usernamed: { eventHandlers: [events("connected")] },
        systemnamed: { eventHandlers: [first.settings({ userEventPattern: "", systemEvents: ["connected"] })] },
        bare: {},
        moving: { eventHandlers: [first.settings({ path: "/old/{hub}/{event}" })] },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await first.stop();
    await second.stop();
  });

  test("E-1 E-2 {hub} and {event} are substituted in any case, the query is kept", async () => {
    const hub = freshName("Chat");
    const client = await connectJson(server, { hub });
    expect(await client.ask(textEvent("x.Y-z_1"))).toEqual(successAck);
    const name = hub.toLowerCase();
    const urlOf = (event: string) => `/hooks/${name}/${event}?code=k%2F1&hub=${name}&${event}`;
    for (const event of ["connect", "connected", "x.Y-z_1"]) {
      expect((await first.hub(hub).next(event)).url).toBe(urlOf(event));
    }
    const validation = await first.validations.take({ what: "OPTIONS", where: ({ url }) => url.includes(name) });
    expect(validation.url).toBe(urlOf("validate"));
  });

  test("E-5 a list of names receives these names in any case and no others", async () => {
    const client = await connectJson(server, { hub: "listed" });
    for (const event of ["A", "a", "b", "B"]) {
      expect(await client.ask(textEvent(event))).toEqual(successAck);
      expect((await first.hub("listed").next()).event).toBe(event);
    }
    for (const event of ["c", "ab", "a.b"]) expect(await client.ask(textEvent(event))).toEqual(failedAck);
    expect(first.hub("listed").untaken).toEqual([]);
  });

  test("E-5 * receives names with dots; an empty or absent pattern receives nothing", async () => {
    const every = await connectJson(server, { hub: "every" });
    expect(await every.ask(textEvent("x.y.z"))).toEqual(successAck);
    expect((await first.hub("every").next()).event).toBe("x.y.z");
    for (const hub of ["empty", "absent"]) {
      const client = await connectJson(server, { hub });
      expect(await client.ask(textEvent("x"))).toEqual(failedAck);
      expect(first.hub(hub).untaken).not.toContain("x");
    }
  });

  test("E-7 of two matching handlers only the first is called, also when it fails", async () => {
    const events = first.hub("ordered");
    const client = await connectJson(server, { hub: "ordered" });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    expect((await events.next("x")).text).toBe("x");
    events.answer("x", { status: 500 });
    expect(await client.ask(textEvent("x"))).toEqual(failedAck);
    await events.next("x");
    client.socket.close();
    for (const event of ["connect", "connected", "disconnected"]) await events.next(event);
    expect(second.hub("ordered").untaken).toEqual([]);
  });

  test("E-8 connect and user events go to different handlers", async () => {
    const client = await connectJson(server, { hub: "split" });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    client.socket.close();
    await second.hub("split").next("disconnected");
    expect(first.hub("split").untaken).toEqual(["connect"]);
    expect(second.hub("split").untaken).toEqual(["x"]);
  });

  test("E-9 a user event named like a system event is a user event", async () => {
    const user = await connectJson(server, { hub: "usernamed" });
    expect(await user.ask(textEvent("connected", "mine"))).toEqual(successAck);
    const request = await first.hub("usernamed").next();
    expect([request.header("ce-type"), request.event, request.text]).toEqual([
      "azure.webpubsub.user.connected",
      "connected",
      "mine",
    ]);
    expect(first.hub("usernamed").untaken).toEqual([]);

    const system = await connectJson(server, { hub: "systemnamed" });
    expect(await system.ask(textEvent("connected"))).toEqual(failedAck);
    expect((await first.hub("systemnamed").next("connected")).header("ce-type")).toBe("azure.webpubsub.sys.connected");
    expect(first.hub("systemnamed").untaken).toEqual([]);
  });

  test("E-10 a hub with settings of its own calls nothing but its own handlers", async () => {
    const client = await connectSimple(server, { hub: "bare" });
    client.socket.send("x");
    expect(await client.socket.closed()).toEqual({ code: 1011, reason: "No event handler is configured." });
    expect(first.hub("bare").untaken).toEqual([]);
    const other = freshName("hub");
    await connectSimple(server, { hub: other });
    expect((await first.hub(other).next("connected")).hub).toBe(other);
  });

  test("E-11 a changed URL counts for the next event; the one in flight and the connection stay", async () => {
    const events = first.hub("moving");
    const release = Promise.withResolvers<void>();
    events.answer("slow", { ...textAnswer("from the old place"), after: release.promise });
    const client = await connectJson(server, { hub: "moving" });
    client.send({ ...textEvent("slow"), ackId: 1 });
    expect((await events.next("slow")).url).toBe("/old/moving/slow");
    await server.reconfigure({
      hubs: { moving: { eventHandlers: [first.settings({ path: "/new/{hub}/{event}" })] } },
    });
    release.resolve();
    expect(await client.next()).toEqual(textReply("from the old place"));
    expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect(await client.ask(textEvent("next"))).toEqual(successAck);
    const next = await events.next("next");
    expect([next.url, next.header("ce-connectionId")]).toEqual(["/new/moving/next", client.connectionId]);
    expect(
      await server.rest({ method: "HEAD", path: `/api/hubs/moving/connections/${client.connectionId}` }),
    ).toHaveProperty("status", 200);
  });
});

describe.skipIf(isForeign)("settings that stop the start", () => {
  /** Starts a server with these hub settings; it must end by itself, with one line about `where`. */
  async function expectRefused(handler: Record<string, unknown>, where: string): Promise<void> {
    const started = launch({
      config: {
        service: { listen: [{ url: "http://127.0.0.1:0" }] },
        hubs: { chat: { eventHandlers: [{ urlTemplate: "http://127.0.0.1:9/{event}", ...handler }] } },
      },
    });
    try {
      const code = await inTime(started.exited, "end of a server with invalid settings", 15_000);
      expect(code).toBeGreaterThan(0);
      expect(started.output).toContain(`hubs.chat.eventHandlers[0].${where}`);
      expect(started.output).not.toMatch(/^\s+at /m); // no stack trace
    } finally {
      if (!started.hasExited) started.kill("SIGKILL");
    }
  }

  test.each([
    ["a parameter in the host", { urlTemplate: "http://{hub}.example.com/events" }, "urlTemplate"],
    ["another scheme", { urlTemplate: "ftp://example.com/events" }, "urlTemplate"],
    ["a relative URL", { urlTemplate: "/events" }, "urlTemplate"],
    ["an unknown system event", { systemEvents: ["connect", "joined"] }, "systemEvents[1]"],
  ])("E-4 %s stops the start", async (_, handler, where) => await expectRefused(handler, where));

  test.each(["room.*", "!a", "a,b?", "a\\*"])("E-6 the pattern %s stops the start", async (userEventPattern) => {
    await expectRefused({ userEventPattern }, "userEventPattern");
  });

  test("E-12 ManagedIdentity without a token source stops the start", async () => {
    const auth = { type: "ManagedIdentity", managedIdentity: { resource: "api://app" } };
    await expectRefused({ auth }, "auth");
  });
});

describe.skipIf(isForeign)("authorization of event requests", () => {
  let handler: EventHandler;
  let server: Server;
  let tokenServer: Bun.Server<undefined>;
  const grants: URLSearchParams[] = [];
  beforeAll(async () => {
    handler = await startEventHandler();
    tokenServer = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        grants.push(new URLSearchParams(await request.text()));
        return Response.json({ access_token: `granted-${grants.length}`, token_type: "Bearer", expires_in: 3600 });
      },
    });
    const withAuth = (auth: Record<string, unknown>) => ({ eventHandlers: [{ ...handler.settings(), auth }] });
    server = await startServer({
      upstream: { retryDelaysSeconds: [] },
      auth: { managedIdentity: { type: "Bearer", token: "token-of-the-mapping" } },
      hubs: {
        bearer: withAuth({ type: "Bearer", token: "token-of-the-handler" }),
        credentials: withAuth({
          type: "ClientCredentials",
          tokenUrl: `${tokenServer.url.href}token`,
          clientId: "tidewire",
          clientSecret: "client-secret",
          scope: "api://app/.default",
        }),
        mapped: withAuth({ type: "ManagedIdentity", managedIdentity: { resource: "api://app" } }),
        none: withAuth({ type: "None" }),
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
    await tokenServer.stop(true);
  });

  async function authorizations(hub: string): Promise<readonly (string | null)[]> {
    const client = await connectJson(server, { hub });
    expect(await client.ask(textEvent("x"))).toEqual(successAck);
    const validation = await handler.validations.take({
      what: "OPTIONS",
      where: ({ url }) => url.includes(`/${hub}/`),
    });
    expect(validation.header("authorization")).toBeNull();
    const requests = [
      await handler.hub(hub).next("connect"),
      await handler.hub(hub).next("connected"),
      await handler.hub(hub).next("x"),
    ];
    return requests.map((request) => request.header("authorization"));
  }

  test("E-12 Bearer authorizes events and not the validation", async () => {
    expect(new Set(await authorizations("bearer"))).toEqual(new Set(["Bearer token-of-the-handler"]));
    expect(new Set(await authorizations("mapped"))).toEqual(new Set(["Bearer token-of-the-mapping"]));
    expect(new Set(await authorizations("none"))).toEqual(new Set([null]));
    expect(server.output()).not.toMatch(/token-of-the/);
  });

  test("E-12 ClientCredentials fetches a token once and authorizes events with it", async () => {
    expect(new Set(await authorizations("credentials"))).toEqual(new Set(["Bearer granted-1"]));
    expect(grants).toHaveLength(1);
    expect(Object.fromEntries(grants[0] ?? [])).toMatchObject({
      grant_type: "client_credentials",
      scope: "api://app/.default",
    });
    expect(server.output()).not.toMatch(/granted-1|client-secret/);
  });

  test("E-12 a handler behind a token source that fails gets no event", async () => {
    await server.reconfigure({
      hubs: {
        broken: {
          eventHandlers: [
            {
              ...handler.settings(),
              auth: {
                type: "ClientCredentials",
                tokenUrl: "http://127.0.0.1:1/token",
                clientId: "tidewire",
                clientSecret: "client-secret",
                scope: "s",
              },
            },
          ],
        },
      },
    });
    expect((await tryToConnect(server, { hub: "broken" })).status).toBe(500);
    expect(handler.hub("broken").untaken).toEqual([]);
  });
});
