import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson, type JsonClient } from "../support/clients.ts";
import { dial } from "../support/dial.ts";
import { connectEcho } from "../support/echo.ts";
import { encodeFrame, opcodes } from "../support/frames.ts";
import { adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { readResponse } from "../support/raw-http.ts";
import { residentMebibytes } from "../support/resident.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";

const { continuation, text, binary } = opcodes;

describe("any server", () => {
  let server: Target;
  let pacer: JsonClient;
  beforeAll(async () => {
    server = await anyServer();
    pacer = await connectJson(server, { hub: freshName("pacer") });
  });
  afterAll(async () => await server.stop());

  /** When this resolves the service has read what was written on other sockets before: it went round once more. */
  async function pace(): Promise<void> {
    pacer.socket.ping();
    await pacer.socket.pongs.take({ what: "pong" });
  }

  /** One message of each kind; ack ids have seven digits, so that every message has one length. */
  const corpus: readonly ((ackId: number) => string)[] = [
    (ackId) => `{"type":"joinGroup","group":"g","ackId":${ackId}}`,
    (ackId) => `{"type":"sendToGroup","group":"g","dataType":"json","data":{"a":[1.50,"\\u00e9"]},"ackId":${ackId}}`,
    (ackId) => `{"type":"sendToGroup","group":"g","dataType":"text","data":"h\u00e9llo \u{1f30a}","ackId":${ackId}}`,
    (ackId) => `{"type":"sendToGroup","group":"g","dataType":"binary","data":"AAECAw==","ackId":${ackId}}`,
    (ackId) => `{"type":"sendToGroup","group":"other","data":1,"noEcho":true,"ackId":${ackId}}`,
    (ackId) => `{"type":"leaveGroup","group":"other","ackId":${ackId}}`,
    (ackId) => `{"type":"sequenceAck","sequenceId":${ackId}}`,
    () => '{"type":"ping"}',
  ];

  /** What arrives up to the pong of a JSON ping, ack ids left out. */
  async function answers(client: JsonClient): Promise<readonly unknown[]> {
    client.send('{"type":"ping"}');
    const frames: unknown[] = [];
    for (;;) {
      const { ackId: _ackId, ...frame } = await client.next();
      if (frame["type"] === "pong") return frames;
      frames.push(frame);
    }
  }

  test("H-12 every message cut at every byte has the result of the whole message", async () => {
    const client = await connectJson(server, { hub: freshName("hub"), userId: "u", roles: allRoles, groups: ["g"] });
    let ackId = 2_000_000;
    for (const message of corpus) {
      if (message === corpus.at(-1)) continue; // its pong could not be told from the one that ends `answers`
      client.send(message(ackId++));
      const whole = await answers(client);
      const { length } = encodeFrame({ opcode: text, payload: message(ackId) });
      for (let cut = 1; cut < length; cut++) {
        const frame = encodeFrame({ opcode: text, payload: message(ackId++) });
        client.socket.sendBytes(frame.subarray(0, cut));
        await pace();
        client.socket.sendBytes(frame.subarray(cut));
        expect(await answers(client)).toEqual(whole);
      }
    }
  });

  test("H-12 every message written byte by byte has the result of the whole message", async () => {
    const client = await connectJson(server, { hub: freshName("hub"), userId: "u", roles: allRoles, groups: ["g"] });
    let ackId = 2_000_000;
    for (const message of corpus.slice(0, -1)) {
      client.send(message(ackId++));
      const whole = await answers(client);
      for (const byte of encodeFrame({ opcode: text, payload: message(ackId++) })) {
        client.socket.sendBytes(Uint8Array.of(byte));
        await pace();
      }
      expect(await answers(client)).toEqual(whole);
    }
  });

  test("H-12 a thousand messages in one segment have the results of single ones, in order", async () => {
    const options = { hub: freshName("hub"), userId: "u", roles: allRoles, groups: ["g"] };
    const single = await connectJson(server, { ...options, hub: freshName("hub") });
    const messages = Array.from({ length: 1000 }, (_, at) => corpus[at % corpus.length]?.(2_000_000 + at) ?? "");
    const expected: unknown[] = [];
    for (const message of messages) {
      single.send(message);
      if (message === '{"type":"ping"}') expected.push(await single.next());
      else expected.push(...(await answers(single)));
    }
    const together = await connectJson(server, options);
    together.socket.sendBytes(Buffer.concat(messages.map((payload) => encodeFrame({ opcode: text, payload }))));
    const seen: unknown[] = [];
    while (seen.length < expected.length) {
      const { ackId: _ackId, ...frame } = await together.next();
      seen.push(frame);
    }
    expect(seen).toEqual(expected);
    await together.nothingArrived();
  });

  test("H-12 a handshake cut at every byte is answered as the whole one", async () => {
    const head = [
      `GET ${clientPath(server, { hub: freshName("hub") })} HTTP/1.1`,
      `Host: ${new URL(server.endpoint).host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: json.webpubsub.azure.v1",
      "",
      "",
    ].join("\r\n");
    for (let cut = 1; cut < head.length; cut++) {
      const socket = await dial(server.endpoint);
      socket.write(head.slice(0, cut));
      await pace();
      socket.write(head.slice(cut));
      const { response } = await readResponse(socket);
      expect(response.status).toBe(101);
      expect(response.header("Sec-WebSocket-Accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
      expect(response.header("Sec-WebSocket-Protocol")).toBe("json.webpubsub.azure.v1");
      socket.destroy();
    }
  });

  test("H-30 an offer of compression is not accepted, and a compressed frame closes 1002", async () => {
    for (const offer of [
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",
      "x-webkit-deflate-frame",
    ]) {
      const client = await connectJson(server, {
        hub: freshName("hub"),
        headers: [["Sec-WebSocket-Extensions", offer]],
      });
      expect(client.socket.response.header("Sec-WebSocket-Extensions")).toBeNull();
      const bomb = Bun.deflateSync(new Uint8Array(10 * 1_048_576)); // 10 KB that would become 10 MiB
      client.socket.sendFrame({ opcode: binary, payload: bomb, rsv: 4 });
      expect((await client.socket.closed()).code).toBe(1002);
    }
  });

  test("H-31 fragments that never end close 1009 when the message is too large", async () => {
    const sender = await connectEcho(server);
    const client = await connectEcho(server, sender.hub);
    client.socket.sendFrame({ opcode: binary, fin: false, payload: new Uint8Array(576) });
    for (let sent = 0; sent < 1024; sent++)
      client.socket.sendFrame({ opcode: continuation, fin: false, payload: new Uint8Array(1024) });
    expect((await client.socket.closed()).code).toBe(1009);
    sender.socket.send("still here");
    expect(await sender.socket.nextText()).toBe("still here");
  });
});

describe.skipIf(isForeign)("a server that tells its memory", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: adminSettings });
  });
  afterAll(async () => await server.stop());

  test("H-31 empty fragments take no memory, and nobody else notices them", async () => {
    const client = await connectEcho(server);
    const other = await connectEcho(server);
    const empty = encodeFrame({ opcode: continuation, fin: false });
    const thousands = Buffer.concat(Array.from({ length: 10_000 }, () => empty));
    client.socket.sendFrame({ opcode: text, fin: false, payload: "begin" });
    const send10000 = async (): Promise<void> => {
      client.socket.sendBytes(thousands);
      client.socket.ping();
      other.socket.send("hello");
      expect(await other.socket.nextText()).toBe("hello");
      await client.socket.pongs.take({ what: "pong" });
    };
    await send10000();
    const before = await residentMebibytes(server);
    for (let round = 0; round < 100; round++) await send10000();
    expect((await residentMebibytes(server)) - before).toBeLessThan(24); // a million fragments at 100 bytes are 95 MiB
    client.socket.sendFrame({ opcode: continuation, payload: " end" });
    expect(await client.socket.nextText()).toBe("begin end");
  });

  test("H-33 a first frame that claims 256 MB is refused at its header", async () => {
    const before = await residentMebibytes(server);
    const hub = freshName("hub");
    for (let round = 0; round < 4; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => connectJson(server, { hub })));
      for (const { socket } of clients) socket.sendFrame({ opcode: text, declaredLength: 268_435_456, payload: "{" });
      for (const { socket } of clients) expect((await socket.closed()).code).toBe(1009);
    }
    expect((await residentMebibytes(server)) - before).toBeLessThan(32); // one of the 200 would be 256
  });

  test("H-33 a frame that claims the whole limit takes memory only as it arrives", async () => {
    const hub = freshName("hub");
    const clients = await Promise.all(Array.from({ length: 200 }, () => connectJson(server, { hub })));
    const before = await residentMebibytes(server);
    for (const { socket } of clients) socket.sendFrame({ opcode: text, declaredLength: 1_048_576, payload: "{" });
    for (const client of clients) await client.nothingArrived();
    expect((await residentMebibytes(server)) - before).toBeLessThan(32); // taken at once it would be 200
    for (const { socket } of clients) socket.abort();
  });
});
