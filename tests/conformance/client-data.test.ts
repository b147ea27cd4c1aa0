import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { connectProtobuf } from "../support/protobuf/client.ts";
import { field, groupMessage } from "../support/protobuf/wire.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, type Target } from "../support/server.ts";
import type { Message } from "../support/web-socket.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** A client that may send to `g` and is in it, so that it sees what it sent. */
const connectMember = (): Promise<JsonClient> =>
  connectJson(server, { hub: freshName("hub"), userId: "ann", roles: allRoles, groups: ["g"] });

/** A sendToGroup frame whose members behind `group` are written out. */
const toGroup = (members: string): string => `{"type":"sendToGroup","group":"g",${members}}`;

/** The member of a JSON object frame as its exact source text, up to the next member or the end. */
function sourceOf(frame: string, data: string): boolean {
  const at = frame.indexOf(`"data":${data}`);
  return at !== -1 && /^[,}]/.test(frame.slice(at + `"data":${data}`.length));
}

test("C-44 dataType is json when omitted; text, binary and json arrive as what they are", async () => {
  const client = await connectMember();
  const message = { type: "message", from: "group", group: "g", fromUserId: "ann" };
  const sent: readonly (readonly [members: string, dataType: string, data: unknown])[] = [
    ['"data":{"a":1}', "json", { a: 1 }],
    ['"data":"a string"', "json", "a string"],
    ['"dataType":null,"data":[]', "json", []],
    ['"dataType":"json","data":false', "json", false],
    ['"dataType":"text","data":"hi \\"\\u00e9\\ud83d\\ude00"', "text", 'hi "é😀'],
    ['"dataType":"text","data":""', "text", ""],
    ['"dataType":"binary","data":"AQID"', "binary", "AQID"],
    ['"dataType":"binary","data":""', "binary", ""],
    ['"dataType":"TEXT","data":"in other case"', "text", "in other case"],
  ];
  for (const [members, dataType, data] of sent) {
    client.send(toGroup(members));
    expect(await client.next()).toEqual({ ...message, dataType, data });
  }
});

test.each([
  '{"n":12345678901234567890,"f":1.0}',
  '{ "b" : 1e400 ,"a":[ 1, -0.0 ], "b":"\\u0041" }',
  "1.10",
  '"\\u0041"',
  "true",
])("C-45 json data %s reaches JSON, simple and protobuf clients as the same text", async (data) => {
  const sender = await connectMember();
  const simple = await connectSimple(server, { hub: sender.hub, groups: ["g"] });
  const protobuf = await connectProtobuf(server, { hub: sender.hub, groups: ["g"] });
  sender.send(toGroup(`"dataType":"json","data":${data}`));
  expect(await simple.socket.nextText()).toBe(data);
  const frame = await sender.socket.nextText();
  expect([frame, sourceOf(frame, data)]).toEqual([frame, true]);
  expect(await protobuf.socket.nextBinary()).toEqual(groupMessage("g", field(4, data)));
});

test.each([
  '"data":null',
  '"dataType":"json","data":null',
  '"dataType":"text","data":1',
  '"dataType":"text","data":{}',
  '"dataType":"binary","data":"A"',
  '"dataType":"binary","data":"AQI"',
  '"dataType":"binary","data":"AQ-_"',
  '"dataType":"binary","data":1',
  '"dataType":"nope","data":"x"',
  '"dataType":1,"data":"x"',
  '"dataType":"text"',
])("C-46 the payload %s closes 1007", async (members) => {
  await expectDeclined(await connectMember(), toGroup(members));
});

