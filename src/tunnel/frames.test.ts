import { describe, expect, test } from "bun:test";
import { encode } from "@msgpack/msgpack";
import { decodeFrame, encodeFrame } from "./frames.ts";
import type { TunnelMessage } from "./messages.ts";

const limits = { maxJsonBytes: 65_536 };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A frame around any MessagePack value, written by the library that clients use. */
function frame(value: unknown, length?: number): Uint8Array {
  const packed = encode(value);
  const bytes = Buffer.alloc(4 + packed.length);
  bytes.writeUInt32LE(length ?? packed.length);
  bytes.set(packed, 4);
  return bytes;
}

const routing = { local: false, channel: "n1" };
const noBody = new Uint8Array(0);

const vectors: readonly (readonly [string, TunnelMessage, Buffer])[] = [
  [
    "connected",
    { type: "connected", connectionId: "tc-1", userId: "srv-1" },
    Buffer.from(
      "YQAAAJMK2Vx7IlR5cGUiOjEwLCJDb25uZWN0aW9uSWQiOiJ0Yy0xIiwiVXNlcklkIjoic3J2LTEiLCJSZWNvbm5lY3Rpb25Ub2tlbiI6bnVsbCwiVHJhY2luZ0lkIjpudWxsfcA=",
      "base64",
    ),
  ],
  [
    "request",
    {
      type: "request",
      ackId: 3,
      method: "POST",
      url: "tunnel:///hook",
      headers: ["ce-hub", "chat"],
      routing,
      body: bytesOf("hey"),
    },
    Buffer.from(
      "nwAAAJMB2ZZ7IlR5cGUiOjEsIkFja0lkIjozLCJIdHRwTWV0aG9kIjoiUE9TVCIsIlVybCI6InR1bm5lbDovLy9ob29rIiwiSGVhZGVycyI6eyJjZS1odWIiOlsiY2hhdCJdfSwiTG9jYWxSb3V0aW5nIjpmYWxzZSwiQ2hhbm5lbE5hbWUiOiJuMSIsIlRyYWNpbmdJZCI6bnVsbH3EA2hleQ==",
      "base64",
    ),
  ],
  [
    "close",
    { type: "close", text: "bye" },
    Buffer.from("MAAAAJMH2St7IlR5cGUiOjcsIk1lc3NhZ2UiOiJieWUiLCJUcmFjaW5nSWQiOm51bGx9wA==", "base64"),
  ],
  [
    "response",
    {
      type: "response",
      ackId: 1,
      status: 204,
      headers: [],
      routing: { local: true, channel: "c" },
      isPartial: false,
      body: noBody,
    },
    Buffer.from(
      "730000009302d96d7b2241636b4964223a312c224c6f63616c526f7574696e67223a747275652c22537461747573436f6465223a3230342c224368616e6e656c4e616d65223a2263222c224e6f74436f6d706c65746564223a66616c73652c2248656164657273223a7b7d2c2254797065223a327dc400",
      "hex",
    ),
  ],
];

describe("the published vectors", () => {
  test.each(vectors)("T-8 %s encodes and decodes exactly", (_name, message, bytes) => {
    expect(Buffer.from(encodeFrame(message)).toString("hex")).toBe(bytes.toString("hex"));
    expect(decodeFrame(bytes, limits)).toEqual(message);
  });
});

describe("reading", () => {
  const request = { AckId: 7, HttpMethod: "POST", Url: "https://host/api" };
  const read = (json: object, content: unknown, type = 1) =>
    decodeFrame(frame([type, JSON.stringify(json), content]), limits);

  test("T-8 nil and an empty byte string both mean no body", () => {
    for (const content of [null, undefined, new Uint8Array(0)])
      expect(read(request, content)).toMatchObject({ type: "request", body: noBody });
  });

  test("what is absent or null has a default, what is unknown is ignored", () => {
    const expected = { ackId: 7, headers: [], routing: { local: false, channel: "" } };
    expect(read(request, null)).toMatchObject(expected);
    expect(read({ ...request, Headers: null, TracingId: 5, Other: { a: [1] } }, null)).toMatchObject(expected);
  });

  test("headers may have several values, or one that is no list", () => {
    expect(read({ ...request, Headers: { a: ["1", "2"], b: "3", c: [] } }, null)).toMatchObject({
      headers: ["a", "1", "a", "2", "b", "3"],
    });
  });

  test.each([0, 31, 32, 255, 256, 65_535, 65_536, 70_000])("T-8 a body of %d bytes is read in every width", (size) => {
    const body = new Uint8Array(size).fill(7);
    const json = { AckId: 1, StatusCode: 200, Pad: "x".repeat(size > 60_000 ? 0 : size) };
    expect(read(json, body, 2)).toMatchObject({ type: "response", status: 200, body });
  });

  test.each<readonly [string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "length"],
    ["less than a length", new Uint8Array([1, 0]), "length"],
    ["a length that is too small", frame([1, JSON.stringify(request), null], 5), "length"],
    ["a length that is too big", frame([1, JSON.stringify(request), null], 5000), "length"],
    ["two frames in one message", Buffer.concat([frame([7, "{}", null]), frame([7, "{}", null])]), "length"],
    ["a map", frame({ 1: 2 }), "array"],
    ["an array of two", frame([1, "{}"]), "array"],
    ["nested arrays", frame([1, [[[[]]]], null]), "text"],
    ["type 99", frame([99, "{}", null]), "type"],
    ["type 0", frame([0, "{}", null]), "type"],
    ["a type that is text", frame(["1", "{}", null]), "type"],
    ["text where the body belongs", frame([7, "{}", "x"]), "byte string"],
    ["text that is no JSON", frame([7, "{", null]), "JSON"],
    ["JSON that is no object", frame([7, "[]", null]), "JSON"],
    ["a missing AckId", frame([1, '{"HttpMethod":"GET","Url":"x"}', null]), "property"],
    ["an AckId that is text", frame([2, '{"AckId":"1","StatusCode":200}', null]), "property"],
    ["a header that is a number", frame([2, '{"AckId":1,"StatusCode":200,"Headers":{"a":[1]}}', null]), "property"],
    ["headers that are a list", frame([2, '{"AckId":1,"StatusCode":200,"Headers":["a"]}', null]), "property"],
    ["type 10 without id", frame([10, "{}", null]), "property"],
    ["random bytes", new Uint8Array([3, 0, 0, 0, 0xc1, 0xc1, 0xc1]), "array"],
  ])("T-10 %s is a fault", (_name, bytes, detail) => {
    const read = decodeFrame(bytes, limits);
    expect(read).toMatchObject({ type: "fault", isTooLarge: false });
    expect(read.type === "fault" && read.detail).toContain(detail);
  });

  test("JSON beyond its limit is too large", () => {
    const json = { Type: 7, Message: "x".repeat(65_536) };
    expect(read(json, null, 7)).toMatchObject({ type: "fault", isTooLarge: true });
  });
});
