import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectJson } from "../support/clients.ts";
import { type Answer, type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { failedAck, successAck, textAnswer, textEvent, textReply, tryToConnect } from "../support/events.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { startRawHandler, wireResponse } from "../support/raw-handler.ts";
import { type Server, startServer } from "../support/server.ts";

const mebibyte = 1_048_576;

let server: Server;
let handler: EventHandler;
let strict: Server;
beforeAll(async () => {
  handler = await startEventHandler();
  const upstream = { retryDelaysSeconds: [], maxSocketsPerHost: 4 };
  const at = (urlTemplate: string) => ({
    eventHandlers: [{ urlTemplate, userEventPattern: "*", systemEvents: ["connect"] }],
  });
  server = await startServer({
    limits: { eventHandler: { timeoutSeconds: 3 } }, // enough for a sound answer on a busy machine
    upstream,
    hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] } },
  });
  const { port } = new URL(handler.url);
  strict = await startServer({
    upstream: { ...upstream, targets: { allowLoopback: false, allowPrivate: false } },
    hubs: {
      metadata: at("http://169.254.169.254/latest/{hub}/{event}"),
      mapped: at("http://[::ffff:169.254.169.254]/{hub}/{event}"),
      mappedHex: at("http://[::ffff:a9fe:a9fe]/{hub}/{event}"),
      nat64: at("http://[64:ff9b::a9fe:a9fe]/{hub}/{event}"),
      decimal: at("http://2852039166/{hub}/{event}"),
      hex: at("http://0xa9.0xfe.0xa9.0xfe/{hub}/{event}"),
      linkLocal: at("http://[fe80::1]/{hub}/{event}"),
      alibaba: at("http://100.100.100.200/{hub}/{event}"),
      loopback: at(`http://127.0.0.1:${port}/{hub}/{event}`),
      loopbackName: at(`http://localhost:${port}/{hub}/{event}`),
      loopbackMapped: at(`http://[::ffff:127.0.0.1]:${port}/{hub}/{event}`),
      unspecified: at(`http://0.0.0.0:${port}/{hub}/{event}`),
      short: at(`http://127.1:${port}/{hub}/{event}`),
      private: at("http://10.0.0.1/{hub}/{event}"),
    },
  });
});
afterAll(async () => {
  await Promise.all([server.stop(), strict.stop()]);
  await handler.stop();
});

/** Writes a head, then `every` until the other side has had enough. */
const trickle = (
  head: readonly (readonly [string, string])[],
  every: { readonly ms: number; readonly bytes: number },
) =>
  ({
    write: (response: ServerResponse): void => {
      for (const [name, value] of head) response.setHeader(name, value);
      response.flushHeaders();
      const timer = setInterval(() => response.write(Buffer.alloc(every.bytes, 120)), every.ms);
      response.on("close", () => clearInterval(timer));
    },
  }) satisfies Answer;

const misbehaviours: readonly (readonly [what: string, answer: Answer])[] = [
  ["hangs", { after: new Promise(() => {}) }],
  ["hangs behind its headers", { write: (response) => response.flushHeaders() }],
  ["answers one byte a second", trickle([["Content-Type", "text/plain"]], { ms: 1000, bytes: 1 })],
  [
    "answers one byte a second of a body it announced",
    trickle([["Content-Length", "1000000"]], { ms: 1000, bytes: 1 }),
  ],
  ["announces 17 MiB", { body: new Uint8Array(17 * mebibyte) }],
  ["answers without end", trickle([["Content-Type", "text/plain"]], { ms: 1, bytes: mebibyte })],
  ["redirects to the metadata address", { status: 302, headers: [["Location", "http://169.254.169.254/latest"]] }],
  ["redirects to another scheme", { status: 307, headers: [["Location", "file:///etc/passwd"]] }],
  ["resets", { write: (_response, socket) => socket.resetAndDestroy() }],
  ["is no HTTP server", { write: (_response, socket) => socket.end("SSH-2.0-OpenSSH\r\n") }],
  [
    "sends headers without end",
    { write: (_response, socket) => socket.write(`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(50_000)}`) },
  ],
];

test.each(misbehaviours)("H-37 a handler that %s fails its event, and delays nobody else", async (_what, answer) => {
  const hub = freshName("hub");
  handler.hub(hub).answer("bad", answer);
  handler.hub(hub).answer("good", textAnswer("fine"));
  const [patient, other] = (await Promise.all([1, 2].map(() => connectJson(server, { hub })))) as [
    Awaited<ReturnType<typeof connectJson>>,
    Awaited<ReturnType<typeof connectJson>>,
  ];
  patient.send({ ...textEvent("bad"), ackId: 1 });
  const { aborted } = await handler.hub(hub).next("bad");
  // Another connection of the same hub gets its answer meanwhile, or shortly after.
  other.send({ ...textEvent("good"), ackId: 1 });
  expect(await other.next()).toEqual(textReply("fine"));
  expect(await other.next()).toEqual({ type: "ack", ackId: 1, ...successAck });
  expect(await patient.next()).toEqual({ type: "ack", ackId: 1, ...failedAck });
  if (answer.after !== undefined) await aborted; // the request is given up, not only forgotten
  patient.send({ ...textEvent("good"), ackId: 2 });
  expect(await patient.next()).toEqual(textReply("fine"));
  expect(await patient.next()).toEqual({ type: "ack", ackId: 2, ...successAck });
});

