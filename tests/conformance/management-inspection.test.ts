import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { textEvent } from "../support/events.ts";
import { hubApi } from "../support/hub-api.ts";
import { adminJson, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { connectReliable, leave } from "../support/reliable.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { until } from "../support/until.ts";

interface Page {
  readonly value: readonly Readonly<Record<string, unknown>>[];
  readonly total: number;
  readonly next: string | null;
}

interface ShownError {
  readonly time: string;
  readonly name: string;
  readonly message: string;
}

/** What must come out as it went in: a slash, HTML, quotes, no ASCII, a dot segment, text that percent-decodes. */
const awkward = "a/b <img src=x onerror=alert(1)>\"'&%2F é 漢字 🎈 ..";

describe.skipIf(isForeign)("what is connected", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      service: adminSettings,
      upstream: { retryDelaysSeconds: [] },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [], userEventPattern: "ask" })] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  const get = (path: string) => adminJson(server, { path });
  const list = async (what: string, query: Readonly<Record<string, string>>): Promise<Page> => {
    const { status, body } = await get(`/admin/${what}?${new URLSearchParams(query).toString()}`);
    expect([status, body]).toEqual([200, expect.objectContaining({ value: expect.any(Array) as unknown })]);
    return body as Page;
  };
  const ids = ({ value }: Page): unknown[] => value.map(({ connectionId }) => connectionId);
  const names = ({ value }: Page): unknown[] => value.map(({ name }) => name);
  const details = ({ hub, connectionId }: Pick<JsonClient, "hub" | "connectionId">) =>
    get(`/admin/hubs/${encodeURIComponent(hub)}/connections/${encodeURIComponent(connectionId)}`);
  const everyone = async (what: string, query: Readonly<Record<string, string>>): Promise<Page["value"]> => {
    const rows: Page["value"][number][] = [];
    let after = "";
    do {
      const page = await list(what, { ...query, after });
      rows.push(...page.value);
      after = page.next ?? "";
    } while (after !== "");
    return rows;
  };

  test("a connection is shown with all there is to know, whatever its names are", async () => {
    const hub = freshName("hub");
    const roles = [`webpubsub.sendToGroup.${awkward}`, "webpubsub.joinLeaveGroups.room.*", "webpubsub.getGroupState"];
    const userId = awkward;
    const client = await connectJson(server, { hub, userId, roles, groups: ["one", awkward] });
    const row = {
      connectionId: client.connectionId,
      hub,
      userId,
      protocol: "json.webpubsub.azure.v1",
      callerIpAddress: "127.0.0.1",
      groups: 2,
      isDetached: false,
      queue: { messages: 0, bytes: 0 },
    };
    expect(await list("connections", { hub })).toEqual({ value: [row], total: 1, next: null });
    const shown = await details(client);
    expect(shown).toEqual({
      status: 200,
      body: {
        ...row,
        groupNames: expect.any(Array) as unknown,
        permissions: expect.any(Array) as unknown,
        revokedPermissions: [],
        replay: null,
        recentErrors: [],
      },
    });
    const { groupNames, permissions } = shown.body as Readonly<Record<string, string[]>>;
    expect(groupNames?.toSorted()).toEqual(["one", awkward].toSorted());
    expect(permissions?.toSorted()).toEqual(roles.toSorted());
    const named = (name: string) => ({ hub, name, connections: 1 });
    expect(await list("users", { hub })).toEqual({ value: [named(userId)], total: 1, next: null });
    expect((await list("groups", { hub })).value).toEqual([named(awkward), named("one")]);
    for (const query of [{ group: awkward }, { user: awkward }, { user: awkward, group: "one" }, { search: "漢字" }])
      expect(ids(await list("connections", { hub, ...query }))).toEqual([client.connectionId]);
    for (const query of [{ group: "two" }, { user: "nobody" }, { user: awkward, group: "two" }, { search: "漢字漢" }])
      expect(ids(await list("connections", { hub, ...query }))).toEqual([]);
    expect(names(await list("groups", { hub, search: "<IMG" }))).toEqual([awkward]);
  });

  test("a client without user or protocol has null for them", async () => {
    const hub = freshName("hub");
    await connectSimple(server, { hub, userId: null });
    expect((await list("connections", { hub })).value).toMatchObject([{ userId: null, protocol: null, groups: 0 }]);
    expect((await list("users", { hub })).value).toEqual([]);
  });

  test("a list without a hub is of all hubs, and a search looks at connection id and user ignoring case", async () => {
    const [first, second] = [freshName("hub"), freshName("hub")];
    const common = freshName("Common");
    const one = await connectJson(server, { hub: first, userId: `${common}.one` });
    const two = await connectJson(server, { hub: second, userId: `${common}.two` });
    await connectJson(server, { hub: second, userId: "other" });
    const both = first < second ? [one, two] : [two, one];
    for (const search of [common, common.toUpperCase(), common.toLowerCase().slice(3)])
      expect(ids(await list("connections", { search }))).toEqual(both.map(({ connectionId }) => connectionId));
    expect(ids(await list("connections", { search: one.connectionId.toUpperCase() }))).toEqual([one.connectionId]);
    expect(await list("connections", { search: common, hub: second.toUpperCase() })).toMatchObject({ total: 1 });
    const users = first < second ? ["one", "two"] : ["two", "one"];
    expect(names(await list("users", { search: common }))).toEqual(users.map((name) => `${common}.${name}`));
  });

  test("pages to the end have everybody who stays exactly once, while others come and go", async () => {
    const hub = freshName("hub");
    const join = (name: string) => connectJson(server, { hub, userId: name, groups: [name, "all"] });
    const stayers = await Promise.all(Array.from({ length: 23 }, (_unused, index) => join(`stayer ${index}`)));
    for (const what of ["connections", "users", "groups"]) {
      const seen: unknown[] = [];
      const guests: JsonClient[] = [];
      let after = "";
      do {
        guests.push(await join(freshName("guest")), await join(freshName("guest")));
        const gone = guests.shift();
        gone?.socket.close(1000);
        await gone?.socket.ended;
        const page = await list(what, { hub, top: "4", after });
        expect(page.value.length).toBeLessThanOrEqual(4);
        seen.push(...(what === "connections" ? ids(page) : names(page)));
        after = page.next ?? "";
      } while (after !== "" && seen.length < 200);
      expect(new Set(seen).size).toBe(seen.length);
      const wanted = stayers.map((client) => (what === "connections" ? client.connectionId : userOf(client)));
      expect(wanted.filter((each) => !seen.includes(each))).toEqual([]);
    }
    expect((await list("groups", { hub, search: "all" })).value).toMatchObject([{ name: "all" }]);
    const rows = await everyone("connections", { hub, search: "stayer", top: "5" });
    expect(rows.map(({ connectionId }) => connectionId)).toEqual(
      stayers.map(({ connectionId }) => connectionId).toSorted(),
    );
    expect(await list("connections", { hub, search: "stayer", top: "5" })).toMatchObject({ total: 23 });
  });

  test.each([
    "top=0",
    "top=501",
    "top=-1",
    "top=1.5",
    "top=x",
    "hub=a-b",
    "hub=*",
    "after=x",
    "after=W10",
    `after=${Buffer.from('["a",1]').toString("base64url")}`,
  ])("%p is refused", async (query) => {
    for (const what of ["connections", "groups", "users"]) {
      const { status, body } = await get(`/admin/${what}?${query}`);
      expect([status, body]).toMatchObject([400, { error: { code: "BadRequest" } }]);
    }
  });

  test("a group that cannot be, a wrong method and a connection that is not there are said to be so", async () => {
    expect((await get("/admin/connections?group=%20")).status).toBe(400);
    expect((await adminJson(server, { method: "DELETE", path: "/admin/connections" })).status).toBe(405);
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const { connectionId } = client;
    for (const other of [
      { hub, connectionId: "nobody" },
      { hub, connectionId: awkward },
      { hub: freshName("hub"), connectionId },
      { hub: "no-hub", connectionId },
    ])
      expect(await details(other)).toMatchObject({ status: 404, body: { error: { code: "ResourceNotFound" } } });
    expect((await get(`/admin/hubs/${hub}/connections/%E0%A4%A`)).status).toBe(400);
    client.socket.close(1000);
    await client.socket.ended;
    await until("the connection is gone", async () => (await details(client)).status === 404);
  });

  test("what REST grants and revokes is shown", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub, roles: ["webpubsub.joinLeaveGroup"] });
    const api = hubApi(server, hub);
    const path = `connections/${client.connectionId}?targetName=${encodeURIComponent(awkward)}`;
    expect((await api("PUT", `/permissions/sendToGroup/${path}`)).status).toBe(200);
    expect((await api("DELETE", `/permissions/joinLeaveGroup/${path}`)).status).toBe(204);
    expect((await details(client)).body).toMatchObject({
      permissions: [`webpubsub.sendToGroup.${awkward}`, "webpubsub.joinLeaveGroup"],
      revokedPermissions: [`webpubsub.joinLeaveGroup.${awkward}`],
    });
  });

  test("requests that were refused are remembered, the last ten of them, the latest first", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    const innocent = await connectJson(server, { hub });
    const errors = async () => ((await details(client)).body as { recentErrors: ShownError[] }).recentErrors;
    await client.ask({ type: "joinGroup", group: awkward });
    await client.ask(textEvent("unknown"));
    handler.hub(hub).answer("ask", { status: 500 });
    await client.ask(textEvent("ask"));
    client.send({ type: "invoke", invocationId: "1", target: "event", event: "unknown", dataType: "text", data: "x" });
    await client.next();
    expect(await errors()).toEqual([
      error("NotFound", "Invocation of 'unknown': No event handler is configured."),
      error("InternalServerError", "The event handler failed on the event 'ask'."),
      error("InternalServerError", "No event handler takes the event 'unknown'."),
      error("Forbidden", `The client does not have permission to join group '${awkward}'.`),
    ]);
    for (let round = 1; round <= 12; round++) await client.ask({ type: "leaveGroup", group: `g${round}` });
    const last = await errors();
    expect(last.map(({ message }) => /'(g\d+)'/.exec(message)?.[1])).toEqual(
      Array.from({ length: 10 }, (_unused, index) => `g${12 - index}`),
    );
    expect((await details(innocent)).body).toMatchObject({ recentErrors: [] });
  });

  test("a reliable client without a socket is detached, with what it has not confirmed", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, userId: "r" });
    expect((await details(client)).body).toMatchObject({ replay: { messages: 0, bytes: 0 }, isDetached: false });
    await leave(client);
    for (const body of ["one", "two"]) await hubApi(server, hub)("POST", "/:send", { body });
    const { body } = await details(client);
    expect(body).toMatchObject({ isDetached: true, replay: { messages: 2 }, queue: { messages: 0, bytes: 0 } });
    expect((body as { replay: { bytes: number } }).replay.bytes).toBeGreaterThan(6);
    expect((await list("connections", { hub })).value).toMatchObject([{ isDetached: true }]);
  });

  test("what waits for a client that does not read is shown", async () => {
    const hub = freshName("hub");
    const client = await connectJson(server, { hub });
    client.socket.pause();
    const api = hubApi(server, hub);
    const body = "x".repeat(1_000_000);
    await until("something waits", async () => {
      await api("POST", "/:send", { body });
      const { queue } = (await details(client)).body as { queue: { messages: number; bytes: number } };
      return queue.messages > 0 && queue.bytes > body.length;
    });
    client.socket.abort();
  });

  test("H-55 no answer holds a key or a token", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub, userId: "u" });
    const client = await connectReliable(server, { hub, token });
    const answers = [await list("connections", { hub }), (await details(client)).body];
    const text = JSON.stringify([...answers, await list("users", { hub }), await list("groups", { hub })]);
    for (const secret of [token, client.reconnectionToken, server.primaryKey, server.secondaryKey])
      expect(text).not.toContain(secret);
  });

  test("M-64 the public listener does not have it", async () => {
    for (const path of ["/admin/connections", "/admin/status", "/admin/keys", "/Admin/groups", "/metrics"]) {
      const answer = await server.rest({ method: "GET", path, apiVersion: null });
      expect([answer.status, answer.text]).toEqual([404, ""]);
    }
  });
});

const userOf = ({ connected }: JsonClient): unknown => connected["userId"];

const error = (name: string, message: string): ShownError => ({
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string,
  name,
  message,
});
