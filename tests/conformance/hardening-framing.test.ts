import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple } from "../support/clients.ts";
import { connectEcho } from "../support/echo.ts";
import { closePayload, encodeFrame, type OutgoingFrame, opcodes } from "../support/frames.ts";
import { anyServer, type Target } from "../support/server.ts";
import type { WebSocketClient } from "../support/web-socket.ts";

const { continuation, text, binary, close, ping, pong } = opcodes;

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** What the service must do with some frames: echo messages, answer pings, and then close, or not. */
interface Expected {
  readonly echoes?: readonly (string | Uint8Array)[];
  readonly pongs?: readonly string[];
  /** Close code; absent: the connection stays usable. */
  readonly close?: number;
}

type Case = readonly [what: string, frames: readonly OutgoingFrame[], expected: Expected];

/** How the bytes of a case are written: at once, or in pieces of this many bytes. */
async function play(frames: readonly OutgoingFrame[], expected: Expected, pieceBytes = Infinity): Promise<void> {
  const client = await connectEcho(server);
  const { socket } = client;
  const bytes = Buffer.concat(frames.map(encodeFrame));
  for (let at = 0; at < bytes.length; at += pieceBytes) socket.sendBytes(bytes.subarray(at, at + pieceBytes));
  for (const echo of expected.echoes ?? []) await expectEcho(socket, echo);
  for (const payload of expected.pongs ?? [])
    expect((await socket.pongs.take({ what: "pong" })).toString("latin1")).toBe(payload);
  if (expected.close === undefined) {
    await client.nothingArrived();
    socket.close(1000);
  }
  expect((await socket.closed()).code).toBe(expected.close ?? 1000);
  await socket.ended;
  expect(socket.pongs.untaken).toEqual([]);
}

async function expectEcho(socket: WebSocketClient, echo: string | Uint8Array): Promise<void> {
  if (typeof echo === "string") expect(await socket.nextText()).toBe(echo);
  else expect(await socket.nextBinary()).toEqual(Buffer.from(echo));
}

const message = (payload: string): OutgoingFrame => ({ opcode: text, payload });
const first = (payload: string | Uint8Array): OutgoingFrame => ({ opcode: text, payload, fin: false });
const more = (payload: string | Uint8Array): OutgoingFrame => ({ opcode: continuation, payload, fin: false });
const last = (payload: string | Uint8Array): OutgoingFrame => ({ opcode: continuation, payload });
const bytesOf = (length: number): Uint8Array => new Uint8Array(length).map((_, at) => (at * 31) & 0xff);

describe("messages", () => {
  const lengths = [0, 1, 125, 126, 127, 128, 65_535, 65_536];

  test.each(lengths)("H-10 text and binary of %i bytes come back", async (length) => {
    const payload = "*".repeat(length);
    await play([message(payload)], { echoes: [payload] });
    await play([{ opcode: binary, payload: bytesOf(length) }], { echoes: [bytesOf(length)] });
  });

  test.each([1, 997])("H-10 in pieces of %i bytes as well", async (pieceBytes) => {
    const payload = "*".repeat(pieceBytes === 1 ? 500 : 65_536);
    await play([message(payload)], { echoes: [payload] }, pieceBytes);
  });

  test.each([65_536, 262_144, 1_048_576])("H-10 %i bytes come back whole and in fragments", async (length) => {
    const payload = bytesOf(length);
    await play([{ opcode: binary, payload }], { echoes: [payload] });
    for (const size of [1300, length / 4]) {
      const frames: OutgoingFrame[] = [];
      for (let at = 0; at < length; at += size)
        frames.push({
          opcode: at === 0 ? binary : continuation,
          fin: at + size >= length,
          payload: payload.subarray(at, at + size),
        });
      await play(frames, { echoes: [payload] });
    }
  });

  test("H-10 a length that claims more than the limit closes 1009 before the message is there", async () => {
    for (const declaredLength of [1_048_577, 268_435_456n, 0x7fff_ffff_ffff_ffffn])
      await play([{ opcode: binary, payload: "x", declaredLength }], { close: 1009 });
  });

  test("H-10 a message without mask closes 1002", async () => {
    await play([{ opcode: text, payload: "x", masked: false }], { close: 1002 });
    await play([{ opcode: ping, masked: false }], { close: 1002 });
  });
});

