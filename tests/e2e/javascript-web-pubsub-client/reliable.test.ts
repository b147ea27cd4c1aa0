import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../../support/clients.ts";
import { successAck } from "../../support/events.ts";
import { freshName } from "../../support/names.ts";
import { type Proxy, startProxy } from "../../support/proxy.ts";
import { type Server, startServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { SdkClients } from "./sdk-clients.ts";

const everything = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"];
const own = { protocol: "default", messageRetryOptions: { maxRetries: 20, retryDelayInMs: 50 } } as const;

let server: Server;
let proxy: Proxy;
let sdk: SdkClients;
beforeAll(async () => {
  sdk = new SdkClients();
  server = await startServer();
  proxy = await startProxy({ target: server.endpoint });
});
afterAll(async () => {
  await sdk.stop();
  await proxy.stop();
  await server.stop();
});

test("C-84 a client whose TCP connection is cut again and again loses and repeats nothing", async () => {
  const hub = freshName("hub");
  const cuttable = { ...server, endpoint: proxy.url };
  const { client, connected } = await sdk.connect(cuttable, { hub, roles: everything }, own);
  await client.joinGroup("g");
  const publisher = await connectJson(server, { hub, roles: everything });
  const recoveries = () => proxy.requests.filter((line) => line.includes("awps_reconnection_token=")).length;
  const perRound = 40;
  const rounds = 3;
  for (let round = 0; round < rounds; round++) {
    const before = recoveries();
    for (let count = 0; count < perRound; count++) {
      if (count === perRound / 2) proxy.cut();
      const data = String(round * perRound + count);
      const sent = await publisher.ask({ type: "sendToGroup", group: "g", dataType: "text", data });
      expect(sent).toEqual(successAck);
    }
    for (let count = 0; count < perRound; count++)
      expect(await client.nextMessage("group")).toMatchObject({ data: String(round * perRound + count) });
    expect(recoveries()).toBeGreaterThan(before);
  }
  // What it sends over the recovered connection arrives, from the connection it always had.
  expect(await client.sendToGroup("g", "mine", "text")).toMatchObject({ isDuplicated: false });
  expect(await client.nextMessage("group")).toMatchObject({ data: "mine" });
  const path = `/api/hubs/${hub}/connections/${String(connected["connectionId"])}`;
  expect((await server.rest({ method: "HEAD", path })).status).toBe(200);
});

test("C-85 after a REST close it is told, comes back as a new connection and joins its groups again", async () => {
  const hub = freshName("hub");
  const rest = (method: string, path: string, body?: string) =>
    server.rest({ method, path: `/api/hubs/${hub}${path}`, ...(body === undefined ? {} : { body }) });
  const { client, connected } = await sdk.connect(server, { hub, userId: "alice", roles: everything }, own);
  const { connectionId } = connected;
  await client.joinGroup("g");
  await client.joinGroup("h");
  await client.leaveGroup("h");
  expect((await rest("DELETE", `/connections/${String(connectionId)}?reason=maintenance`)).status).toBe(204);
  const message = { kind: "disconnected", message: "Application server closed the connection. Reason: maintenance" };
  expect(await client.next("disconnected")).toMatchObject({ connectionId, message });
  await client.next("negotiate");
  const back = await client.next("connected");
  expect(back).toMatchObject({ userId: "alice" });
  expect(back["connectionId"]).not.toBe(connectionId);
  await until("it has joined again", async () => (await rest("HEAD", "/groups/g")).status === 200);
  await rest("POST", "/groups/g/:send", "back");
  expect(await client.nextMessage("group")).toMatchObject({ group: "g", data: "back" });
  expect((await rest("HEAD", "/groups/h")).status).toBe(404);
});

test("C-79 stop ends the connection at once", async () => {
  const hub = freshName("hub");
  const { client, connected } = await sdk.connect(server, { hub }, own);
  await client.stop();
  await client.next("stopped");
  const path = `/api/hubs/${hub}/connections/${String(connected["connectionId"])}`;
  await until("the connection is gone", async () => (await server.rest({ method: "HEAD", path })).status === 404);
});
