import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectDeclined } from "../support/bad-input.ts";
import { connectJson, type JsonFrame } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
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
  streamNack,
  streamStart,
} from "../support/streams.ts";

const mayPublish = ["webpubsub.sendToGroup"];

/** A publisher of user `ann`, who is in no group, and a member of group `g`. */
async function connect(server: Target, hub = freshName("hub")) {
  const publisher = await connectJson(server, { hub, userId: "ann", roles: mayPublish });
  return { hub, publisher, member: await connectJson(server, { hub, groups: ["g"] }) };
}

const ofAnn = (streamId: string) => ({ streamId, fromUserId: "ann" });

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  describe("a stream", () => {
    test("C-96 is opened by ack 1, its fragments are numbered, its end is empty text and streamClosed", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s1");
      for (const [at, data] of ["a", "b", "c"].entries()) {
        expect(await answerTo(publisher, fragment("s1", at + 1, data))).toEqual(streamAck("s1", at + 2));
        expect(await member.next()).toEqual(receivedFragment(ofAnn("s1"), at + 1, data));
      }
      expect(await answerTo(publisher, streamEnd("s1"))).toEqual(streamClosed("s1"));
      expect(await member.next()).toEqual(receivedEnd(ofAnn("s1"), 4));
      await publisher.nothingArrived();
      await member.nothingArrived();
    });

    test("C-96 may end without fragments", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 1));
    });

    test("C-96 is acked up to its last fragment, by growing numbers, however fast they come", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      const count = 800;
      for (let id = 1; id <= count; id++) publisher.send(fragment("s", id, String(id)));
      for (let acked = 1; acked <= count; ) {
        const { expectedSequenceId, ...ack } = await publisher.next();
        expect(ack).toEqual({ type: "streamAck", streamId: "s" });
        expect(expectedSequenceId).toBeGreaterThan(acked);
        acked = Number(expectedSequenceId);
        expect(acked).toBeLessThanOrEqual(count + 1);
      }
      await publisher.nothingArrived();
      for (let id = 1; id <= count; id++)
        expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), id, String(id)));
    });

    test("C-96 C-45 carries every kind of data, JSON as its source text", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      const source = '{ "n" : 12345678901234567890, "f":1.0 }';
      publisher.send(`{"type":"streamData","streamId":"s","streamSequenceId":1,"dataType":"json","data":${source}}`);
      expect(await member.socket.nextText()).toContain(`"dataType":"json","data":${source},`);
      for (const [at, [dataType, data]] of [
        ["binary", "AQID"],
        ["protobuf", "CgFhEgIIAQ=="],
        ["text", ""],
      ].entries()) {
        publisher.send({ type: "streamData", streamId: "s", streamSequenceId: at + 2, dataType, data });
        const stream = { streamId: "s", streamSequenceId: at + 2 };
        expect(await member.next()).toMatchObject({ dataType, data, stream });
      }
    });

    test("C-96 reaches its publisher too, if it is a member, and not with noEcho", async () => {
      const hub = freshName("hub");
      const publisher = await connectJson(server, { hub, roles: mayPublish, groups: ["g"] });
      const member = await connectJson(server, { hub, groups: ["g"] });
      await openStream(publisher, "loud");
      expect(await answerTo(publisher, fragment("loud", 1, "a"))).toEqual(
        receivedFragment({ streamId: "loud" }, 1, "a"),
      );
      expect(await publisher.next()).toEqual(streamAck("loud", 2));
      expect(await answerTo(publisher, streamEnd("loud"))).toEqual(receivedEnd({ streamId: "loud" }, 2));
      expect(await publisher.next()).toEqual(streamClosed("loud"));
      expect(await answerTo(publisher, { ...streamStart("quiet"), noEcho: true })).toEqual(streamAck("quiet", 1));
      expect(await answerTo(publisher, fragment("quiet", 1, "b"))).toEqual(streamAck("quiet", 2));
      expect(await answerTo(publisher, streamEnd("quiet"))).toEqual(streamClosed("quiet"));
      for (const [streamId, data] of [
        ["loud", "a"],
        ["quiet", "b"],
      ] as const) {
        expect(await member.next()).toEqual(receivedFragment({ streamId }, 1, data));
        expect(await member.next()).toEqual(receivedEnd({ streamId }, 2));
      }
      await publisher.nothingArrived();
    });

    test("C-96 C-47 shows the metadata of its start with every message", async () => {
      const { publisher, member } = await connect(server);
      const metadata = { Trace: "1", trace: "2" };
      expect(await answerTo(publisher, { ...streamStart("s"), metadata })).toEqual(streamAck("s", 1));
      expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await member.next()).toEqual({ ...receivedFragment(ofAnn("s"), 1, "a"), metadata });
      expect(await member.next()).toEqual({ ...receivedEnd(ofAnn("s"), 2), metadata });
    });

    test("C-96 is independent of others of its publisher, of its id elsewhere and of ordinary messages", async () => {
      const { hub, publisher, member } = await connect(server);
      const other = await connectJson(server, { hub, userId: "bob", roles: mayPublish });
      await openStream(publisher, "s");
      await openStream(publisher, "t");
      await openStream(other, "s");
      const ofBob = { streamId: "s", fromUserId: "bob" };
      for (const [sender, streamId, id, origin] of [
        [publisher, "s", 1, ofAnn("s")],
        [other, "s", 1, ofBob],
        [publisher, "t", 1, ofAnn("t")],
        [publisher, "s", 2, ofAnn("s")],
        [other, "s", 2, ofBob],
      ] as const) {
        expect(await answerTo(sender, fragment(streamId, id, "x"))).toEqual(streamAck(streamId, id + 1));
        expect(await member.next()).toEqual(receivedFragment(origin, id, "x"));
      }
      const sent = await publisher.ask({ type: "sendToGroup", group: "g", dataType: "text", data: "plain" });
      expect(sent).toEqual({ success: true });
      const plain = { type: "message", from: "group", group: "g", fromUserId: "ann", dataType: "text", data: "plain" };
      expect(await member.next()).toEqual(plain);
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await answerTo(other, fragment("s", 3, "y"))).toEqual(streamAck("s", 4));
      expect([await member.next(), await member.next()]).toEqual([
        receivedEnd(ofAnn("s"), 3),
        receivedFragment(ofBob, 3, "y"),
      ]);
    });

    test("C-96 may have the id of one that is over, and begins at 1 again", async () => {
      const { publisher, member } = await connect(server);
      for (const data of ["first", "second"]) {
        await openStream(publisher, "s");
        expect(await answerTo(publisher, fragment("s", 1, data))).toEqual(streamAck("s", 2));
        expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 1, data));
        expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
        expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2));
      }
    });
  });

  describe("a start", () => {
    test("C-96 C-33 with an ackId gets the ordinary ack besides, once", async () => {
      const { publisher } = await connect(server);
      publisher.send({ ...streamStart("s"), ackId: 5 });
      expect([await publisher.next(), await publisher.next()]).toEqual([
        streamAck("s", 1),
        { type: "ack", ackId: 5, success: true },
      ]);
      publisher.send({ ...streamStart("other"), ackId: 5 });
      expect(await publisher.next()).toMatchObject({ ackId: 5, success: false, error: { name: "Duplicate" } });
      expect(await answerTo(publisher, streamKeepAlive("other"))).toEqual(streamClosed("other", "StreamNotFound"));
    });

    test("C-96 C-32 that is refused fails its ackId without using it up", async () => {
      const { publisher } = await connect(server);
      const refused = await connectJson(server, { hub: publisher.hub });
      const failed = (name: string): JsonFrame => ({
        type: "ack",
        ackId: 5,
        success: false,
        error: expect.objectContaining({ name }) as unknown,
      });
      refused.send({ ...streamStart("s"), ackId: 5 });
      expect([await refused.next(), await refused.next()]).toEqual([
        streamClosed("s", "Forbidden"),
        failed("Forbidden"),
      ]);
      publisher.send({ ...streamStart(""), ackId: 5 });
      expect([await publisher.next(), await publisher.next()]).toEqual([
        streamClosed("", "BadRequest"),
        failed("BadRequest"),
      ]);
      publisher.send({ ...streamStart("s"), ackId: 5 });
      expect([await publisher.next(), await publisher.next()]).toEqual([
        streamAck("s", 1),
        { type: "ack", ackId: 5, success: true },
      ]);
    });

    test("C-96 with the id of an open stream is refused and leaves that one alone", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
      for (const again of [streamStart("s"), { ...streamStart("s"), dataType: "text", data: "x" }])
        expect(await answerTo(publisher, again)).toEqual(streamClosed("s", "BadRequest"));
      expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamAck("s", 3));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 1, "a"));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 2, "b"));
    });

    test.each<[what: string, start: JsonFrame]>([
      ["an empty id", streamStart("")],
      ["text", { ...streamStart("s"), dataType: "text", data: "x" }],
      ["JSON data without dataType", { ...streamStart("s"), data: 1 }],
      ["idleTimeoutMs 0", streamStart("s", { idleTimeoutMs: 0 })],
      ["idleTimeoutMs -1", streamStart("s", { idleTimeoutMs: -1 })],
      ["idleTimeoutMs 1.5", streamStart("s", { idleTimeoutMs: 1.5 })],
      ["idleTimeoutMs as a string", streamStart("s", { idleTimeoutMs: "500" })],
    ])("C-96 with %s is refused with BadRequest, and nobody else hears of it", async (_what, start) => {
      const { publisher, member } = await connect(server);
      const { streamId } = start["stream"] as { streamId: string };
      expect(await answerTo(publisher, start)).toEqual(streamClosed(streamId, "BadRequest"));
      expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamClosed("s", "StreamNotFound"));
      await publisher.nothingArrived();
      await member.nothingArrived();
    });

    test("C-96 may have null for what it can leave out", async () => {
      const { publisher } = await connect(server);
      const start = {
        ...streamStart("s", { idleTimeoutMs: null }),
        ackId: null,
        noEcho: null,
        metadata: null,
        ttlSeconds: null,
      };
      expect(await answerTo(publisher, start)).toEqual(streamAck("s", 1));
    });

    test.each(["{}", '{"streamId":1}', '{"streamId":null}', '"s"', "[]"])(
      "C-57 with the stream %s closes 1007",
      async (stream) => {
        const { publisher } = await connect(server);
        await expectDeclined(publisher, `{"type":"sendToGroup","group":"g","stream":${stream}}`);
      },
    );

    test("C-97 without the role is refused with Forbidden; a role for the group is enough", async () => {
      const hub = freshName("hub");
      const member = await connectJson(server, { hub, groups: ["g"] });
      for (const roles of [[], ["webpubsub.sendToGroup.other"], ["webpubsub.joinLeaveGroup"]]) {
        const client = await connectJson(server, { hub, roles });
        expect(await answerTo(client, streamStart("s"))).toEqual(streamClosed("s", "Forbidden"));
        expect(await answerTo(client, fragment("s", 1, "a"))).toEqual(streamClosed("s", "StreamNotFound"));
      }
      await member.nothingArrived();
      for (const role of ["webpubsub.sendToGroup.g", "webpubsub.sendToGroups.?"])
        await openStream(await connectJson(server, { hub, roles: [role] }), "s");
    });

    test("C-97 is allowed once REST has granted the permission", async () => {
      const hub = freshName("hub");
      const client = await connectJson(server, { hub });
      expect(await answerTo(client, streamStart("s"))).toEqual(streamClosed("s", "Forbidden"));
      const path = `/permissions/sendToGroup/connections/${client.connectionId}?targetName=g`;
      expect((await hubApi(server, hub)("PUT", path)).status).toBe(200);
      await openStream(client, "s");
    });
  });

  describe("a fragment", () => {
    test("C-97 beyond the next is refused with the expected number and not delivered; the stream goes on", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      expect(await answerTo(publisher, fragment("s", 2, "early"))).toEqual(streamNack("s", 1));
      expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
      const far =
        '{"type":"streamData","streamId":"s","streamSequenceId":18446744073709551615,"dataType":"text","data":"x"}';
      publisher.send(far);
      expect(await publisher.next()).toEqual(streamNack("s", 2));
      expect(await answerTo(publisher, fragment("s", 3, "early"))).toEqual(streamNack("s", 2));
      expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamAck("s", 3));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 1, "a"));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 2, "b"));
      await member.nothingArrived();
    });

    test("C-97 that came before is acked with the expected number and not delivered again", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      for (const [id, data, expected] of [
        [1, "a", 2],
        [2, "b", 3],
        [1, "again", 3],
        [2, "again", 3],
        [3, "c", 4],
        [1, "again", 4],
      ] as const)
        expect(await answerTo(publisher, fragment("s", id, data))).toEqual(streamAck("s", expected));
      for (const [id, data] of [
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ] as const)
        expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), id, data));
      await member.nothingArrived();
    });

    test.each<[what: string, frame: JsonFrame]>([
      ["data", fragment("s", 1, "a")],
      ["keep-alive", streamKeepAlive("s")],
      ["end", streamEnd("s")],
      ["end with an error", streamEnd("s", { message: "m" })],
      ["broken data", { type: "streamData", streamId: "s", streamSequenceId: 1 }],
    ])("C-97 of an unknown stream is answered StreamNotFound: %s", async (_what, frame) => {
      const { publisher, member } = await connect(server);
      const stranger = await connectJson(server, { hub: publisher.hub, roles: mayPublish });
      expect(await answerTo(publisher, frame)).toEqual(streamClosed("s", "StreamNotFound"));
      await openStream(publisher, "s");
      // The stream of another connection.
      expect(await answerTo(stranger, frame)).toEqual(streamClosed("s", "StreamNotFound"));
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 1));
      expect(await answerTo(publisher, frame)).toEqual(streamClosed("s", "StreamNotFound"));
      await member.nothingArrived();
    });

    test.each([
      ["a number alone", '"streamSequenceId":2'],
      ["data without a number", '"dataType":"text","data":"x"'],
      ["data without dataType", '"streamSequenceId":2,"data":"x"'],
      ["dataType without data", '"streamSequenceId":2,"dataType":"text"'],
      ["number 0", '"streamSequenceId":0,"dataType":"text","data":"x"'],
      ["number -1", '"streamSequenceId":-1,"dataType":"text","data":"x"'],
      ["number 2.0", '"streamSequenceId":2.0,"dataType":"text","data":"x"'],
      ["a number of 2^64", '"streamSequenceId":18446744073709551616,"dataType":"text","data":"x"'],
      ["text that is a number", '"streamSequenceId":2,"dataType":"text","data":1'],
      ["bytes that are no base64", '"streamSequenceId":2,"dataType":"binary","data":"!"'],
      ["an unknown dataType", '"streamSequenceId":2,"dataType":"xml","data":"x"'],
    ])("C-97 with %s closes its stream alone: BadRequest, InternalServerError to members", async (_what, members) => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "t");
      await openStream(publisher, "s");
      expect(await answerTo(publisher, fragment("s", 1, "a"))).toEqual(streamAck("s", 2));
      publisher.send(`{"type":"streamData","streamId":"s",${members}}`);
      expect(await publisher.next()).toEqual(streamClosed("s", "BadRequest"));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 1, "a"));
      expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2, "InternalServerError"));
      expect(await answerTo(publisher, fragment("s", 2, "b"))).toEqual(streamClosed("s", "StreamNotFound"));
      expect(await answerTo(publisher, fragment("t", 1, "c"))).toEqual(streamAck("t", 2));
      expect(await member.next()).toEqual(receivedFragment(ofAnn("t"), 1, "c"));
    });

    test.each(['{"type":"streamData"}', '{"type":"streamData","streamId":7}', '{"type":"streamEnd","streamId":null}'])(
      "C-57 %s names no stream and closes 1007",
      async (frame) => {
        const { publisher } = await connect(server);
        await expectDeclined(publisher, frame);
      },
    );
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      limits: { openStreams: 2 },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: [] })] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("C-96 more streams than one connection may have open are refused with BadRequest", async () => {
    const { publisher, hub } = await connect(server);
    await openStream(publisher, "one");
    await openStream(publisher, "two");
    expect(await answerTo(publisher, streamStart("three"))).toEqual(streamClosed("three", "BadRequest"));
    await openStream(await connectJson(server, { hub, roles: mayPublish }), "three");
    expect(await answerTo(publisher, streamEnd("one"))).toEqual(streamClosed("one"));
    await openStream(publisher, "three");
  });

  test("C-96 C-56 the frames of a stream wait behind an event and stay in order", async () => {
    const { hub, publisher, member } = await connect(server);
    const work = Promise.withResolvers<void>();
    handler.hub(hub).answer("slow", { after: work.promise });
    publisher.send({ type: "event", event: "slow", ackId: 1, data: 1 });
    await handler.hub(hub).next("slow");
    for (const frame of [streamStart("s"), fragment("s", 1, "a"), streamEnd("s")]) publisher.send(frame);
    expect(await answerTo(publisher, { type: "ping" })).toEqual({ type: "pong" });
    await member.nothingArrived();
    work.resolve();
    expect(await publisher.next()).toEqual({ type: "ack", ackId: 1, success: true });
    expect(await member.next()).toEqual(receivedFragment(ofAnn("s"), 1, "a"));
    expect(await member.next()).toEqual(receivedEnd(ofAnn("s"), 2));
    expect(await publisher.next()).toEqual(streamAck("s", 1));
    expect(await publisher.next()).toEqual(streamClosed("s"));
  });
});