describe("pings and pongs", () => {
  const cases: readonly Case[] = [
    ["an empty ping", [{ opcode: ping }], { pongs: [""] }],
    ["a ping with text", [{ opcode: ping, payload: "hello" }], { pongs: ["hello"] }],
    ["a ping of 125 bytes", [{ opcode: ping, payload: "x".repeat(125) }], { pongs: ["x".repeat(125)] }],
    [
      "a ping with bytes that are no text",
      [{ opcode: ping, payload: Uint8Array.of(0, 255, 254) }],
      { pongs: ["\x00\xff\xfe"] },
    ],
    ["a ping of 126 bytes", [{ opcode: ping, payload: "x".repeat(126) }], { close: 1002 }],
    ["a pong of 126 bytes", [{ opcode: pong, payload: "x".repeat(126) }], { close: 1002 }],
    ["an unsolicited pong", [{ opcode: pong }], {}],
    ["an unsolicited pong with payload", [{ opcode: pong, payload: "unasked" }], {}],
    [
      "a pong and a ping",
      [
        { opcode: pong, payload: "unasked" },
        { opcode: ping, payload: "hi" },
      ],
      { pongs: ["hi"] },
    ],
    [
      "ten pings",
      Array.from({ length: 10 }, (_, at) => ({ opcode: ping, payload: `${at}` })),
      { pongs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] },
    ],
  ];

  test.each(cases)("H-10 %s", async (_what, frames, expected) => {
    await play(frames, expected);
    await play(frames, expected, 1);
  });
});

describe("reserved bits and opcodes", () => {
  test.each([1, 2, 3, 4, 5, 6, 7])("H-10 reserved bits %i close 1002 in every kind of frame", async (rsv) => {
    for (const opcode of [text, binary, ping, pong, close])
      await play([{ opcode, payload: opcode === close ? closePayload(1000) : "x", rsv }], { close: 1002 });
  });

  test.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])("H-10 opcode %i closes 1002", async (opcode) => {
    for (const payload of ["", "reserved"]) {
      await play([{ opcode, payload }], { close: 1002 });
      await play([first("a"), { opcode, payload }, last("b")], { close: 1002 });
    }
  });

  test("H-10 what came before a broken frame is published, what comes behind it is not", async () => {
    const broken: readonly OutgoingFrame[] = [
      { opcode: text, payload: "x", rsv: 1 },
      { opcode: 3, payload: "x" },
      { opcode: ping, payload: "x", fin: false },
    ];
    for (const frame of broken) {
      const sender = await connectEcho(server);
      const member = await connectSimple(server, { hub: sender.hub, groups: ["echo"] });
      sender.socket.sendBytes(Buffer.concat([message("before"), frame, message("behind")].map(encodeFrame)));
      expect(await member.socket.nextText()).toBe("before");
      for (;;) {
        const event = await sender.socket.next();
        if (event.kind !== "closed") continue;
        expect(event.code).toBe(1002);
        break;
      }
      await member.nothingArrived();
    }
  });
});

