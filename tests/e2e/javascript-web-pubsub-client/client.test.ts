import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { freshName } from "../../support/names.ts";
import { failureOf } from "../../support/node-agent.ts";
import { type Server, startServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { SdkClients } from "./sdk-clients.ts";

const everything = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"];

let server: Server;
let handler: EventHandler;
let sdk: SdkClients;
beforeAll(async () => {
  sdk = new SdkClients();
  handler = await startEventHandler();
  server = await startServer({ hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] } } });
});
afterAll(async () => {
  await sdk.stop();
  await server.stop();
  await handler.stop();
});

/** Two clients in a hub of its own, `alice` and `bob`; what REST does there. */
async function pair() {
  const hub = freshName("hub");
  const { client: alice, connected } = await sdk.connect(server, { hub, userId: "alice", roles: everything });
  const { client: bob } = await sdk.connect(server, { hub, userId: "bob", roles: everything });
  const rest = (method: string, path: string, body?: string) =>
    server.rest({ method, path: `/api/hubs/${hub}${path}`, ...(body === undefined ? {} : { body }) });
  return { hub, alice, bob, rest, connectionId: String(connected["connectionId"]) };
}

describe("connecting", () => {
  test("C-24 the connected event has the connection id and the user; stop ends the connection", async () => {
    const { alice, connectionId, rest } = await pair();
    expect((await rest("HEAD", `/connections/${connectionId}`)).status).toBe(200);
    expect((await rest("HEAD", "/users/alice")).status).toBe(200);
    await alice.stop();
    await alice.next("stopped");
    expect(await alice.next("disconnected")).toMatchObject({ connectionId });
    const isGone = async () => (await rest("HEAD", `/connections/${connectionId}`)).status === 404;
    await until("the connection is gone", isGone);
  });

  test("a refused handshake rejects start", async () => {
    const wrong = { hub: freshName("hub"), signing: { key: "not a key of this server, but long enough" } };
    const client = await sdk.create(server, wrong);
    expect((await failureOf(client.start()))["message"]).toContain("401");
  });

  test("a stopped client starts again as a new connection", async () => {
    const { alice, connectionId } = await pair();
    await alice.stop();
    await alice.next("stopped");
    await alice.start();
    expect((await alice.next("connected"))["connectionId"]).not.toBe(connectionId);
  });
});

describe("groups", () => {
  test("C-36 C-37 C-44 messages of every data type reach the members with their sender", async () => {
    const { alice, bob } = await pair();
    await alice.joinGroup("g/1 é");
    await bob.joinGroup("g/1 é");
    const bytes = new Uint8Array([0, 128, 255]);
    for (const [dataType, data] of [
      ["json", { a: [1, null, "é"] }],
      ["json", "text as json"],
      ["json", 0],
      ["text", "grüß\n"],
      ["binary", bytes],
    ] as const) {
      const content = data instanceof Uint8Array ? (data as unknown as ArrayBuffer) : data;
      expect(await alice.sendToGroup("g/1 é", content, dataType)).toMatchObject({ isDuplicated: false });
      const received = data instanceof Uint8Array ? Buffer.from(data) : data;
      const message = { kind: "groupData", group: "g/1 é", fromUserId: "alice", dataType, data: received };
      expect(await bob.nextMessage("group")).toMatchObject(message);
      expect(await alice.nextMessage("group")).toMatchObject(message);
    }
  });

  test("C-27 C-29 joining and leaving; noEcho; fire and forget", async () => {
    const { alice, bob } = await pair();
    await alice.joinGroup("g");
    await bob.joinGroup("g");
    await alice.sendToGroup("g", "not for alice", "text", { noEcho: true });
    expect(await bob.nextMessage("group")).toMatchObject({ data: "not for alice" });
    await bob.leaveGroup("g");
    await alice.sendToGroup("g", "forgotten", "text", { fireAndForget: true });
    expect(await alice.nextMessage("group")).toMatchObject({ data: "forgotten" });
    await bob.joinGroup("g");
    await alice.sendToGroup("g", "again", "text");
    expect(await alice.nextMessage("group")).toMatchObject({ data: "again" });
    expect(await bob.nextMessage("group")).toMatchObject({ data: "again" });
  });

  test("C-31 without the role every request is refused as Forbidden", async () => {
    const { client } = await sdk.connect(server, { hub: freshName("hub"), roles: ["webpubsub.sendToGroup.mine"] });
    const errorDetail = { name: "Forbidden" };
    for (const request of [
      () => client.joinGroup("g", { ackId: 7 }),
      () => client.leaveGroup("g"),
      () => client.sendToGroup("g", "x", "text"),
      () => client.sendToGroup("MINE", "x", "text"),
    ]) {
      expect(await failureOf(request())).toMatchObject({ name: "SendMessageError", errorDetail });
    }
    expect(await client.sendToGroup("mine", "x", "text")).toMatchObject({ isDuplicated: false });
  });

  test("C-32 the SDK's own retry succeeds once the role is granted", async () => {
    const hub = freshName("hub");
    const retries = { maxRetries: 1000, retryDelayInMs: 1 };
    const { client, connected } = await sdk.connect(server, { hub }, { messageRetryOptions: retries });
    const joined = client.joinGroup("g", { ackId: 5 });
    const path = `/api/hubs/${hub}/permissions/joinLeaveGroup/connections/${String(connected["connectionId"])}`;
    expect((await server.rest({ method: "PUT", path: `${path}?targetName=g` })).status).toBe(200);
    expect(await joined).toEqual({ ackId: 5, isDuplicated: false });
  });

  test("C-33 a repeated ackId resolves as duplicate and delivers nothing", async () => {
    const { alice, bob } = await pair();
    await bob.joinGroup("g");
    expect(await alice.sendToGroup("g", "once", "text", { ackId: 42 })).toEqual({ ackId: 42, isDuplicated: false });
    expect(await alice.sendToGroup("g", "twice", "text", { ackId: 42 })).toEqual({ ackId: 42, isDuplicated: true });
    expect(await alice.joinGroup("g", { ackId: 42 })).toEqual({ ackId: 42, isDuplicated: true });
    await alice.sendToGroup("g", "last", "text");
    expect(await bob.nextMessage("group")).toMatchObject({ data: "once" });
    expect(await bob.nextMessage("group")).toMatchObject({ data: "last" });
  });
});