describe("metadata", () => {
  const withMetadata = (metadata: string): string => toGroup(`"dataType":"text","data":"x","metadata":${metadata}`);

  test("C-47 metadata reaches JSON and protobuf clients unchanged, keys that differ in case are two, and simple clients see none", async () => {
    const client = await connectMember();
    const simple = await connectSimple(server, { hub: client.hub, groups: ["g"] });
    const protobuf = await connectProtobuf(server, { hub: client.hub, roles: allRoles, groups: ["g"] });
    const metadata = { Trace: "1", trace: "2", "!#$%&'*+-.^_`|~0aZ": "" };
    client.send(withMetadata('{"Trace":"1","trace":"2","!#$%&\'*+-.^_`|~0aZ":""}'));
    expect(await client.next()).toEqual({
      type: "message",
      from: "group",
      group: "g",
      fromUserId: "ann",
      dataType: "text",
      data: "x",
      metadata,
    });
    expect(await simple.socket.nextText()).toBe("x");
    expect(await protobuf.next()).toMatchObject({ case: "dataMessage", value: { metadata } });
    const data = { data: { case: "textData" as const, value: "x" } };
    protobuf.send({ case: "sendToGroupMessage", value: { group: "g", noEcho: true, data, metadata } });
    expect(await client.next()).toMatchObject({ dataType: "text", data: "x", metadata });
    expect(await simple.socket.nextText()).toBe("x");
    for (const none of ["null", "{}"]) {
      client.send(withMetadata(none));
      expect(await client.next()).not.toHaveProperty("metadata");
    }
  });

  /** 8192 in all: seven pairs of 8 + 1024 and one that fills up. */
  const fullOf = (extra: number): string => {
    const pairs = Array.from({ length: 7 }, (_, index) => [`key-${index}-x`.padEnd(8, "x"), "v".repeat(1024)] as const);
    return JSON.stringify(Object.fromEntries([...pairs, ["rest-key", "v".repeat(8192 - 7 * 1032 - 8 + extra)]]));
  };

  test.each([
    ["a key of 256 characters", `{"${"k".repeat(256)}":"v"}`],
    ["a value of 1024 characters", `{"k":"${"v".repeat(1024)}"}`],
    ["8192 characters in all", fullOf(0)],
  ])("C-48 %s is accepted", async (_what, metadata) => {
    const client = await connectMember();
    client.send(withMetadata(metadata));
    expect((await client.next())["metadata"]).toEqual(JSON.parse(metadata));
  });

  test.each([
    ["a repeated key", '{"k":"1","k":"2"}'],
    ["a number as value", '{"k":1}'],
    ["null as value", '{"k":null}'],
    ["a non-ASCII value", '{"k":"é"}'],
    ["a key of 257 characters", `{"${"k".repeat(257)}":"v"}`],
    ["an empty key", '{"":"v"}'],
    ["a key with a blank", '{"a b":"v"}'],
    ["a value of 1025 characters", `{"k":"${"v".repeat(1025)}"}`],
    ["8193 characters in all", fullOf(1)],
    ["an array", '["k"]'],
    ["a string", '"k"'],
  ])("C-48 %s as metadata closes 1007", async (_what, metadata) => {
    await expectDeclined(await connectMember(), withMetadata(metadata));
  });

  test("C-49 metadata without data is an empty text message", async () => {
    const client = await connectMember();
    const simple = await connectSimple(server, { hub: client.hub, groups: ["g"] });
    client.send(toGroup('"metadata":{"k":"v"}'));
    expect(await client.next()).toMatchObject({ dataType: "text", data: "", metadata: { k: "v" } });
    expect(await simple.socket.nextText()).toBe("");
  });
});

test("C-50 ttlSeconds from 0 to 300 is accepted, and null", async () => {
  const client = await connectMember();
  for (const ttl of ["0", "1", "300", "null"]) {
    client.send(toGroup(`"dataType":"text","data":"ttl ${ttl}","ttlSeconds":${ttl}`));
    expect(await client.next()).toMatchObject({ data: `ttl ${ttl}` });
  }
});

test.each(["301", "-1", "1.5", '"60"', "1e400", "18446744073709551616"])(
  "C-50 ttlSeconds %s closes 1007",
  async (ttl) => {
    await expectDeclined(await connectMember(), toGroup(`"dataType":"text","data":"x","ttlSeconds":${ttl}`));
  },
);

