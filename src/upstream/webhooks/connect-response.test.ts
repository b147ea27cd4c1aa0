import { expect, test } from "bun:test";
import { readConnectResponse, refuseConnect } from "./connect-response.ts";
import type { HttpReply } from "./http-client.ts";
import { readReplyHeaders } from "./reply-headers.ts";

const read = (text: string) => readConnectResponse(new TextEncoder().encode(text));
const kept = {
  kind: "accepted" as const,
  userId: undefined,
  roles: undefined,
  groups: undefined,
  subprotocol: undefined,
};

test.each(["", "null", "{}", '{"userId":null,"roles":null,"groups":null,"subprotocol":null,"other":1}', "\ufeff{}"])(
  "E-36 the body %p keeps everything",
  (text) => {
    expect(read(text)).toEqual(kept);
  },
);

test("E-37 E-38 values replace, an empty user clears, empty groups keep", () => {
  expect(read('{"userId":"x","roles":[],"groups":["g"]}')).toEqual({
    ...kept,
    userId: "x",
    roles: [],
    groups: ["g" as never],
  });
  expect(read('{"userId":"","groups":[]}')).toEqual({ ...kept, userId: "" });
});

test("E-39 property names compare ignoring case", () => {
  const text = '{"subProtocol":"json.webpubsub.azure.v1","UserID":"u"}';
  expect(read(text)).toEqual({ ...kept, userId: "u", subprotocol: "json.webpubsub.azure.v1" });
});

test.each([
  "not-json",
  "[]",
  '"x"',
  "1",
  '{"groups":[null]}',
  '{"groups":[" "]}',
  '{"groups":"g"}',
  '{"roles":[null]}',
  '{"roles":{}}',
  '{"userId":1}',
  '{"userId":"a\\nb"}',
  '{"subprotocol":[]}',
])("E-43 the body %p cannot be used", (text) => {
  expect(read(text)).toBeNull();
});

test("E-43 a body that is not UTF-8 cannot be used", () => {
  expect(readConnectResponse(Uint8Array.of(0x22, 0xff, 0x22))).toBeNull();
});

function reply(status: number, contentType: string, body: string): HttpReply {
  const headers = readReplyHeaders(["Content-Type", contentType]);
  return { kind: "reply", status, headers, body: new TextEncoder().encode(body), url: "", durationMs: 0 };
}

test("E-42 the status is passed on, the body only where configured", () => {
  expect(refuseConnect(reply(401, "text/plain", "no"), false)).toEqual({ kind: "refused", status: 401, body: "" });
  expect(refuseConnect(reply(429, "application/json; charset=utf-8", "{}"), true)).toEqual({
    kind: "refused",
    status: 429,
    body: "{}",
  });
  expect(refuseConnect(reply(403, "image/png", "x"), true)).toEqual({ kind: "refused", status: 403, body: "" });
  expect(refuseConnect(reply(403, "text/html", "x".repeat(8193)), true)).toEqual({
    kind: "refused",
    status: 403,
    body: "",
  });
  expect(refuseConnect(reply(302, "text/plain", "x"), false)).toEqual({ kind: "refused", status: 500, body: "" });
});
