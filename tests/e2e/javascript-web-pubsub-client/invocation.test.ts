import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Answer, type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { textAnswer } from "../../support/events.ts";
import { type FaultyProxy, startFaultyProxy } from "../../support/faulty-proxy.ts";
import { inTime } from "../../support/inbox.ts";
import { freshName } from "../../support/names.ts";
import { failureOf } from "../../support/node-agent.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { type Server, startServer } from "../../support/server.ts";
import { PreviewProcess } from "./preview-clients.ts";

let server: Server;
let handler: EventHandler;
let proxy: FaultyProxy;
let node: PreviewProcess;
beforeAll(async () => {
  node = new PreviewProcess();
  handler = await startEventHandler();
  const eventHandlers = [handler.settings({ systemEvents: [], userEventPattern: "calc,slow,quick" })];
  server = await startServer({ hubs: { "*": { eventHandlers } }, upstream: { retryDelaysSeconds: [] } });
  proxy = await startFaultyProxy({ target: server.endpoint, random: new SeededRandom(95) });
});
afterAll(async () => {
  await node.stop();
  await proxy.stop();
  await server.stop();
  await handler.stop();
});

async function connect(endpoint = server.endpoint) {
  const hub = freshName("hub");
  const client = await node.connect(server, { hub, userId: "ann", roles: ["webpubsub.sendToGroup"] }, { endpoint });
  return { client, events: handler.hub(hub) };
}

test.each<[what: string, reply: Answer, result: object]>([
  ["text", textAnswer("grüß"), { dataType: "text", data: "grüß" }],
  [
    "JSON",
    { headers: [["Content-Type", "application/json"]], body: '{"sum":4}' },
    { dataType: "json", data: { sum: 4 } },
  ],
  [
    "bytes",
    { headers: [["Content-Type", "application/octet-stream"]], body: new Uint8Array([1, 255]) },
    { dataType: "binary", data: Buffer.from([1, 255]) },
  ],
  ["nothing", { status: 204 }, {}],
])("C-95 invokeEvent resolves with what the handler replied: %s", async (_what, reply, result) => {
  const { client, events } = await connect();
  events.answer("calc", reply);
  expect(await client.do("invoke", "call", { event: "calc", content: { x: 2 }, dataType: "json" })).toEqual({
    invocationId: "1",
    ...result,
  });
  const request = await events.next("calc");
  expect([request.json, request.header("ce-userId")]).toEqual([{ x: 2 }, "ann"]);
});

test("C-95 invokeEvent rejects with the error's name when the handler fails or is missing, and is not tried again", async () => {
  const { client, events } = await connect();
  events.answer("calc", { status: 500, body: "secret" });
  const failure = await failureOf(client.do("invoke", "call", { event: "calc", content: "x", dataType: "text" }));
  expect(failure).toMatchObject({
    name: "InvocationError",
    invocationId: "1",
    errorDetail: { name: "InternalServerError" },
  });
  const missing = await failureOf(client.do("invoke", "call", { event: "unwanted", content: "x", dataType: "text" }));
  expect(missing).toMatchObject({ name: "InvocationError", errorDetail: { name: "NotFound" } });
  await client.do("settle");
  expect(events.untaken).toEqual(["calc"]);
});

test("C-95 invocations run side by side", async () => {
  const { client, events } = await connect();
  const work = Promise.withResolvers<void>();
  events.answer("slow", { ...textAnswer("slow"), after: work.promise });
  events.answer("quick", textAnswer("quick"));
  const slow = client.do("invoke", "slow", { event: "slow", content: "x", dataType: "text" });
  await events.next("slow");
  expect(await client.do("invoke", "quick", { event: "quick", content: "x", dataType: "text" })).toMatchObject({
    data: "quick",
  });
  await client.do("settle");
  work.resolve();
  expect(await slow).toEqual({ invocationId: "1", dataType: "text", data: "slow" });
});

test("C-95 an aborted invokeEvent ends the handler's request", async () => {
  const { client, events } = await connect();
  events.answer("slow", { after: new Promise(() => {}) });
  const failure = failureOf(client.do("invoke", "call", { event: "slow", content: "x", dataType: "text" }));
  const request = await events.next("slow");
  await node.with("cancelInvoke", "call");
  expect(await failure).toMatchObject({ name: "InvocationError", invocationId: "1" });
  await inTime(request.aborted, "end of the request");
  expect(await client.do("invoke", "again", { event: "quick", content: "x", dataType: "text" })).toMatchObject({
    invocationId: "2",
  });
});

test.each(["rst", "fin"] as const)(
  "C-95 an invokeEvent that is pending at a drop (%s) rejects; its late response disturbs nobody, and the next works",
  async (fault) => {
    const { client, events } = await connect(proxy.url);
    const work = Promise.withResolvers<void>();
    events.answer("slow", { ...textAnswer("late"), after: work.promise });
    events.answer("quick", textAnswer("quick"));
    const failure = failureOf(client.do("invoke", "call", { event: "slow", content: "x", dataType: "text" }));
    await events.next("slow");
    proxy.cut(fault);
    expect(await failure).toMatchObject({ name: "InvocationError", invocationId: "1" });
    await client.do("settle");
    work.resolve();
    expect(await client.do("invoke", "next", { event: "quick", content: "x", dataType: "text" })).toEqual({
      invocationId: "2",
      dataType: "text",
      data: "quick",
    });
    expect(await client.do("happened")).toEqual(["connected"]);
  },
);
