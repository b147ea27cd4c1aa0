import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson, type JsonClient } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { connectReliable, leave, type ReliableClient, recover } from "../support/reliable.ts";
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
} from "../support/streams.ts";

const origin = { streamId: "s" };

/** A reliable publisher that is in no group, and a member of group `g`. */
async function connect(server: Target) {
  const hub = freshName("hub");
  const publisher = await connectReliable(server, { hub, roles: ["webpubsub.sendToGroup"] });
  return { hub, publisher, member: await connectJson(server, { hub, groups: ["g"] }) };
}

/** The member must get exactly these fragments next. */
async function expectFragments(member: JsonClient, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id++) expect(await member.next()).toEqual(receivedFragment(origin, id, String(id)));
}

function send(publisher: JsonClient, from: number, to: number): void {
  for (let id = from; id <= to; id++) publisher.send(fragment("s", id, String(id)));
}

/** Reads acks, and nothing else, until this number is expected. */
async function acked(publisher: JsonClient, expected: number): Promise<void> {
  for (;;) {
    const ack = await publisher.next();
    expect(ack).toMatchObject({ type: "streamAck", streamId: "s" });
    if (ack["expectedSequenceId"] === expected) return;
  }
}

/** Reads acks, and nothing else, until the stream has ended well. */
async function closed(publisher: JsonClient): Promise<void> {
  for (;;) {
    const answer = await publisher.next();
    if (answer["type"] !== "streamAck") {
      expect(answer).toEqual(streamClosed("s"));
      return;
    }
  }
}

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  describe("a publisher", () => {
    test("C-97 that sends again what was not confirmed before a drop gets acks, and members nothing twice", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      send(publisher, 1, 3);
      await acked(publisher, 4);
      send(publisher, 4, 6);
      await expectFragments(member, 1, 6);
      publisher.socket.abort(); // whatever was answered is lost
      const again = await recover(server, publisher);
      send(again, 4, 8);
      await acked(again, 9);
      expect(await answerTo(again, streamEnd("s"))).toEqual(streamClosed("s"));
      await expectFragments(member, 7, 8);
      expect(await member.next()).toEqual(receivedEnd(origin, 9));
      await member.nothingArrived();
    });

    test("C-97 that is cut amid its fragments again and again loses and repeats none", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      let current: ReliableClient = publisher;
      let unconfirmed = 1;
      for (let round = 1; round <= 10; round++) {
        send(current, unconfirmed, round * 50);
        // Some of it may have arrived, some may have been answered.
        current.socket.abort();
        current = await recover(server, current);
        const probe = await answerTo(current, fragment("s", 1, "1"));
        expect(probe).toMatchObject({ type: "streamAck", streamId: "s" });
        unconfirmed = Number(probe["expectedSequenceId"]);
      }
      send(current, unconfirmed, 500);
      current.send(streamEnd("s"));
      await closed(current);
      await expectFragments(member, 1, 500);
      expect(await member.next()).toEqual(receivedEnd(origin, 501));
    });

    test("C-97 that forgets fragments is refused them after a recovery as before", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      expect(await answerTo(publisher, fragment("s", 1, "1"))).toEqual(streamAck("s", 2));
      await leave(publisher);
      const again = await recover(server, publisher);
      expect(await answerTo(again, fragment("s", 3, "3"))).toEqual(streamNack("s", 2));
      expect(await answerTo(again, fragment("s", 2, "2"))).toEqual(streamAck("s", 3));
      await expectFragments(member, 1, 2);
    });

    test("C-96 that asks again for an end whose answer was lost is told that it ended well", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      send(publisher, 1, 2);
      publisher.send(streamEnd("s"));
      await expectFragments(member, 1, 2);
      expect(await member.next()).toEqual(receivedEnd(origin, 3));
      publisher.socket.abort();
      const again = await recover(server, publisher);
      for (const frame of [fragment("s", 2, "2"), streamEnd("s"), streamKeepAlive("s")])
        expect(await answerTo(again, frame)).toEqual(streamClosed("s"));
      await member.nothingArrived();
    });

    test("C-96 is told so after a second drop too, when it had no time to ask", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      publisher.send(streamEnd("s"));
      expect(await member.next()).toEqual(receivedEnd(origin, 1));
      publisher.socket.abort();
      const once = await recover(server, publisher);
      once.socket.abort();
      const twice = await recover(server, once);
      expect(await answerTo(twice, streamEnd("s"))).toEqual(streamClosed("s"));
    });

    test("C-96 may open a stream of the same id when it is back; what was before does not count then", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      publisher.send(streamEnd("s"));
      expect(await member.next()).toEqual(receivedEnd(origin, 1));
      publisher.socket.abort();
      const again = await recover(server, publisher);
      await openStream(again, "s");
      expect(await answerTo(again, fragment("s", 1, "1"))).toEqual(streamAck("s", 2));
      await expectFragments(member, 1, 1);
      expect(await answerTo(again, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await answerTo(again, streamEnd("s"))).toEqual(streamClosed("s", "StreamNotFound"));
    });

    test("C-97 without a drop learns that the stream is gone, however it ended", async () => {
      const { publisher } = await connect(server);
      await openStream(publisher, "s");
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s"));
      expect(await answerTo(publisher, streamEnd("s"))).toEqual(streamClosed("s", "StreamNotFound"));
      const again = await recover(server, publisher);
      expect(await answerTo(again, streamEnd("never opened"))).toEqual(streamClosed("never opened", "StreamNotFound"));
    });

    test("C-98 that stays away for longer than the idle time-out finds its stream closed by it", async () => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s", { idleTimeoutMs: 1000 });
      await leave(publisher);
      expect(await member.next()).toEqual(receivedEnd(origin, 1, "IdleTimeout"));
      const again = await recover(server, publisher);
      expect(await answerTo(again, fragment("s", 1, "1"))).toEqual(streamClosed("s", "IdleTimeout"));
      await again.nothingArrived();
      await member.nothingArrived();
    });

    test("C-97 whose permission was revoked while it was away is refused when it is back", async () => {
      const { hub, publisher, member } = await connect(server);
      await openStream(publisher, "s");
      await leave(publisher);
      const path = `/permissions/sendToGroup/connections/${publisher.connectionId}?targetName=g`;
      expect((await hubApi(server, hub)("DELETE", path)).status).toBe(204);
      const again = await recover(server, publisher);
      expect(await answerTo(again, fragment("s", 1, "1"))).toEqual(streamClosed("s", "Forbidden"));
      expect(await member.next()).toEqual(receivedEnd(origin, 1, "Forbidden"));
    });

    test.each([1000, undefined])("C-96 that closes with %p cancels its streams at once", async (code) => {
      const { publisher, member } = await connect(server);
      await openStream(publisher, "s");
      publisher.socket.close(code);
      expect(await member.next()).toEqual(receivedEnd(origin, 1, "Cancelled"));
    });

    test("C-96 C-83 whose connection REST ends while it is away cancels its streams", async () => {
      const { hub, publisher, member } = await connect(server);
      await openStream(publisher, "s");
      await leave(publisher);
      await hubApi(server, hub)("DELETE", `/connections/${publisher.connectionId}`);
      expect(await member.next()).toEqual(receivedEnd(origin, 1, "Cancelled"));
    });
  });

  test("C-96 C-72 a member that was away gets every fragment and the end, in order and with the same numbers", async () => {
    const hub = freshName("hub");
    const member = await connectReliable(server, { hub, groups: ["g"] });
    const publisher = await connectJson(server, { hub, roles: ["webpubsub.sendToGroup"] });
    await openStream(publisher, "s");
    send(publisher, 1, 2);
    const before = [await member.socket.nextText(), await member.socket.nextText()];
    member.socket.abort();
    send(publisher, 3, 4);
    publisher.send(streamEnd("s"));
    await closed(publisher);
    const again = await recover(server, member);
    expect([await again.socket.nextText(), await again.socket.nextText()]).toEqual(before);
    expect(before.map((text) => JSON.parse(text) as unknown)).toEqual([
      { sequenceId: 1, ...receivedFragment(origin, 1, "1") },
      { sequenceId: 2, ...receivedFragment(origin, 2, "2") },
    ]);
    for (const id of [3, 4])
      expect(await again.next()).toEqual({ sequenceId: id, ...receivedFragment(origin, id, String(id)) });
    expect(await again.next()).toEqual({ sequenceId: 5, ...receivedEnd(origin, 5) });
    await again.nothingArrived();
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ limits: { reliable: { recoverySeconds: 1, messages: 3 } } });
  });
  afterAll(async () => await server.stop());

  test("C-96 the streams of a client that does not come back are cancelled", async () => {
    const { publisher, member } = await connect(server);
    await openStream(publisher, "s");
    expect(await answerTo(publisher, fragment("s", 1, "1"))).toEqual(streamAck("s", 2));
    publisher.socket.abort();
    await expectFragments(member, 1, 1);
    expect(await member.next()).toEqual(receivedEnd(origin, 2, "Cancelled"));
  });

  /** A reliable publisher in its own group whose buffer is full of three fragments it did not confirm. */
  async function fill() {
    const hub = freshName("hub");
    const publisher = await connectReliable(server, { hub, roles: ["webpubsub.sendToGroup"], groups: ["g"] });
    const member = await connectJson(server, { hub, groups: ["g"] });
    await openStream(publisher, "s");
    send(publisher, 1, 3);
    await expectFragments(member, 1, 3);
    return { publisher, member };
  }

  test("C-96 C-81 a fragment that ends its own publisher is counted before the stream is cancelled", async () => {
    const { publisher, member } = await fill();
    send(publisher, 4, 4);
    await expectFragments(member, 4, 4);
    expect(await member.next()).toEqual(receivedEnd(origin, 5, "Cancelled"));
    await member.nothingArrived();
  });

  test("C-96 C-81 an end that ends its own publisher is told once", async () => {
    const { publisher, member } = await fill();
    publisher.send(streamEnd("s"));
    expect(await member.next()).toEqual(receivedEnd(origin, 4));
    await member.nothingArrived();
  });
});