describe("fragments", () => {
  const cases: readonly Case[] = [
    ["two fragments", [first("one "), last("two")], { echoes: ["one two"] }],
    ["empty fragments", [first(""), more(""), more(""), last("")], { echoes: [""] }],
    ["content between empty fragments", [first(""), more("middle"), last("")], { echoes: ["middle"] }],
    [
      "a ping between fragments",
      [first("a"), { opcode: ping, payload: "p" }, last("b")],
      { echoes: ["ab"], pongs: ["p"] },
    ],
    [
      "pings and pongs between five fragments",
      [
        first("a"),
        { opcode: ping, payload: "1" },
        more("b"),
        { opcode: pong, payload: "unasked" },
        more("c"),
        { opcode: ping, payload: "2" },
        more("d"),
        { opcode: ping, payload: "3" },
        last("e"),
      ],
      { echoes: ["abcde"], pongs: ["1", "2", "3"] },
    ],
    [
      "messages behind one another",
      [first("a"), last("b"), message("c"), first("d"), last("e")],
      { echoes: ["ab", "c", "de"] },
    ],
    ["a fragmented ping", [{ opcode: ping, payload: "a", fin: false }, last("b")], { close: 1002 }],
    ["a fragmented pong", [{ opcode: pong, payload: "a", fin: false }, last("b")], { close: 1002 }],
    ["a fragmented close", [{ opcode: close, fin: false }, last("")], { close: 1002 }],
    ["a last fragment without first", [last("x")], { close: 1002 }],
    ["a middle fragment without first", [more("x"), last("y")], { close: 1002 }],
    ["a last fragment behind a whole message", [message("x"), last("y")], { close: 1002 }],
    ["a message inside of fragments", [first("a"), message("b")], { close: 1002 }],
    ["a first fragment inside of fragments", [first("a"), first("b"), last("c")], { close: 1002 }],
    ["binary inside of text fragments", [first("a"), { opcode: binary, payload: "b" }], { close: 1002 }],
  ];

  test.each(cases.filter(([, , expected]) => expected.close === undefined))(
    "H-10 %s",
    async (_what, frames, expected) => {
      await play(frames, expected);
      await play(frames, expected, 1);
    },
  );

  test.each(cases.filter(([, , expected]) => expected.close !== undefined))("H-10 %s", async (_what, frames) => {
    const client = await connectEcho(server);
    client.socket.sendBytes(Buffer.concat(frames.map(encodeFrame)));
    for (;;) {
      const event = await client.socket.next();
      if (event.kind === "closed") {
        expect(event.code).toBe(1002);
        return;
      }
      expect(event).toMatchObject({ kind: "text", text: "x" }); // the whole message that came before
    }
  });
});

