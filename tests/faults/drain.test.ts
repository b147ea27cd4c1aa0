import { expect, test } from "bun:test";
import { clientPath, connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { dial } from "../support/dial.ts";
import { startEventHandler } from "../support/event-handler.ts";
import { textAnswer, textEvent } from "../support/events.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { type Server, startServer } from "../support/server.ts";

const drainSeconds = 30;
const restarting = "Service is restarting.";

/** Asks the server to end, without waiting for it. */
const terminate = (server: Server): void => server.process.kill("SIGTERM");

/** The exit code; rejects when the drain time is over before. */
const exitCode = (server: Server): Promise<number | null> =>
  inTime(server.process.exited, "end of the process within the drain time", drainSeconds * 1000);

test("H-39 on SIGTERM a thousand clients are told and closed 1001, no acknowledged message is lost, the process ends with 0", async () => {
  const server = await startServer({ limits: { drainSeconds } });
  const hub = freshName("hub");
  const connectMany = <Client>(connect: (at: number) => Promise<Client>, count: number): Promise<Client[]> =>
    Promise.all(Array.from({ length: count }, (_, at) => connect(at)));
  const members = await connectMany(() => connectJson(server, { hub, groups: ["g"] }), 100);
  const idle = await connectMany(() => connectJson(server, { hub }), 400);
  const simple = await connectMany((at) => connectSimple(server, { hub, userId: `${at}` }), 500);
  const publisher = await connectJson(server, { hub, roles: allRoles });

  // Publishes on and on; the service is told to end between two messages of it.
  const acknowledged = new Set<number>();
  const total = 2000;
  for (let ackId = 0; ackId < total; ackId++) {
    publisher.send({ type: "sendToGroup", group: "g", dataType: "text", data: `${ackId}`, ackId });
    if (ackId === total / 2) terminate(server);
    if (ackId % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (;;) {
    const event = await publisher.socket.next();
    if (event.kind === "closed") {
      expect([event.code, event.reason]).toEqual([1001, restarting]);
      break;
    }
    const frame = JSON.parse(event.kind === "text" ? event.text : "{}") as Record<string, unknown>;
    if (frame["type"] === "ack") acknowledged.add(Number(frame["ackId"]));
    else expect(frame).toEqual({ type: "system", event: "disconnected", message: restarting });
  }
  expect(acknowledged.size).toBeGreaterThan(0);

  for (const member of members) {
    const received: number[] = [];
    for (;;) {
      const frame = await member.next();
      if (frame["type"] === "system") {
        expect(frame).toEqual({ type: "system", event: "disconnected", message: restarting });
        break;
      }
      received.push(Number(frame["data"]));
    }
    expect(received).toEqual(received.map((_, at) => at)); // in order, none twice, none left out
    expect([...acknowledged].filter((ackId) => ackId >= received.length)).toEqual([]);
  }
  for (const client of idle) expect(await farewell(client)).toEqual([restarting, 1001, restarting]);
  for (const client of members) expect(await client.socket.closed()).toEqual({ code: 1001, reason: restarting });
  for (const { socket } of simple) expect(await socket.closed()).toEqual({ code: 1001, reason: restarting });
  expect(await exitCode(server)).toBe(0);
});

async function farewell(client: JsonClient): Promise<readonly unknown[]> {
  const { message } = await client.next();
  const { code, reason } = await client.socket.closed();
  return [message, code, reason];
}

test("H-39 a client that does not read holds the drain up no longer than it may, and the process ends with 0", async () => {
  const server = await startServer({ limits: { drainSeconds, closeDrainSeconds: 1 } });
  const hub = freshName("hub");
  const stuck = await connectSimple(server, { hub, userId: "stuck" });
  const reader = await connectSimple(server, { hub });
  stuck.socket.pause();
  const text = "x".repeat(1_000_000);
  for (let sent = 0; sent < 10; sent++) {
    expect((await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: text })).status).toBe(202);
    expect(await reader.socket.nextText()).toBe(text);
  }
  terminate(server);
  expect(await reader.socket.closed()).toEqual({ code: 1001, reason: restarting });
  expect(await exitCode(server)).toBe(0);
});

test("H-39 the handler learns of every client that the end closed, and a half-open request does not hold it up", async () => {
  const handler = await startEventHandler();
  const server = await startServer({
    limits: { drainSeconds },
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: ["disconnected"] })] } },
  });
  const hub = freshName("hub");
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectJson(server, { hub })));
  const halfOpen = await dial(server.endpoint);
  halfOpen.write(`GET ${clientPath(server, { hub })} HTTP/1.1\r\n`);
  terminate(server);
  for (const client of clients) expect(await farewell(client)).toEqual([restarting, 1001, restarting]);
  const gone = new Set<string | null>();
  for (const _client of clients) {
    const event = await handler.hub(hub).next("disconnected");
    gone.add(event.header("ce-connectionId"));
    expect(event.json).toEqual({ reason: restarting });
  }
  expect(gone).toEqual(new Set(clients.map(({ connectionId }) => connectionId)));
  expect(await exitCode(server)).toBe(0);
  halfOpen.destroy();
  await handler.stop();
});

test("H-39 an event under way when the end comes is finished or failed, its client is closed, the process ends with 0", async () => {
  const handler = await startEventHandler();
  const server = await startServer({
    limits: { drainSeconds },
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] } },
  });
  const hub = freshName("hub");
  const answer = Promise.withResolvers<void>();
  handler.hub(hub).answer("slow", { ...textAnswer("late"), after: answer.promise });
  const client = await connectJson(server, { hub });
  const other = await connectJson(server, { hub });
  client.send({ ...textEvent("slow"), ackId: 1 });
  await handler.hub(hub).next("slow");
  terminate(server);
  expect(await farewell(other)).toEqual([restarting, 1001, restarting]);
  answer.resolve();
  for (;;) {
    const event = await client.socket.next();
    if (event.kind !== "closed") continue;
    expect(event).toMatchObject({ code: 1001, reason: restarting });
    break;
  }
  expect(await exitCode(server)).toBe(0);
  await handler.stop();
});
