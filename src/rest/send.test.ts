import { describe, expect, test } from "bun:test";
import { createHarness, nowSeconds, type TestRequest } from "../../tests/support/rest-harness.ts";
import type { Publication } from "../core/publication.ts";

const json = { "content-type": "application/json" };
const text = { "content-type": "text/plain" };
const binary = { "content-type": "application/octet-stream" };
const bytes = (...values: number[]) => new Uint8Array(values);

/** Sends to one path and gives the status, the 400's message and the publication, if one was made. */
async function publish(path: string, init: TestRequest = {}, options: Parameters<typeof createHarness>[0] = {}) {
  const { send, recorded } = createHarness(options);
  const response = await send(`POST /api/hubs/chat/${path}`, init);
  const body = await response.text();
  expect(recorded.length).toBe(response.status === 202 ? 1 : 0);
  const message = body === "" ? "" : (JSON.parse(body) as { message: string }).message;
  return { status: response.status, body, message, publication: recorded[0]?.args[0] as Publication | undefined };
}

function chunked(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

describe("body", () => {
  test("R-41 json, text and binary are accepted with an empty answer and published by the server", async () => {
    const cases = [
      [json, ' {"a": 1.0} ', { kind: "json", source: ' {"a": 1.0} ' }],
      [text, "hé", { kind: "text", text: "hé" }],
      [binary, bytes(0, 255, 128), { kind: "binary", bytes: bytes(0, 255, 128) }],
    ] as const;
    for (const [headers, body, payload] of cases) {
      const sent = await publish(":send", { headers, body });
      expect([sent.status, sent.body]).toEqual([202, ""]);
      expect(sent.publication).toEqual({
        hub: "chat",
        target: { kind: "hub" },
        payload,
        metadata: null,
        from: { kind: "server" },
        stream: null,
        excluded: null,
        filter: null,
        expiresAt: null,
        trace: null,
      } as unknown as Publication);
    }
  });

  test("R-43 R-44 a json body is exactly one JSON value", async () => {
    for (const body of ["", "{", "{} {}", "[1,]", "// x\n1", "undefined", "'a'"]) {
      const sent = await publish(":send", { headers: json, body });
      expect([body, sent.status, sent.message]).toEqual([body, 400, "The request body is not a valid JSON."]);
    }
    for (const body of ['"hi"', "null", "1e3", "\t[]\n"]) {
      expect((await publish(":send", { headers: json, body })).publication?.payload).toEqual({
        kind: "json",
        source: body,
      });
    }
  });

  test("an empty text or binary body is a message", async () => {
    expect((await publish(":send", { headers: text })).publication?.payload).toEqual({ kind: "text", text: "" });
    expect((await publish(":send", { headers: binary })).publication?.payload).toEqual({
      kind: "binary",
      bytes: bytes(),
    });
  });

  test("R-45 other and malformed content types are 415 without body, an absent one is binary", async () => {
    const refused = [
      "image/png",
      "json",
      "text/plain; charset",
      "text/plain, text/plain",
      "text/plain x",
      "text/plain;charset=utf-8 x",
      "",
      "application/x-protobuf",
      "text/plain;",
    ];
    for (const type of refused) {
      const sent = await publish(":send", { headers: { "content-type": type }, body: "{}" });
      expect([type, sent.status, sent.body]).toEqual([type, 415, ""]);
    }
    expect((await publish(":send", { body: bytes(1, 2) })).publication?.payload).toEqual({
      kind: "binary",
      bytes: bytes(1, 2),
    });
    const quoted = { "content-type": ' Text/Plain ; x="a;b\\"" ; Charset="UTF\\-8" ' };
    expect((await publish(":send", { headers: quoted, body: "é" })).publication?.payload).toEqual({
      kind: "text",
      text: "é",
    });
  });

  test("R-46 a charset is transcoded, an unknown one is 415, binary ignores it", async () => {
    const latin = await publish(":send", {
      headers: { "content-type": "text/plain; charset=iso-8859-1" },
      body: bytes(0x68, 0xe9),
    });
    expect(latin.publication?.payload).toEqual({ kind: "text", text: "hé" });
    const wide = await publish(":send", {
      headers: { "content-type": "application/json; charset=utf-16le" },
      body: bytes(0x31, 0, 0x32, 0),
    });
    expect(wide.publication?.payload).toEqual({ kind: "json", source: "12" });
    expect(
      (await publish(":send", { headers: { "content-type": "text/plain; charset=klingon" }, body: "x" })).status,
    ).toBe(415);
    expect(
      (await publish(":send", { headers: { "content-type": "application/octet-stream; charset=klingon" }, body: "x" }))
        .status,
    ).toBe(202);
    const broken = await publish(":send", { headers: text, body: bytes(0x61, 0xff) });
    expect(broken.publication?.payload).toEqual({ kind: "text", text: "a\uFFFD" });
  });

  test("R-47 the limit is 1,048,576 bytes by Content-Length, which must be known", async () => {
    expect((await publish(":send", { headers: binary, body: new Uint8Array(1_048_576) })).status).toBe(202);
    const refused: TestRequest[] = [
      { headers: binary, body: new Uint8Array(1_048_577) },
      { headers: { ...binary, "content-length": "-1" }, body: "x" },
      { headers: { ...binary, "content-length": "" }, body: "x" },
      { headers: { ...binary, "content-length": "1, 1" }, body: "x" },
    ];
    for (const init of refused) {
      const sent = await publish(":send", init);
      expect([sent.status, sent.message]).toEqual([400, "Invalid Content-Length header."]);
    }
  });

  test("R-48 a chunked body is accepted within the limit and refused beyond it", async () => {
    const half = new Uint8Array(524_288).fill(0x20);
    const within = await publish(":send", { headers: binary, body: chunked(half, half) });
    expect(within.publication?.payload).toEqual({ kind: "binary", bytes: new Uint8Array(1_048_576).fill(0x20) });
    expect((await publish(":send", { headers: binary, body: chunked(half, half, bytes(1)) })).message).toBe(
      "Invalid Content-Length header.",
    );
    const split = await publish(":send", { headers: text, body: chunked(bytes(0xc3), bytes(0xa9)) });
    expect(split.publication?.payload).toEqual({ kind: "text", text: "é" });
    expect((await publish(":send", { headers: json, body: chunked(half, half, half) })).message).toBe(
      "Invalid Content-Length header.",
    );
  });

  test("a body that breaks off is a 400 and no bug", async () => {
    const { send, logs } = createHarness();
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    expect((await send("POST /api/hubs/chat/:send", { headers: binary, body })).status).toBe(400);
    expect(logs).toEqual([]);
  });
});

describe("recipients", () => {
  const target = async (path: string, options = {}) => (await publish(path, {}, options)).publication?.target;

  test("R-10 a group name has 1 to 1024 characters and is not blank", async () => {
    expect(await target(`groups/${"g".repeat(1024)}/:send`)).toEqual({
      kind: "group",
      group: "g".repeat(1024),
    } as never);
    for (const group of ["g".repeat(1025), "%20", "%09", "%zz", "%FF"]) {
      expect((await publish(`groups/${group}/:send`)).message).toBe("Invalid group name.");
    }
    expect((await publish("users/%20/:send")).message).toBe("Invalid user ID.");
    expect((await publish("connections/%20/:send")).message).toBe("Invalid connection ID.");
  });

  test("R-11 R-12 names are decoded once, a plus stays, an escaped slash is a slash unless switched", async () => {
    const cases = { "a%252Fb": "a%2Fb", "x+y": "x+y", "x%20y": "x y", "tenant%2Falice": "tenant/alice", "%C3%A9": "é" };
    for (const [raw, user] of Object.entries(cases))
      expect(await target(`users/${raw}/:send`)).toEqual({ kind: "user", user } as never);
    const options = { rest: { compat: { keepEncodedSlash: true, permissionWithoutTargetMeansAll: false } } };
    for (const [raw, user] of Object.entries({ "a%2Fb%20c": "a%2Fb c", "a%2fb": "a%2fb", "a%252Fb": "a%2Fb" })) {
      expect(await target(`users/${raw}/:send`, options)).toEqual({ kind: "user", user } as never);
    }
    expect(await target("connections/c%2F1/:send")).toEqual({ kind: "connection", id: "c/1" } as never);
  });

  test("R-50 excluded is repeated, never split and never trimmed; users and connections have none", async () => {
    const excluded = async (path: string) => (await publish(path)).publication?.excluded;
    expect(await excluded(":send?excluded=a&excluded=b+c")).toEqual(new Set(["a", "b c"]) as never);
    expect(await excluded("groups/g/:send?excluded=id1,id2&excluded=%20id1%20")).toEqual(
      new Set(["id1,id2", " id1 "]) as never,
    );
    expect(await excluded("users/u/:send?excluded=a")).toBeNull();
    expect(await excluded("connections/c/:send?excluded=a")).toBeNull();
  });

  test("R-51 R-52 a filter restricts all, group and user; an empty one does not", async () => {
    for (const path of [":send", "groups/g/:send", "users/u/:send"]) {
      const { publication } = await publish(`${path}?filter=userId%20eq+%27a%27&excluded=x`);
      expect(publication?.filter?.text).toBe("userId eq 'a'");
      expect((await publish(`${path}?filter=`)).publication?.filter).toBeNull();
    }
    expect((await publish("connections/c/:send?filter=)")).publication?.filter).toBeNull();
  });

  test("R-97 an invalid filter is refused with the documented text before the body is read", async () => {
    const { status, message } = await publish(":send?filter=invalid%20filter", {
      headers: { "content-type": "image/png" },
    });
    expect(status).toBe(400);
    expect(message).toBe(
      "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')",
    );
  });

  test("R-54 a lifetime is 0 to 300 whole seconds given once", async () => {
    const expiresAt = async (ttl: string) =>
      (await publish(`groups/g/:send?messageTtlSeconds=${ttl}`)).publication?.expiresAt;
    expect(await expiresAt("0")).toBeNull();
    expect(await expiresAt("1")).toBe((nowSeconds + 1) * 1000);
    expect(await expiresAt("300")).toBe((nowSeconds + 300) * 1000);
    for (const ttl of ["-1", "301", "abc", "1.5", "", "+1", "1&messageTtlSeconds=1"]) {
      expect((await publish(`:send?messageTtlSeconds=${ttl}`)).message).toBe("Invalid messageTtlSeconds.");
    }
  });
});

describe("metadata", () => {
  const metadata = async (headers: Record<string, string> | Headers) => {
    const { publication, message } = await publish(":send", { headers });
    return publication === undefined ? message : publication.metadata;
  };

  test("R-56 the last value wins and keys are lower case", async () => {
    expect(await metadata({ "X-WebPubSub-Metadata-Trace": "a, b" })).toEqual([["trace", "b"]]);
    const repeated = new Headers([
      ["x-webpubsub-metadata-trace", "a"],
      ["X-WEBPUBSUB-METADATA-TRACE", "b,c "],
      ["x-webpubsub-metadata-a.b", ""],
    ]);
    expect(await metadata(repeated)).toEqual([
      ["a.b", ""],
      ["trace", "c"],
    ]);
    expect(await metadata({ "x-webpubsub-metadatum": "x" })).toBeNull();
  });

  test("R-57 lengths and characters are limited", async () => {
    const key = "x-webpubsub-metadata-";
    expect(await metadata({ [`${key}k`]: "v".repeat(1024) })).toEqual([["k", "v".repeat(1024)]]);
    expect(await metadata({ [`${key}k`]: "v".repeat(1025) })).toBe("Metadata value for key 'k' exceeds 1024 bytes.");
    expect(await metadata({ [`${key}k`]: "é" })).toBe("Metadata value for key 'k' must be ASCII.");
    expect(await metadata({ [`${key}${"k".repeat(257)}`]: "v" })).toBe(
      `Metadata key '${"k".repeat(257)}' exceeds 256 bytes.`,
    );
    expect(await metadata({ [key]: "v" })).toBe("Metadata key '' contains invalid characters.");
    const nine = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`${key}${index}`, "v".repeat(1000)]));
    expect(await metadata(nine)).toBe("Metadata exceeds 8192 bytes.");
  });
});