describe("C-51 rendering", () => {
  const any = Buffer.from("0a1e747970652e676f6f676c65617069732e636f6d2f64656d6f2e506f696e7412020801", "hex");
  const bytes = Buffer.from([1, 2, 3, 0, 255]);
  type Kind = "text" | "json" | "jsonString" | "binary" | "protobuf" | "emptyText";
  type Rendering = { readonly jsonMembers: string; readonly simple: string | Buffer; readonly messageData: Buffer };

  /** What each kind of payload looks like at each receiver. */
  const renderings: Readonly<Record<Kind, Rendering>> = {
    text: { jsonMembers: '"dataType":"text","data":"hi"', simple: "hi", messageData: field(1, "hi") },
    json: {
      jsonMembers: '"dataType":"json","data":{"a": 1.0}',
      simple: '{"a": 1.0}',
      messageData: field(4, '{"a": 1.0}'),
    },
    jsonString: { jsonMembers: '"dataType":"json","data":"hi"', simple: '"hi"', messageData: field(4, '"hi"') },
    binary: {
      jsonMembers: `"dataType":"binary","data":"${bytes.toString("base64")}"`,
      simple: bytes,
      messageData: field(2, bytes),
    },
    protobuf: {
      jsonMembers: `"dataType":"protobuf","data":"${any.toString("base64")}"`,
      simple: any,
      messageData: field(3, any),
    },
    emptyText: { jsonMembers: '"dataType":"text","data":""', simple: "", messageData: field(1, "") },
  };

  const hub = freshName("hub");
  const bySimple = async (message: string | Uint8Array): Promise<void> => {
    const query = { webpubsub_mode: "sendToGroup", group: "g" };
    const sender = await connectSimple(server, { hub, roles: allRoles, query });
    sender.socket.send(message);
  };
  const byJson = async (members: string): Promise<void> => {
    const sender = await connectJson(server, { hub, roles: allRoles });
    sender.send(toGroup(members));
  };
  const byProtobuf = async ({ messageData }: Rendering): Promise<void> => {
    const sender = await connectProtobuf(server, { hub, roles: allRoles });
    sender.send(field(1, field(1, "g"), field(3, messageData)));
  };
  const byRest = async (body: string | Uint8Array, contentType: string): Promise<void> => {
    const path = `/api/hubs/${hub}/groups/g/:send`;
    const sent = await server.rest({ method: "POST", path, body, headers: { "Content-Type": contentType } });
    expect(sent.status).toBe(202);
  };

  const sends: readonly (readonly [sender: string, kind: Kind, send: () => Promise<void>])[] = [
    ["a simple client", "text", () => bySimple("hi")],
    ["a simple client", "binary", () => bySimple(bytes)],
    ["a simple client", "emptyText", () => bySimple("")],
    ["a JSON client", "text", () => byJson(renderings.text.jsonMembers)],
    ["a JSON client", "json", () => byJson(renderings.json.jsonMembers)],
    ["a JSON client", "jsonString", () => byJson(renderings.jsonString.jsonMembers)],
    ["a JSON client", "binary", () => byJson(renderings.binary.jsonMembers)],
    ["a JSON client", "protobuf", () => byJson(renderings.protobuf.jsonMembers)],
    ["a JSON client", "emptyText", () => byJson(renderings.emptyText.jsonMembers)],
    ["a protobuf client", "text", () => byProtobuf(renderings.text)],
    ["a protobuf client", "json", () => byProtobuf(renderings.json)],
    ["a protobuf client", "jsonString", () => byProtobuf(renderings.jsonString)],
    ["a protobuf client", "binary", () => byProtobuf(renderings.binary)],
    ["a protobuf client", "protobuf", () => byProtobuf(renderings.protobuf)],
    ["a protobuf client", "emptyText", () => byProtobuf(renderings.emptyText)],
    ["REST", "text", () => byRest("hi", "text/plain")],
    ["REST", "json", () => byRest('{"a": 1.0}', "application/json")],
    ["REST", "jsonString", () => byRest('"hi"', "application/json")],
    ["REST", "binary", () => byRest(bytes, "application/octet-stream")],
    ["REST", "emptyText", () => byRest("", "text/plain")],
  ];

  const payload = (message: Message): string | Buffer => (message.kind === "text" ? message.text : message.bytes);

  test.each(sends)(
    "C-51 sent by %s, %s reaches JSON, simple and protobuf clients as the table says",
    async (_sender, kind, send) => {
      const json = await connectJson(server, { hub, groups: ["g"] });
      const simple = await connectSimple(server, { hub, groups: ["g"] });
      const protobuf = await connectProtobuf(server, { hub, groups: ["g"] });
      await send();
      expect(payload(await simple.socket.nextMessage())).toEqual(renderings[kind].simple);
      const frame = await json.socket.nextText();
      expect(frame).toContain(`,${renderings[kind].jsonMembers}}`);
      expect(JSON.parse(frame)).toMatchObject({ type: "message", from: "group", group: "g" });
      expect(await protobuf.socket.nextBinary()).toEqual(groupMessage("g", renderings[kind].messageData));
      await json.nothingArrived();
      await simple.nothingArrived();
      await protobuf.nothingArrived();
    },
  );
});
