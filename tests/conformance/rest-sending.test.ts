import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { exchange, signedHead } from "../support/exchange.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectBadRequest, expectEmpty } from "../support/rest-answers.ts";
import { anyServer, type Target } from "../support/server.ts";

const mebibyte = 1_048_576;
const json = "application/json";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** A hub of its own, a JSON client in it, and its API. */
async function oneClient() {
  const hub = freshName("hub");
  return { hub, api: hubApi(server, hub), client: await connectJson(server, { hub }) };
}

/** Exactly these clients got the message; `text` is what it says. */
async function expectOnly(receivers: readonly JsonClient[], text: string, others: readonly JsonClient[]) {
  for (const client of receivers) expect(await client.next()).toMatchObject({ type: "message", data: text });
  for (const client of [...receivers, ...others]) await client.nothingArrived();
}

describe("bodies", () => {
  test("R-41 json, text and binary arrive as what they are, from the server", async () => {
    const { api, client } = await oneClient();
    const from = { type: "message", from: "server" };
    expectEmpty(await api("POST", "/:send", { json: { a: [1, null] } }), 202);
    expect(await client.next()).toEqual({ ...from, dataType: "json", data: { a: [1, null] } });
    expectEmpty(await api("POST", "/:send", { body: "é\n" }), 202);
    expect(await client.next()).toEqual({ ...from, dataType: "text", data: "é\n" });
    expectEmpty(await api("POST", "/:send", { body: new Uint8Array([0, 255, 10]) }), 202);
    expect(await client.next()).toEqual({ ...from, dataType: "binary", data: "AP8K" });
    expectEmpty(await api("POST", "/:send", { body: "" }), 202);
    expect(await client.next()).toEqual({ ...from, dataType: "text", data: "" });
    expectEmpty(await api("POST", "/:send", { body: new Uint8Array() }), 202);
    expect(await client.next()).toEqual({ ...from, dataType: "binary", data: "" });
  });

  test("R-41 media types are compared ignoring case and may have parameters", async () => {
    const { api, client } = await oneClient();
    for (const [type, dataType] of [
      ["Text/PLAIN", "text"],
      ["application/json; charset=utf-8", "json"],
      ['application/json;charset="UTF-8"', "json"],
      ["application/octet-stream; charset=nonsense", "binary"],
    ] as const) {
      expectEmpty(await api("POST", "/:send", { body: "1", headers: { "Content-Type": type } }), 202);
      expect(await client.next()).toMatchObject({ dataType });
    }
  });

  test("R-42 a raw client gets the same bytes, in a text frame unless they are binary", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const { socket } = await connectSimple(server, { hub });
    const spelled = '{ "a" : 1.0e2,\n"é":"\\u00e9" }';
    expectEmpty(await api("POST", "/:send", { body: spelled, headers: { "Content-Type": json } }), 202);
    expect(await socket.nextText()).toBe(spelled);
    expectEmpty(await api("POST", "/:send", { body: "text é" }), 202);
    expect(await socket.nextText()).toBe("text é");
    const bytes = Buffer.from([0, 1, 254, 255]);
    expectEmpty(await api("POST", "/:send", { body: bytes }), 202);
    expect(await socket.nextBinary()).toEqual(bytes);
  });

  test.each(["", " ", "{", '{"a":1,}', "{} {}", "// c\n1", "'a'", "nul", "[01]", "\u{feff}x"])(
    "R-43 the body %p as application/json answers 400 and delivers nothing",
    async (body) => {
      const { api, client } = await oneClient();
      const answer = await api("POST", "/:send", { body, headers: { "Content-Type": json } });
      expectBadRequest(answer, "The request body is not a valid JSON.");
      await client.nothingArrived();
    },
  );

  test("R-44 a JSON string stays a JSON string", async () => {
    const { hub, api, client } = await oneClient();
    const { socket } = await connectSimple(server, { hub });
    expectEmpty(await api("POST", "/:send", { json: "hi" }), 202);
    expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "json", data: "hi" });
    expect(await socket.nextText()).toBe('"hi"');
    expectEmpty(await api("POST", "/:send", { json: null }), 202);
    expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "json", data: null });
  });

  test.each([
    "image/png",
    "text/html",
    "application/x-protobuf",
    "text",
    "text/plain; charset",
    "text/plain, text/plain",
    "/",
  ])("R-45 Content-Type %p answers 415 without a body and delivers nothing", async (type) => {
    const { api, client } = await oneClient();
    const answer = await api("POST", "/:send", { body: "x", headers: { "Content-Type": type } });
    expectEmpty(answer, 415);
    expect(answer.header("x-ms-error-code")).toBeNull();
    await client.nothingArrived();
  });

  test("R-45 without a Content-Type the body is binary", async () => {
    const { hub, client } = await oneClient();
    const head = signedHead(server, "POST", `/api/hubs/${hub}/:send`);
    expect(await exchange(server, `${head}Content-Length: 3\r\n\r\nabc`)).toStartWith("HTTP/1.1 202 ");
    expect(await client.next()).toMatchObject({ dataType: "binary", data: "YWJj" });
  });

  test("R-46 text of another charset becomes UTF-8, an unknown charset answers 415", async () => {
    const { api, client } = await oneClient();
    const send = (type: string, bytes: readonly number[]) =>
      api("POST", "/:send", { body: Uint8Array.from(bytes), headers: { "Content-Type": type } });
    expectEmpty(await send("text/plain; charset=iso-8859-1", [0x63, 0xe9]), 202);
    expect(await client.next()).toMatchObject({ dataType: "text", data: "cé" });
    expectEmpty(await send("application/json; charset=utf-16le", [0x31, 0]), 202);
    expect(await client.next()).toMatchObject({ dataType: "json", data: 1 });
    expectEmpty(await send("text/plain; charset=no-such-charset", [0x63]), 415);
    expectEmpty(await send("text/plain", [0x63, 0xff]), 202);
    expect(await client.next()).toMatchObject({ dataType: "text", data: "c\u{fffd}" });
  });

  test("R-47 a mebibyte is accepted and one byte more is not", async () => {
    const { hub, api, client } = await oneClient();
    const { socket } = await connectSimple(server, { hub });
    const biggest = Buffer.alloc(mebibyte, "b");
    expectEmpty(await api("POST", "/:send", { body: biggest }), 202);
    expect((await socket.nextBinary()).equals(biggest)).toBe(true);
    expect(await client.next()).toMatchObject({ data: biggest.toString("base64") });
    const answer = await api("POST", "/:send", { body: Buffer.alloc(mebibyte + 1, "b") });
    expectBadRequest(answer, "Invalid Content-Length header.");
    await client.nothingArrived();
  });

  test("R-47 a length that is missing or no number answers 400", async () => {
    const { hub, client } = await oneClient();
    const head = signedHead(server, "POST", `/api/hubs/${hub}/:send`);
    for (const line of [
      "",
      "Content-Length: -1\r\n",
      "Content-Length: x\r\n",
      "Content-Length: 1\r\nContent-Length: 2\r\n",
    ]) {
      expect(await exchange(server, `${head}Content-Type: text/plain\r\n${line}\r\n`)).toStartWith("HTTP/1.1 400 ");
    }
    await client.nothingArrived();
  });

  test("R-48 a chunked body is accepted up to the same limit", async () => {
    const { hub, api, client } = await oneClient();
    const head = `${signedHead(server, "POST", `/api/hubs/${hub}/:send`)}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    expect(await exchange(server, `${head}${chunk("chun")}${chunk("ked")}0\r\n\r\n`)).toStartWith("HTTP/1.1 202 ");
    expect(await client.next()).toMatchObject({ dataType: "text", data: "chunked" });
    const half = chunk("c".repeat(mebibyte / 2));
    expect(await exchange(server, `${head}${half}${half}0\r\n\r\n`)).toStartWith("HTTP/1.1 202 ");
    expect(await client.next()).toMatchObject({ data: "c".repeat(mebibyte) });
    const refused = await exchange(server, `${head}${half}${half}${chunk("c")}0\r\n\r\n`);
    expect(refused).toStartWith("HTTP/1.1 400 ");
    expect(refused).toContain("Invalid Content-Length header.");
    expectEmpty(await api("POST", "/:send", { body: "after it" }), 202);
    expect(await client.next()).toMatchObject({ data: "after it" });
  });
});

describe("targets", () => {
  test("R-49 unknown connections, users, groups and hubs are sent to with 202", async () => {
    const { api, client } = await oneClient();
    for (const path of ["/connections/xxxx/:send", "/users/brian/:send", "/groups/none/:send"]) {
      expectEmpty(await api("POST", path, { body: "x" }), 202);
    }
    expectEmpty(await hubApi(server, freshName("unused"))("POST", "/:send", { body: "x" }), 202);
    await client.nothingArrived();
  });

  test("R-50 excluded names whole connection ids, one each", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const [a, b, c] = [
      await connectJson(server, { hub, groups: ["g"] }),
      await connectJson(server, { hub, groups: ["g"] }),
      await connectJson(server, { hub, groups: ["g"] }),
    ];
    for (const path of ["/:send", "/groups/g/:send"]) {
      const both = `${path}?excluded=${a.connectionId}&EXCLUDED=${b.connectionId}`;
      expectEmpty(await api("POST", both, { body: "without two" }), 202);
      await expectOnly([c], "without two", [a, b]);
      for (const excluded of [`${a.connectionId},${b.connectionId}`, `%20${a.connectionId}%20`, "", "unknown"]) {
        expectEmpty(await api("POST", `${path}?excluded=${excluded}`, { body: "to all" }), 202);
        await expectOnly([a, b, c], "to all", []);
      }
    }
  });

  test("R-51 a filter restricts all, group and user, together with excluded", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const [a, b, c] = [
      await connectJson(server, { hub, userId: "u", groups: ["g", "vip"] }),
      await connectJson(server, { hub, userId: "u", groups: ["g"] }),
      await connectJson(server, { hub, userId: "v", groups: ["g", "vip"] }),
    ];
    const filter = `filter=${encodeURIComponent("'vip' in groups")}`;
    for (const [path, receivers, others] of [
      [`/:send?${filter}`, [a, c], [b]],
      [`/groups/g/:send?${filter}`, [a, c], [b]],
      [`/users/u/:send?${filter}`, [a], [b, c]],
      [`/:send?${filter}&excluded=${a.connectionId}`, [c], [a, b]],
      [`/groups/g/:send?excluded=${c.connectionId}&${filter}`, [a], [b, c]],
      [`/groups/none/:send?${filter}`, [], [a, b, c]],
    ] as const) {
      expectEmpty(await api("POST", path, { body: "filtered" }), 202);
      await expectOnly(receivers, "filtered", others);
    }
  });

  test("R-51 the query is decoded as a form: a plus sign is a space", async () => {
    const hub = freshName("hub");
    const [a, b] = [
      await connectJson(server, { hub, userId: "a+b" }),
      await connectJson(server, { hub, userId: "ab" }),
    ];
    expectEmpty(await hubApi(server, hub)("POST", "/:send?filter=userId+eq+'a%2Bb'", { body: "plus" }), 202);
    await expectOnly([a], "plus", [b]);
  });

  test("R-52 an empty filter selects everybody", async () => {
    const { api, client } = await oneClient();
    expectEmpty(await api("POST", "/:send?filter=", { body: "everybody" }), 202);
    await expectOnly([client], "everybody", []);
  });

  test("R-53 a group send is from the group and names no user", async () => {
    const hub = freshName("hub");
    const member = await connectJson(server, { hub, userId: "u", groups: ["a group"] });
    const other = await connectJson(server, { hub });
    expectEmpty(await hubApi(server, hub)("POST", "/groups/a%20group/:send", { json: 7 }), 202);
    expect(await member.next()).toEqual({
      type: "message",
      from: "group",
      group: "a group",
      dataType: "json",
      data: 7,
    });
    await other.nothingArrived();
  });

  test("R-54 messageTtlSeconds is a whole number from 0 to 300, given once", async () => {
    const { api, client } = await oneClient();
    const id = client.connectionId;
    for (const path of ["/:send", "/groups/g/:send", "/users/u/:send", `/connections/${id}/:send`]) {
      for (const wrong of ["-1", "301", "abc", "1.5", "0x1", "5&messageTtlSeconds=5"]) {
        const answer = await api("POST", `${path}?messageTtlSeconds=${wrong}`, { body: "x" });
        expectBadRequest(answer, "Invalid messageTtlSeconds.");
      }
    }
    await client.nothingArrived();
    for (const right of ["0", "300", "1"]) {
      expectEmpty(await api("POST", `/:send?messageTtlSeconds=${right}`, { body: right }), 202);
      expect(await client.next()).toMatchObject({ data: right });
    }
  });

  test("R-58 a send to a user reaches all its connections and no user of another case", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const [first, second, other, anonymous] = [
      await connectJson(server, { hub, userId: "User" }),
      await connectJson(server, { hub, userId: "User" }),
      await connectJson(server, { hub, userId: "user" }),
      await connectJson(server, { hub }),
    ];
    expectEmpty(await api("POST", "/users/User/:send", { body: "to User" }), 202);
    await expectOnly([first, second], "to User", [other, anonymous]);
    expectBadRequest(await api("POST", "/users/%20/:send", { body: "x" }), "Invalid user ID.");
  });

  test("R-59 what one caller sends one after the other arrives in that order", async () => {
    const { api, client } = await oneClient();
    const paths = ["/:send", `/connections/${client.connectionId}/:send`];
    for (let count = 0; count < 40; count++) {
      expectEmpty(await api("POST", paths[count % 2] ?? "", { body: String(count) }), 202);
    }
    for (let count = 0; count < 40; count++) expect(await client.next()).toMatchObject({ data: String(count) });
  });
});

describe("metadata", () => {
  const prefix = "X-WebPubSub-Metadata-";

  test("R-56 the last value of a metadata header reaches JSON clients and no raw one", async () => {
    const { hub, api, client } = await oneClient();
    const { socket } = await connectSimple(server, { hub });
    expectEmpty(await api("POST", "/:send", { body: "x", headers: { [`${prefix}Trace`]: "a, b" } }), 202);
    expect(await client.next()).toEqual({
      type: "message",
      from: "server",
      dataType: "text",
      data: "x",
      metadata: { trace: "b" },
    });
    expect(await socket.nextText()).toBe("x");
    const head = signedHead(server, "POST", `/api/hubs/${hub}/:send`);
    const lines = `${prefix}Twice: first\r\nx-webpubsub-metadata-TWICE: second\r\nContent-Length: 1\r\n\r\ny`;
    expect(await exchange(server, `${head}${lines}`)).toStartWith("HTTP/1.1 202 ");
    expect(await client.next()).toMatchObject({ metadata: { twice: "second" } });
  });

  test("R-57 values that are long, not ASCII or too much together answer 400", async () => {
    const { api, client } = await oneClient();
    const send = (headers: Record<string, string>) => api("POST", "/:send", { body: "x", headers });
    expectBadRequest(
      await send({ [`${prefix}k`]: "v".repeat(1025) }),
      "Metadata value for key 'k' exceeds 1024 bytes.",
    );
    expectBadRequest(await send({ [`${prefix}k`]: "caf\u{e9}" }), "Metadata value for key 'k' must be ASCII.");
    expectBadRequest(
      await send({ [`${prefix}${"k".repeat(257)}`]: "v" }),
      `Metadata key '${"k".repeat(257)}' exceeds 256 bytes.`,
    );
    const eight = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`${prefix}${at}`, "v".repeat(1023)]));
    expectBadRequest(await send({ ...eight, [`${prefix}9`]: "", [`${prefix}8`]: "v" }), "Metadata exceeds 8192 bytes.");
    await client.nothingArrived();
    expectEmpty(await send(eight), 202);
    const { metadata } = await client.next();
    expect(Object.keys(metadata as object)).toHaveLength(8);
  });
});
