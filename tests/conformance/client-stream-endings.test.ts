import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, type JsonClient, type JsonFrame } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { anyServer, type Target } from "../support/server.ts";
import {
  answerTo,
  fragment,
  openStream,
  receivedEnd,
  receivedFragment,
  streamAck,
  streamClosed,
  streamEnd,
  streamKeepAlive,
} from "../support/streams.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** A publisher that is in no group, and a member of group `g`. */
async function connect() {
  const hub = freshName("hub");
  const publisher = await connectJson(server, { hub, userId: "ann", roles: ["webpubsub.sendToGroup"] });
  return { hub, publisher, member: await connectJson(server, { hub, groups: ["g"] }) };
}

const ofAnn = (streamId: string) => ({ streamId, fromUserId: "ann" });

/** Opens a stream and publishes its first fragment. */
async function begin(publisher: JsonClient, member: JsonClient, streamId: string): Promise<void> {
  await openStream(publisher, streamId);
  expect(await answerTo(publisher, fragment(streamId, 1, "a"))).toEqual(streamAck(streamId, 2));
  expect(await member.next()).toEqual(receivedFragment(ofAnn(streamId), 1, "a"));
}

describe("the publisher ends it", () => {
  test.each<[what: string, error: JsonFrame, shown: JsonFrame]>([
    [
      "with message and code",
      { message: "no more", userErrorCode: "E1" },
      { name: "UserError", message: "no more", userErrorCode: "E1" },
    ],
    ["with a message", { message: "no more" }, { name: "UserError", message: "no more" }],
    ["with members nobody knows", { message: "no more", stack: [1] }, { name: "UserError", message: "no more" }],
  ])("C-96 %s: members see a UserError, the publisher a normal end", async (_what, error, shown) => {
    const { publisher, member } = await connect();
    await begin(publisher, member, "s");
    expect(await answerTo(publisher, streamEnd("s", error))).toEqual(streamClosed("s"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2, shown));
    await publisher.nothingArrived();
    await member.nothingArrived();
  });

  test("C-96 with an empty error: members see a UserError without code", async () => {
    const { publisher, member } = await connect();
    await openStream(publisher, "s");
    expect(await answerTo(publisher, streamEnd("s", {}))).toEqual(streamClosed("s"));
    const { stream } = await member.next();
    expect(stream).toMatchObject({ streamSequenceId: 1, endOfStream: true, error: { name: "UserError" } });
    expect(stream).not.toHaveProperty("error.userErrorCode");
  });

  test.each<[what: string, error: unknown]>([
    ["a name", { name: "Mine", message: "m" }],
    ["a message that is no text", { message: 1 }],
    ["a code that is no text", { userErrorCode: 1 }],
    ["an error that is no object", "failed"],
  ])("C-96 %s is refused: BadRequest, InternalServerError to members", async (_what, error) => {
    const { publisher, member } = await connect();
    await begin(publisher, member, "s");
    publisher.send({ type: "streamEnd", streamId: "s", error });
    expect(await publisher.next()).toEqual(streamClosed("s", "BadRequest"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2, "InternalServerError"));
  });
});

