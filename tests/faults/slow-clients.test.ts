import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { dial } from "../support/dial.ts";
import { connectEcho } from "../support/echo.ts";
import { signedHead } from "../support/exchange.ts";
import { encodeFrame, opcodes } from "../support/frames.ts";
import { hubApi } from "../support/hub-api.ts";
import { inTime } from "../support/inbox.ts";
import { adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { readResponse } from "../support/raw-http.ts";
import { residentMebibytes } from "../support/resident.ts";
import { type Server, startServer } from "../support/server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer({
    service: adminSettings,
    limits: { handshakeSeconds: 1, outboundQueue: { messages: 100, bytes: 1_048_576 } },
    hubs: { "*": { webSocketKeepAliveIntervalInSeconds: 120 } }, // who does not read answers no ping either
  });
});
afterAll(async () => await server.stop());

const untilClosed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

/** Somebody connects anew, sends and is answered. */
async function expectService(): Promise<void> {
  const client = await connectEcho(server);
  client.socket.send("hello");
  expect(await client.socket.nextText()).toBe("hello");
  client.socket.abort();
}

test("H-32 a thousand half-open requests are dropped, silent or dribbling, and others are served meanwhile", async () => {
  const begin = `GET ${clientPath(server, { hub: freshName("hub") })} HTTP/1.1\r\nHost: ${new URL(server.endpoint).host}\r\n`;
  const upload = signedHead(server, "POST", `/api/hubs/${freshName("hub")}/:send?api-version=2024-12-01`);
  const kinds = [
    { begin: "", dribbles: false },
    { begin: "GET ", dribbles: true },
    { begin, dribbles: false },
    { begin: `${begin}Upgrade: websocket\r\nX-Slow: `, dribbles: true },
    { begin: `${upload}Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\nx`, dribbles: true },
  ];
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, async (_, at) => {
      const kind = kinds[at % kinds.length] ?? { begin: "", dribbles: false };
      const socket = await dial(server.endpoint, { withinMs: 20_000 });
      socket.resume();
      socket.on("end", () => socket.destroy());
      if (kind.begin !== "") socket.write(kind.begin);
      return { socket, closed: untilClosed(socket), dribbles: kind.dribbles };
    }),
  );
  const others: Promise<void>[] = [];
  const dribble = setInterval(() => {
    for (const { socket, dribbles } of sockets) if (dribbles && !socket.destroyed) socket.write("x");
    others.push(expectService());
  }, 1000);
  try {
    await expectService();
    // The runtime gives a request's head about 12 seconds whatever is configured, its body as long as is configured.
    await inTime(Promise.all(sockets.map(({ closed }) => closed)), "end of all half-open requests", 60_000);
  } finally {
    clearInterval(dribble);
    for (const { socket } of sockets) socket.destroy();
  }
  await Promise.all(others);
  await expectService();
});

test("H-35 one of 200 members stops reading: it is closed, the others get everything in order, memory stays bounded", async () => {
  const hub = freshName("hub");
  const readers = await Promise.all(Array.from({ length: 199 }, () => connectSimple(server, { hub, groups: ["g"] })));
  const stuck = await connectSimple(server, { hub, userId: "stuck", groups: ["g"] });
  const publisher = await connectJson(server, { hub, roles: ["webpubsub.sendToGroup"] });
  const before = await residentMebibytes(server);
  stuck.socket.pause();
  const padding = "x".repeat(65_536);
  const isThere = async (): Promise<boolean> => (await hubApi(server, hub)("HEAD", "/users/stuck")).status === 200;
  let sent = 0;
  let peak = 0;
  while (await isThere()) {
    expect(sent).toBeLessThan(3000); // 187 MiB, of which the kernel takes 36 at most
    const data = `${sent} ${padding}`;
    expect(await publisher.ask({ type: "sendToGroup", group: "g", dataType: "text", data })).toEqual({ success: true });
    for (const reader of readers) expect(await reader.socket.nextText()).toBe(data);
    peak = Math.max(peak, (await residentMebibytes(server)) - before);
    sent++;
  }
  for (const reader of readers) await reader.nothingArrived();
  expect(peak).toBeLessThan(48);
  stuck.socket.resume();
  for (let read = 0; ; read++) {
    const event = await stuck.socket.next();
    if (event.kind === "closed") {
      expect([event.code, event.reason]).toEqual([1008, "The outbound message queue is full."]);
      expect(read).toBeLessThan(sent);
      break;
    }
    expect(event.kind === "text" ? event.text : "").toStartWith(`${read} x`);
  }
  for (const reader of readers) reader.socket.abort();
});

test("H-35 a client that asks without end and reads no answer costs no memory", async () => {
  const floods = [
    // The runtime answers these by itself, and not while the answers before are still unread.
    { frame: encodeFrame({ opcode: opcodes.ping, payload: new Uint8Array(125) }), stays: true },
    { frame: encodeFrame({ opcode: opcodes.text, payload: '{"type":"ping"}' }), stays: false },
    {
      frame: encodeFrame({ opcode: opcodes.text, payload: '{"type":"joinGroup","group":"g","ackId":1}' }),
      stays: false,
    },
  ];
  for (const { frame, stays } of floods) {
    const hub = freshName("hub");
    const before = await residentMebibytes(server);
    const socket = await dial(server.endpoint);
    const lines = [
      `GET ${clientPath(server, { hub, userId: "flood" })} HTTP/1.1`,
      `Host: ${new URL(server.endpoint).host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: json.webpubsub.azure.v1",
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    await readResponse(socket); // the last that is ever read from it
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => frame));
    for (let round = 0; round < 300 && !socket.destroyed; round++) {
      const isWritten = new Promise<boolean>((resolve) =>
        socket.write(many, (error) => resolve((error ?? null) === null)),
      );
      if (!(await inTime(isWritten, "end of the write"))) break;
      await expectService();
    }
    expect((await residentMebibytes(server)) - before).toBeLessThan(96); // three million answers to pings are 360 MiB
    expect((await hubApi(server, hub)("HEAD", "/users/flood")).status).toBe(stays ? 200 : 404);
    socket.destroy();
  }
});