describe("the server side", () => {
  test("R-41 messages of REST arrive as server and group messages of their type", async () => {
    const { alice, rest } = await pair();
    await alice.joinGroup("g");
    expect((await rest("POST", "/:send", "to all")).status).toBe(202);
    expect(await alice.nextMessage("server")).toMatchObject({ kind: "serverData", dataType: "text", data: "to all" });
    expect((await rest("POST", "/groups/g/:send", "to the group")).status).toBe(202);
    expect(await alice.nextMessage("group")).toMatchObject({ group: "g", dataType: "text", data: "to the group" });
  });

  test("C-52 E-54 events reach the handler in their type, and its answer the client", async () => {
    const { hub, alice } = await pair();
    handler.hub(hub).answer("ask", { headers: [["Content-Type", "application/json"]], body: `{"answer":42}` });
    expect(await alice.sendEvent("ask", { question: 1 }, "json")).toMatchObject({ isDuplicated: false });
    expect(await alice.nextMessage("server")).toMatchObject({ dataType: "json", data: { answer: 42 } });
    const asked = await handler.hub(hub).next("ask");
    expect(asked.json).toEqual({ question: 1 });
    expect(asked.header("ce-userId")).toBe("alice");
    await alice.sendEvent("tell", "grüß", "text");
    const told = await handler.hub(hub).next("tell");
    expect(told.text).toBe("grüß");
    expect(told.header("content-type")).toStartWith("text/plain");
    await alice.sendEvent("bytes", new Uint8Array([1, 255]) as unknown as ArrayBuffer, "binary");
    const bytes = await handler.hub(hub).next("bytes");
    expect([[...bytes.body], bytes.header("content-type")]).toEqual([[1, 255], "application/octet-stream"]);
  });

  test("C-53 a failing handler fails the event and keeps the connection; the same ackId may be tried again", async () => {
    const { hub, alice } = await pair();
    handler.hub(hub).answer("flaky", [{ status: 400 }, { status: 204 }]);
    const failure = await failureOf(alice.sendEvent("flaky", "x", "text", { ackId: 9 }));
    expect(failure).toMatchObject({ name: "SendMessageError", errorDetail: { name: "InternalServerError" } });
    expect(await alice.sendEvent("flaky", "x", "text", { ackId: 9 })).toEqual({ ackId: 9, isDuplicated: false });
  });
});

describe("the end of a connection", () => {
  test("C-92 after a REST close the client reconnects and is in its groups again", async () => {
    const { alice, rest, connectionId } = await pair();
    await alice.joinGroup("g");
    await alice.joinGroup("h");
    await alice.leaveGroup("h");
    expect((await rest("DELETE", `/connections/${connectionId}?reason=maintenance`)).status).toBe(204);
    const message = { kind: "disconnected", message: "Application server closed the connection. Reason: maintenance" };
    expect(await alice.next("disconnected")).toMatchObject({ connectionId, message });
    await alice.next("negotiate");
    const connected = await alice.next("connected");
    expect(connected).toMatchObject({ userId: "alice" });
    expect(connected["connectionId"]).not.toBe(connectionId);
    await until("it has joined again", async () => (await rest("HEAD", "/groups/g")).status === 200);
    await rest("POST", "/groups/g/:send", "back");
    expect(await alice.nextMessage("group")).toMatchObject({ group: "g", data: "back" });
    expect((await rest("HEAD", "/groups/h")).status).toBe(404);
    expect(await alice.sendToGroup("g", "still works", "text")).toMatchObject({ isDuplicated: false });
  });

  test("without autoReconnect a REST close stops the client", async () => {
    const hub = freshName("hub");
    const { client } = await sdk.connect(server, { hub, userId: "u" }, { autoReconnect: false });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/:closeConnections` });
    await client.next("disconnected");
    await client.next("stopped");
  });

  test("a rejoin that is no longer allowed is reported", async () => {
    const hub = freshName("hub");
    const { client, connected } = await sdk.connect(server, { hub });
    const connection = `/connections/${String(connected["connectionId"])}`;
    const api = (method: string, path: string) => server.rest({ method, path: `/api/hubs/${hub}${path}` });
    await api("PUT", `/permissions/joinLeaveGroup${connection}?targetName=g`);
    await client.joinGroup("g");
    await api("DELETE", connection);
    expect(await client.next("rejoin-group-failed")).toMatchObject({ group: "g" });
  });
});

test("M-2 the client SDK connects over wss with the printed authority", async () => {
  const secure = await startServer({ service: { listen: [{ url: "https://localhost:0" }] } });
  const [, ca = ""] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(secure.output()) ?? [];
  const clients = new SdkClients(ca);
  try {
    const { client } = await clients.connect(secure, { hub: freshName("hub"), roles: everything });
    await client.joinGroup("g");
    await client.sendToGroup("g", "over TLS", "text");
    expect(await client.nextMessage("group")).toMatchObject({ data: "over TLS", fromUserId: null });
  } finally {
    await clients.stop();
    await secure.stop();
  }
});