describe("UTF-8", () => {
  const valid: readonly (readonly [what: string, bytes: readonly number[]])[] = [
    ["ASCII with NUL and DEL", [0x00, 0x41, 0x7f]],
    ["first and last of two bytes", [0xc2, 0x80, 0xdf, 0xbf]],
    ["first and last of three bytes", [0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf]],
    ["around the surrogates", [0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80]],
    ["first and last of four bytes", [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf]],
    ["non-characters", [0xef, 0xb7, 0x90, 0xef, 0xbf, 0xbe, 0xf0, 0x9f, 0xbf, 0xbe, 0xf3, 0xaf, 0xbf, 0xbf]],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61]],
    ["Greek", [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5]],
  ];
  const invalid: readonly (readonly [what: string, bytes: readonly number[]])[] = [
    ["a continuation byte alone", [0x80]],
    ["the last continuation byte alone", [0xbf]],
    ["a row of continuation bytes", [0x80, 0xbf, 0x80, 0xbf]],
    ["a lead byte of two before ASCII", [0xc3, 0x20]],
    ["a lead byte of three before ASCII", [0xe2, 0x20]],
    ["a lead byte of four before ASCII", [0xf1, 0x20]],
    ["two bytes cut short", [0x61, 0xc3]],
    ["three bytes cut short", [0x61, 0xe2, 0x82]],
    ["four bytes cut short", [0x61, 0xf0, 0x9f, 0x98]],
    ["FE", [0xfe]],
    ["FF", [0xff]],
    ["FE FE FF FF", [0xfe, 0xfe, 0xff, 0xff]],
    ["/ in two bytes", [0xc0, 0xaf]],
    ["/ in three bytes", [0xe0, 0x80, 0xaf]],
    ["/ in four bytes", [0xf0, 0x80, 0x80, 0xaf]],
    ["the longest overlong of two", [0xc1, 0xbf]],
    ["the longest overlong of three", [0xe0, 0x9f, 0xbf]],
    ["the longest overlong of four", [0xf0, 0x8f, 0xbf, 0xbf]],
    ["NUL in two bytes", [0xc0, 0x80]],
    ["the first surrogate", [0xed, 0xa0, 0x80]],
    ["the last surrogate", [0xed, 0xbf, 0xbf]],
    ["a pair of surrogates", [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
    ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
    ["five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ["six bytes", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ];

  /** One byte in each frame. */
  function bytewise(bytes: readonly number[]): readonly OutgoingFrame[] {
    return bytes.map((byte, at) => ({
      opcode: at === 0 ? text : continuation,
      payload: Uint8Array.of(byte),
      fin: at === bytes.length - 1,
    }));
  }
  test.each(valid)("H-10 %s arrives unchanged, also one byte a fragment", async (_what, bytes) => {
    const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    for (const frames of [[{ opcode: text, payload: Uint8Array.from(bytes) }], bytewise(bytes)]) {
      const sender = await connectEcho(server);
      const member = await connectJson(server, { hub: sender.hub, groups: ["echo"] });
      sender.socket.sendBytes(Buffer.concat(frames.map(encodeFrame)));
      expect(await member.next()).toMatchObject({ dataType: "text", data: whole });
      await expectEcho(sender.socket, whole.replace("\ufeff", "")); // our client drops a byte order mark
    }
  });

  test.each(invalid)("H-10 %s closes 1007, also one byte a fragment", async (_what, bytes) => {
    const frames = bytewise(bytes);
    await play([{ opcode: text, payload: Uint8Array.from(bytes) }], { close: 1007 });
    await play([{ opcode: text, payload: Uint8Array.from([0x6f, 0x6b, ...bytes, 0x6f, 0x6b]) }], { close: 1007 });
    await play(frames, { close: 1007 });
    await play(frames, { close: 1007 }, 1);
  });

  test("H-10 a character may be cut by a ping, and binary needs no UTF-8", async () => {
    await play(
      [
        first(Uint8Array.of(0xe2)),
        { opcode: ping, payload: "p" },
        more(Uint8Array.of(0x82)),
        last(Uint8Array.of(0xac)),
      ],
      { echoes: ["€"], pongs: ["p"] },
    );
    await play([{ opcode: binary, payload: Uint8Array.of(0xff, 0xc0) }], { echoes: [Uint8Array.of(0xff, 0xc0)] });
  });
});

describe("closing", () => {
  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    "H-10 close code %i is answered with itself",
    async (code) => {
      await play([{ opcode: close, payload: closePayload(code) }], { close: code });
      await play([{ opcode: close, payload: closePayload(code, "because") }], { close: code });
    },
  );

  test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
    "H-10 close code %i is answered 1002",
    async (code) => {
      await play([{ opcode: close, payload: closePayload(code) }], { close: 1002 });
      await play([{ opcode: close, payload: closePayload(code, "because") }], { close: 1002 });
    },
  );

  const cases: readonly Case[] = [
    ["a close of one byte", [{ opcode: close, payload: Uint8Array.of(3) }], { close: 1002 }],
    ["the longest reason", [{ opcode: close, payload: closePayload(1000, "x".repeat(123)) }], { close: 1000 }],
    ["a reason too long", [{ opcode: close, payload: closePayload(1000, "x".repeat(124)) }], { close: 1002 }],
    [
      "a reason that is not UTF-8",
      [{ opcode: close, payload: Uint8Array.of(0x03, 0xe8, 0xce, 0xff) }],
      { close: 1007 },
    ],
    ["two closes", [closing(1000), closing(1001)], { close: 1000 }],
    ["a ping behind the close", [closing(1000), { opcode: ping, payload: "late" }], { close: 1000 }],
    ["a message behind the close", [closing(1000), message("late")], { close: 1000 }],
    ["a broken frame behind the close", [closing(1000), { opcode: 3 }], { close: 1000 }],
    ["a close inside of fragments", [first("a"), closing(1000), last("b")], { close: 1000 }],
  ];

  function closing(code: number): OutgoingFrame {
    return { opcode: close, payload: closePayload(code) };
  }

  test.each(cases)("H-10 %s", async (_what, frames, expected) => {
    await play(frames, expected);
    await play(frames, expected, 1);
  });

  test("H-10 a close without code is answered without one, or with 1000", async () => {
    const client = await connectEcho(server);
    client.socket.close();
    expect([1000, 1005]).toContain((await client.socket.closed()).code);
    await client.socket.ended;
  });

  test("H-10 messages before the close are published, those behind it are not", async () => {
    const sender = await connectEcho(server);
    const member = await connectSimple(server, { hub: sender.hub, groups: ["echo"] });
    const frames = [message("before"), first("also "), last("before"), closing(1000), message("behind")];
    sender.socket.sendBytes(Buffer.concat(frames.map(encodeFrame)));
    expect(await member.socket.nextText()).toBe("before");
    expect(await member.socket.nextText()).toBe("also before");
    await sender.socket.ended;
    await member.nothingArrived();
  });
});
