import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ClientOptions, clientPath, connectJson, type JsonClient } from "../support/clients.ts";
import { type Answer, type EventHandler, type ReceivedRequest, startEventHandler } from "../support/event-handler.ts";
import { beginToConnect, connectAnswer, successAck, textEvent, textReply, tryToConnect } from "../support/events.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { openWebSocket } from "../support/web-socket.ts";

const maxBodyBytes = 16 * 1024 * 1024;
const forbiddenAck = { success: false, error: { name: "Forbidden", message: expect.any(String) as unknown } };

describe.skipIf(isForeign)("the connect event", () => {
  let handler: EventHandler;
  let server: Server;
  const anonymous = "anonymous";
  beforeAll(async () => {
    handler = await startEventHandler();
    const eventHandlers = [handler.settings()];
    server = await startServer({
      upstream: { retryDelaysSeconds: [0, 0, 0] },
      hubs: { "*": { eventHandlers }, [anonymous]: { anonymousConnectPolicy: "allow", eventHandlers } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  /** A hub whose `connect` is answered so. */
  function hubAnswering(answer: Answer): string {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", answer);
    return hub;
  }

  async function connectTo(answer: Answer, options: Omit<ClientOptions, "hub"> = {}): Promise<JsonClient> {
    return connectJson(server, { hub: hubAnswering(answer), ...options });
  }

  const refusalOf = async (answer: Answer, subprotocols?: readonly string[]): Promise<number> =>
    (await tryToConnect(server, { hub: hubAnswering(answer), subprotocols })).status;

  /** Sends to a group by REST; who is in it receives it before anything sent later. */
  async function sendToGroup(hub: string, group: string): Promise<void> {
    const sent = await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/${group}/:send`, body: group });
    expect(sent.status).toBe(202);
  }

  const groupMessage = (group: string) => ({ type: "message", from: "group", group, dataType: "text", data: group });

  test("E-34 the body tells claims, query, headers and sub-protocols as lists of strings", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, {
      hub,
      userId: "ann",
      roles: ["r1", "r2"],
      claims: { exp: 2_000_000_000, level: 3.5, admin: true, address: { city: "Ulm" }, list: [1, "b"] },
    });
    const socket = await openWebSocket(server.endpoint, {
      path: `${clientPath(server, { hub, token })}&tag=a%20b&tag=%C3%A9&Tag=c&empty=&ACCESS_TOKEN=${token}`,
      subprotocols: ["unknown", "json.webpubsub.azure.v1"],
      headers: [
        ["X-Custom", "v"],
        ["X-Twice", "1"],
        ["x-twice", "2"],
        ["User-Agent", "agent/1"],
        ["Cookie", "c=1"],
        ["X-ASRS-Internal-Secret", "internal"],
      ],
    });
    expect(socket.subprotocol).toBe("json.webpubsub.azure.v1");
    const request = await handler.hub(hub).next("connect");
    expect(request.header("ce-userId")).toBe("ann");
    const body = request.json as Record<string, Record<string, unknown>>;
    expect(Object.keys(body).toSorted()).toEqual(["claims", "clientCertificates", "headers", "query", "subprotocols"]);
    expect(body["claims"]).toMatchObject({
      sub: ["ann"],
      role: ["r1", "r2"],
      exp: ["2000000000"],
      aud: [`${server.endpoint}/client/hubs/${hub}`],
      level: ["3.5"],
      admin: ["true"],
      address: ['{"city":"Ulm"}'],
      list: ["1", "b"],
    });
    expect(body["query"]).toEqual({ tag: ["a b", "é"], Tag: ["c"], empty: [""] });
    expect(body["subprotocols"]).toEqual(["unknown", "json.webpubsub.azure.v1"] as unknown as Record<string, unknown>);
    expect(body["clientCertificates"]).toEqual([] as unknown as Record<string, unknown>);
    const headers = body["headers"] ?? {};
    expect(headers).toMatchObject({ "X-Custom": ["v"], "User-Agent": ["agent/1"], Cookie: ["c=1"] });
    const values = Object.values({ ...body["claims"], ...body["query"], ...headers });
    for (const value of values) expect(value).toEqual(expect.arrayContaining([expect.any(String)]));
    const twice = Object.entries(headers).filter(([name]) => name.toLowerCase() === "x-twice");
    expect(twice).toHaveLength(1);
    expect([twice[0]?.[1]].flat().join(", ")).toBe("1, 2");
    expect(request.text).not.toContain(token);
    expect(request.text).not.toMatch(/access_token|x-asrs-internal/i);
  });

  test("E-34 neither Authorization nor a token in Referer is told; an anonymous client has no claims", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    await openWebSocket(server.endpoint, {
      path: clientPath(server, { hub, token: null }),
      headers: [
        ["authorization", `Bearer ${token}`],
        ["Referer", `http://page.test/?access_token=${token}`],
      ],
    });
    const request = await handler.hub(hub).next("connect");
    expect(request.text).not.toContain(token);
    expect(request.text).not.toMatch(/"authorization"/i);

    await openWebSocket(server.endpoint, { path: `/client/hubs/${anonymous}` });
    const body = (await handler.hub(anonymous).next("connect")).json;
    expect(body).toMatchObject({ claims: {}, query: {}, subprotocols: [], clientCertificates: [] });
  });

  test("E-35 while the handler thinks the upgrade waits and the connection does not exist", async () => {
    const release = Promise.withResolvers<void>();
    const hub = hubAnswering({ after: release.promise });
    let isAnswered = false;
    const connecting = connectJson(server, { hub }).finally(() => {
      isAnswered = true;
    });
    const id = (await handler.hub(hub).next("connect")).header("ce-connectionId") ?? "";
    const exists = async () =>
      (await server.rest({ method: "HEAD", path: `/api/hubs/${hub}/connections/${id}` })).status;
    expect(await exists()).toBe(404);
    expect(isAnswered).toBe(false);
    expect(handler.hub(hub).untaken).toEqual([]);
    release.resolve();
    const client = await connecting;
    expect(client.connectionId).toBe(id);
    expect(await exists()).toBe(200);
  });

  test.each([
    ["204", { status: 204 }],
    ["an empty 200", {}],
    ["null", connectAnswer(null)],
    ["{}", connectAnswer({})],
    ["nulls", connectAnswer({ userId: null, roles: null, groups: null, subprotocol: null })],
    ["unknown properties", connectAnswer({ unknown: 1, states: {} })],
  ] satisfies [string, Answer][])("E-36 %s keeps user, roles and groups of the token", async (_, answer) => {
    const client = await connectTo(answer, {
      userId: "ann",
      roles: ["webpubsub.joinLeaveGroup.joined"],
      groups: ["given"],
    });
    expect(client.connected["userId"]).toBe("ann");
    expect(await client.ask({ type: "joinGroup", group: "joined" })).toEqual(successAck);
    for (const group of ["joined", "given"]) {
      await sendToGroup(client.hub, group);
      expect(await client.next()).toEqual(groupMessage(group));
    }
  });

  test.each([
    ["text/plain", [["Content-Type", "text/plain"]]],
    ["no content type", []],
  ] satisfies [string, Answer["headers"]][])(
    "E-37 user, roles and groups replace those of the token with %s",
    async (_, headers) => {
      const body = JSON.stringify({ userId: "x", roles: [], groups: ["g"] });
      const client = await connectTo(
        { headers, body },
        { userId: "ann", roles: ["webpubsub.joinLeaveGroup"], groups: ["given"] },
      );
      expect(client.connected["userId"]).toBe("x");
      expect(await client.ask({ type: "joinGroup", group: "other" })).toEqual(forbiddenAck);
      await sendToGroup(client.hub, "given");
      await sendToGroup(client.hub, "g");
      expect(await client.next()).toEqual(groupMessage("g"));
      expect((await handler.hub(client.hub).next("connected")).header("ce-userId")).toBe("x");
    },
  );

  test("E-38 an empty list of groups keeps the token's, an empty user id removes the user", async () => {
    const grouped = await connectTo(connectAnswer({ groups: [] }), { groups: ["given"] });
    await sendToGroup(grouped.hub, "given");
    expect(await grouped.next()).toEqual(groupMessage("given"));

    const client = await connectTo(connectAnswer({ userId: "" }), { userId: "ann" });
    expect(client.connected["userId"]).toBeNull();
    expect((await handler.hub(client.hub).next("connected")).header("ce-userId")).toBeNull();
    const exists = await server.rest({ method: "HEAD", path: `/api/hubs/${client.hub}/users/ann` });
    expect(exists.status).toBe(404);
  });

  test("E-39 property names count in any case", async () => {
    const hub = hubAnswering(connectAnswer({ subProtocol: "json.webpubsub.azure.v1", USERID: "x" }));
    const client = await connectJson(server, { hub, subprotocols: ["custom", "json.webpubsub.azure.v1"] });
    expect(client.socket.subprotocol).toBe("json.webpubsub.azure.v1");
    expect(client.connected["userId"]).toBe("x");
  });

  test("E-40 a custom sub-protocol that was offered makes a simple client", async () => {
    const hub = hubAnswering(connectAnswer({ subprotocol: "custom" }));
    handler.hub(hub).answer("message", { headers: [["Content-Type", "text/plain"]], body: "raw reply" });
    const socket = await openWebSocket(server.endpoint, {
      path: clientPath(server, { hub }),
      subprotocols: ["json.webpubsub.azure.v1", "custom"],
    });
    expect(socket.subprotocol).toBe("custom");
    socket.send('{"type":"ping"}');
    const request = await handler.hub(hub).next("message");
    expect([request.text, request.header("ce-subprotocol")]).toEqual(['{"type":"ping"}', "custom"]);
    expect(await socket.nextText()).toBe("raw reply");
  });

  test("E-41 a sub-protocol that was not offered is answered 500", async () => {
    const answer = connectAnswer({ subprotocol: "custom" });
    expect(await refusalOf(answer, ["json.webpubsub.azure.v1"])).toBe(500);
    // A client that offers none becomes a simple client whatever the handler chose (client-protocols 2.5).
    const unoffered = await tryToConnect(server, { hub: hubAnswering(answer) });
    expect([unoffered.status, unoffered.header("sec-websocket-protocol")]).toEqual([101, null]);
  });

  test("E-42 4xx refuses the client with that status, an empty body and no further events", async () => {
    const hub = freshName("hub");
    const events = handler.hub(hub);
    for (const status of [401, 403, 429]) {
      events.answer("connect", {
        status,
        headers: [
          ["Content-Type", "text/plain"],
          ["X-Secret", "s"],
        ],
        body: "secret",
      });
      const refused = await tryToConnect(server, { hub });
      expect([refused.status, refused.text, refused.header("x-secret")]).toEqual([status, "", null]);
      await events.next("connect");
    }
    events.answer("connect", {});
    const accepted = await connectJson(server, { hub });
    accepted.socket.close();
    for (const event of ["connect", "connected", "disconnected"])
      expect((await events.next(event)).header("ce-connectionId")).toBe(accepted.connectionId);
    expect(events.untaken).toEqual([]);
  });

  test("E-42 5xx refuses the client with that status, a redirect with 500", async () => {
    expect(await refusalOf({ status: 501, body: "secret" })).toBe(501);
    expect(await refusalOf({ status: 302, headers: [["Location", "/elsewhere"]] })).toBe(500);
  });

  test.each([
    ["not-json", { body: "not-json" }],
    ["a JSON string", { body: '"ann"' }],
    ["a list", { body: "[]" }],
    ["a null group", connectAnswer({ groups: [null] })],
    ["a blank group", connectAnswer({ groups: [" "] })],
    ["a group of 1025 characters", connectAnswer({ groups: ["g".repeat(1025)] })],
    ["a null role", connectAnswer({ roles: [null] })],
    ["a user id of another type", connectAnswer({ userId: 1 })],
    ["groups of another type", connectAnswer({ groups: "g" })],
  ] satisfies [string, Answer][])("E-43 %s is answered 500", async (_, answer) => {
    expect(await refusalOf(answer)).toBe(500);
  });

  test("E-43 a body of 16 MiB is read, one byte more is answered 500, with and without Content-Length", async () => {
    const padded = (length: number) => `${" ".repeat(length - 2)}{}`;
    const chunked = (length: number): Answer => ({
      write: (response) => {
        response.writeHead(200, { "Transfer-Encoding": "chunked" });
        response.write(" ".repeat(length - 2));
        response.end("{}");
      },
    });
    expect(await refusalOf({ body: padded(maxBodyBytes) })).toBe(101);
    expect(await refusalOf({ body: padded(maxBodyBytes + 1) })).toBe(500);
    expect(await refusalOf(chunked(maxBodyBytes))).toBe(101);
    expect(await refusalOf(chunked(maxBodyBytes + 1))).toBe(500);
  });

  test("E-44 503 is asked again with the same request", async () => {
    const hub = freshName("hub");
    handler.hub(hub).answer("connect", [{ status: 503 }, connectAnswer({ userId: "second" })]);
    const client = await connectJson(server, { hub });
    expect(client.connected["userId"]).toBe("second");
    const shape = ({ url, headers, text }: ReceivedRequest) => ({ url, text, headers });
    const requests = [await handler.hub(hub).next("connect"), await handler.hub(hub).next("connect")];
    expect(requests.map((request) => request.header("ce-id"))).toEqual(["0", "0"]);
    const [first, second] = requests.map(shape);
    expect(second).toEqual(first);
  });

  test("E-46 a client that gives up aborts the connect request", async () => {
    const hub = hubAnswering({ write: () => {} });
    const giveUp = await beginToConnect(server, { hub });
    const request = await handler.hub(hub).next("connect");
    giveUp();
    await inTime(request.aborted, "abort of the connect request");
    handler.hub(hub).answer("connect", {});
    handler.hub(hub).answer("x", { headers: [["Content-Type", "text/plain"]], body: "works" });
    const client = await connectJson(server, { hub });
    client.send(textEvent("x"));
    expect(await client.next()).toEqual(textReply("works"));
    expect(handler.hub(hub).untaken).not.toContain("disconnected");
  });
});
