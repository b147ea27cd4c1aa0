import { expect, test } from "bun:test";
import { isProtobufAny } from "../../core/protobuf-any.ts";
import type { HttpReply } from "./http-client.ts";
import { readReplyHeaders } from "./reply-headers.ts";
import { readUserEventResponse } from "./user-event-response.ts";

function read(body: string | Uint8Array, ...headers: string[]) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const reply: HttpReply = {
    kind: "reply",
    status: 200,
    headers: readReplyHeaders(headers),
    body: bytes,
    url: "",
    durationMs: 0,
  };
  return readUserEventResponse(reply);
}

const handled = (payload: object, metadata: unknown = null) =>
  ({ kind: "handled", reply: { payload, metadata } }) as never;

test("E-56 E-57 the kind follows the media type, parameters and case ignored", () => {
  expect(read("ok", "content-TYPE", "Text/Plain; charset=utf-8")).toEqual(handled({ kind: "text", text: "ok" }));
  expect(read('{"a": 1.0}', "Content-Type", "application/json")).toEqual(
    handled({ kind: "json", source: '{"a": 1.0}' }),
  );
  const bytes = Uint8Array.of(0, 255);
  expect(read(bytes, "Content-Type", "application/octet-stream")).toEqual(handled({ kind: "binary", bytes }));
  expect(read(bytes)).toEqual(handled({ kind: "binary", bytes }));
  expect(read(Uint8Array.of(0x61, 0xff), "Content-Type", "text/plain")).toEqual(
    handled({ kind: "text", text: "a\ufffd" }),
  );
});

test("E-58 an empty body says nothing, whatever its type", () => {
  expect(read("")).toEqual({ kind: "handled", reply: null });
  expect(read("", "Content-Type", "text/html")).toEqual({ kind: "handled", reply: null });
});

test("E-59 other types and bodies that contradict their type fail", () => {
  expect(typeof read("<p>", "Content-Type", "text/html")).toBe("string");
  expect(typeof read("{", "Content-Type", "application/json")).toBe("string");
  expect(typeof read("x", "Content-Type", "application/x-protobuf")).toBe("string");
});

test("E-61 metadata: lower-case key, last header, what follows the last comma", () => {
  expect(
    read("", "X-WebPubSub-Metadata-T", "x", "x-webpubsub-metadata-t", "a, b", "X-WebPubSub-Metadata-", "ignored"),
  ).toEqual(handled({ kind: "text", text: "" }, [["t", "b"]]));
  expect(typeof read("", "X-WebPubSub-Metadata-T", "v".repeat(1025))).toBe("string");
  expect(typeof read("", "X-WebPubSub-Metadata-T", "\u00e9")).toBe("string");
});

test.each([
  ["", true],
  ["0a 01 61 12 02 ff 00", true],
  ["12 00", true],
  ["0a 01 61 18 96 01 21 00 00 00 00 00 00 00 00 2d 00 00 00 00", true],
  ["0a 01 ff", false], // type URL is not UTF-8
  ["0a 05 61", false], // cut
  ["08 01", false], // field 1 is not text
  ["15 00 00 00 00", false], // field 2 is not bytes
  ["02 00", false], // field 0
  ["1b 1c", false], // group
  ["80 80 80 80 80 80 80 80 80 80 01", false], // endless varint
  ["1a ff ff ff ff ff ff ff ff 7f", false], // length beyond everything
])("E-57 protobuf Any: %p is %p", (hex, expected) => {
  expect(isProtobufAny(Uint8Array.fromHex(hex.replaceAll(" ", "")))).toBe(expected);
});