/** Answers with 512 MiB as fast as they are taken; tells at the end of the connection how many bytes were. */
function flood(): { readonly write: (socket: Socket) => void; readonly taken: Promise<number> } {
  const { promise: taken, resolve } = Promise.withResolvers<number>();
  const chunk = Buffer.alloc(mebibyte, 120);
  const write = (socket: Socket): void => {
    let left = 512;
    const before = socket.bytesWritten;
    const more = (): void => {
      if (left-- > 0) socket.write(chunk, more);
      else socket.end();
    };
    socket.on("close", () => resolve(socket.bytesWritten - before - socket.writableLength));
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n", more);
  };
  return { write, taken };
}

test("H-37 a body beyond 16 MiB is not collected, one of 16 MiB is passed on", async () => {
  const raw = await startRawHandler(); // the runtime's HTTP server knows no back-pressure
  const patient = await startServer({
    upstream: { retryDelaysSeconds: [] },
    hubs: { "*": { eventHandlers: [{ urlTemplate: `${raw.url}/{event}`, userEventPattern: "*" }] } },
  });
  const client = await connectJson(patient, { hub: freshName("hub") });
  const most = "x".repeat(16 * mebibyte);
  raw.answer(() => wireResponse(200, [["Content-Type", "text/plain"]], most));
  client.send({ ...textEvent("most"), ackId: 1 });
  expect((await client.next())["data"]).toHaveLength(most.length);
  expect(await client.next()).toEqual({ type: "ack", ackId: 1, ...successAck });
  const { write, taken } = flood();
  raw.answer(() => write);
  client.send({ ...textEvent("endless"), ackId: 2 });
  // Beyond the 16 MiB it is what lies in the kernel: 36 MiB at most as Linux sets its buffers.
  expect((await inTime(taken, "end of the connection")) / mebibyte).toBeLessThan(128);
  expect(await client.next()).toEqual({ type: "ack", ackId: 2, ...failedAck });
  await patient.stop();
  await raw.stop();
});

test("H-37 of many events for a hanging handler only as many as allowed are under way; other handlers are not held up", async () => {
  const quick = await startEventHandler();
  const own = await startServer({
    limits: { eventHandler: { timeoutSeconds: 2 } },
    upstream: { retryDelaysSeconds: [], maxSocketsPerHost: 3 },
    hubs: {
      hanging: { eventHandlers: [handler.settings({ systemEvents: [] })] },
      quick: { eventHandlers: [quick.settings({ systemEvents: [] })] },
    },
  });
  let underWay = 0;
  let most = 0;
  handler.hub("hanging").answer("bad", async ({ aborted }) => {
    most = Math.max(most, ++underWay);
    await aborted;
    underWay--;
    return {};
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectJson(own, { hub: "hanging" })));
  for (const client of clients) client.send({ ...textEvent("bad"), ackId: 1 });
  await handler.hub("hanging").next("bad");
  const other = await connectJson(own, { hub: "quick" });
  for (let round = 0; round < 20; round++) expect(await other.ask(textEvent("e"))).toEqual(successAck);
  for (const client of clients) expect(await client.next()).toEqual({ type: "ack", ackId: 1, ...failedAck });
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
  await own.stop();
  await quick.stop();
});

test.each([
  "metadata",
  "mapped",
  "mappedHex",
  "nat64",
  "decimal",
  "hex",
  "linkLocal",
  "alibaba",
  "loopback",
  "loopbackName",
  "loopbackMapped",
  "unspecified",
  "short",
  "private",
])("H-53 with the strict policy no handler is called for hub %s", async (hub) => {
  const from = strict.output().length;
  const response = await tryToConnect(strict, { hub });
  expect(response.status).toBe(500);
  expect(response.text).toBe("");
  await strict.process.written(/addresses are (?:never called|not allowed)/, { from });
  expect(handler.hub(hub).untaken).toEqual([]);
  expect(handler.validations.untaken.filter(({ url }) => url.toLowerCase().includes(`/${hub.toLowerCase()}/`))).toEqual(
    [],
  );
});

test("H-53 metadata addresses are refused also where everything else is allowed", async () => {
  await server.reconfigure({
    hubs: {
      md: { eventHandlers: [{ urlTemplate: "http://[::ffff:169.254.169.254]/{event}", userEventPattern: "*" }] },
    },
  });
  const client = await connectJson(server, { hub: "md" });
  const from = server.output().length;
  expect(await client.ask(textEvent("e"))).toEqual(failedAck);
  await server.process.written(/addresses are never called/, { from });
});