describe("it is idle", () => {
  test("C-98 for too long: streamClosed and the last message say IdleTimeout", async () => {
    const { publisher, member } = await connect();
    await openStream(publisher, "never used", { idleTimeoutMs: 50 });
    expect(await publisher.next()).toEqual(streamClosed("never used", "IdleTimeout"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("never used"), 1, "IdleTimeout"));
    await openStream(publisher, "used", { idleTimeoutMs: 2000 });
    for (let id = 1; id <= 3; id++)
      expect(await answerTo(publisher, fragment("used", id, "a"))).toEqual(streamAck("used", id + 1));
    expect(await publisher.next()).toEqual(streamClosed("used", "IdleTimeout"));
    for (let id = 1; id <= 3; id++) expect(await member.next()).toEqual(receivedFragment(ofAnn("used"), id, "a"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("used"), 4, "IdleTimeout"));
    expect(await answerTo(publisher, fragment("used", 4, "b"))).toEqual(streamClosed("used", "StreamNotFound"));
    await openStream(publisher, "used");
    await publisher.nothingArrived();
    await member.nothingArrived();
  });

  test("C-98 not while keep-alives, fragments or repeated fragments come, which outlast its time-out", async () => {
    const { publisher, member } = await connect();
    // Streams tell the time: `tick` after tick passes on the server's clock until `idle` must be over, then one more.
    for (const streamId of ["kept", "fed", "repeated", "idle"])
      await openStream(publisher, streamId, { idleTimeoutMs: 4000 });
    expect(await answerTo(publisher, fragment("repeated", 1, "a"))).toEqual(streamAck("repeated", 2));
    const over: unknown[] = [];
    for (let tick = 1; tick <= 5; tick++) {
      publisher.send({ type: "sendToGroup", group: "none", stream: { streamId: "tick", idleTimeoutMs: 1000 } });
      publisher.send(streamKeepAlive("kept"));
      publisher.send(fragment("fed", tick, "x"));
      publisher.send(fragment("repeated", 1, "a"));
      for (;;) {
        const { type, streamId } = await publisher.next();
        if (type !== "streamClosed") continue;
        if (streamId === "tick") break;
        over.push(streamId);
      }
    }
    expect(over).toEqual(["idle"]);
    expect(await answerTo(publisher, fragment("kept", 1, "b"))).toEqual(streamAck("kept", 2));
    expect(await answerTo(publisher, fragment("fed", 6, "b"))).toEqual(streamAck("fed", 7));
    expect(await answerTo(publisher, fragment("repeated", 2, "b"))).toEqual(streamAck("repeated", 3));
    // Keep-alives are not delivered.
    const seen: unknown[] = [];
    for (let count = 0; count < 10; count++) seen.push((await member.next())["stream"]);
    expect(seen.filter((stream) => (stream as JsonFrame)["streamId"] === "kept")).toEqual([
      { streamId: "kept", streamSequenceId: 1 },
    ]);
    await member.nothingArrived();
  });

  test("C-98 after its last keep-alive as after its last fragment", async () => {
    const { publisher, member } = await connect();
    await openStream(publisher, "s", { idleTimeoutMs: 1000 });
    publisher.send(streamKeepAlive("s"));
    expect(await publisher.next()).toEqual(streamClosed("s", "IdleTimeout"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 1, "IdleTimeout"));
  });

  test("C-98 a stream that ended is not closed again when its time would be up", async () => {
    const { publisher, member } = await connect();
    await openStream(publisher, "ended", { idleTimeoutMs: 1000 });
    expect(await answerTo(publisher, streamEnd("ended"))).toEqual(streamClosed("ended"));
    await openStream(publisher, "later", { idleTimeoutMs: 1500 });
    expect(await publisher.next()).toEqual(streamClosed("later", "IdleTimeout"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("ended"), 1));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("later"), 1, "IdleTimeout"));
  });
});

describe("it must not go on", () => {
  test("C-97 a permission that REST revokes ends it with the next fragment, Forbidden to both sides", async () => {
    const { hub, publisher, member } = await connect();
    await begin(publisher, member, "s");
    const path = `/permissions/sendToGroup/connections/${publisher.connectionId}?targetName=g`;
    expect((await hubApi(server, hub)("DELETE", path)).status).toBe(204);
    expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamClosed("s", "Forbidden"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2, "Forbidden"));
    expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamClosed("s", "StreamNotFound"));
    expect((await hubApi(server, hub)("PUT", path)).status).toBe(200);
    await openStream(publisher, "s");
    await member.nothingArrived();
  });

  test.each<[what: string, end: (publisher: JsonClient) => unknown]>([
    ["lost", ({ socket }) => socket.abort()],
    ["closed by the client", ({ socket }) => socket.close(1000)],
    ["closed for bad input", ({ socket }) => socket.send("no JSON")],
    ["closed by REST", ({ hub, connectionId }) => hubApi(server, hub)("DELETE", `/connections/${connectionId}`)],
  ])("C-96 a connection that is %s cancels its streams", async (_what, end) => {
    const { publisher, member } = await connect();
    await begin(publisher, member, "s");
    await openStream(publisher, "t");
    await end(publisher);
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2, "Cancelled"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("t"), 1, "Cancelled"));
    await member.nothingArrived();
  });

  test("C-96 noEcho and metadata hold for an end that the service brings about", async () => {
    const hub = freshName("hub");
    const publisher = await connectJson(server, { hub, roles: ["webpubsub.sendToGroup"], groups: ["g"] });
    const member = await connectJson(server, { hub, groups: ["g"] });
    const metadata = { key: "value" };
    const stream = { streamId: "s", idleTimeoutMs: 50 };
    publisher.send({ type: "sendToGroup", group: "g", noEcho: true, metadata, stream });
    expect([await publisher.next(), await publisher.next()]).toEqual([
      streamAck("s", 1),
      streamClosed("s", "IdleTimeout"),
    ]);
    expect(await member.next()).toEqual({ ...receivedEnd({ streamId: "s" }, 1, "IdleTimeout"), metadata });
    await publisher.nothingArrived();
  });
});
