import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type FaultyProxy, startFaultyProxy } from "../../support/faulty-proxy.ts";
import { hubApi } from "../../support/hub-api.ts";
import { freshName } from "../../support/names.ts";
import { failureOf } from "../../support/node-agent.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { type Server, startServer } from "../../support/server.ts";
import { type PreviewClient, PreviewProcess } from "./preview-clients.ts";

let server: Server;
let proxy: FaultyProxy;
let publishing: PreviewProcess;
let receiving: PreviewProcess;
beforeAll(async () => {
  publishing = new PreviewProcess();
  receiving = new PreviewProcess();
  // Thousands of fragments at once, for clients that share their machine with everything else.
  server = await startServer({ limits: { reliable: { messages: 20_000 } } });
  proxy = await startFaultyProxy({ target: server.endpoint, random: new SeededRandom(99) });
});
afterAll(async () => {
  await publishing.stop();
  await receiving.stop();
  await proxy.stop();
  await server.stop();
});

interface Where {
  readonly publisherBehind?: FaultyProxy;
  readonly memberBehind?: FaultyProxy;
  readonly protocol?: "plain" | "reliable";
}

/** A publisher and a member of group `g` that follows its streams, each in a Node process of its own. */
async function connect({ publisherBehind, memberBehind, protocol = "reliable" }: Where = {}) {
  const hub = freshName("hub");
  const endpointOf = (behind: FaultyProxy | undefined) => ({ endpoint: behind?.url ?? server.endpoint, protocol });
  const roles = ["webpubsub.sendToGroup"];
  const publisher = await publishing.connect(server, { hub, userId: "ann", roles }, endpointOf(publisherBehind));
  const member = await receiving.connect(server, { hub, roles, groups: ["g"] }, endpointOf(memberBehind));
  await member.do("listen", {});
  return { hub, publisher, member };
}

/** Opens a stream to `g` under its own id as name. */
async function open(publisher: PreviewClient, streamId: string, options: object = {}): Promise<void> {
  expect(await publisher.do("open", streamId, { group: "g", streamId, ...options })).toBe(streamId);
}

/** Resolves when the member has this many fragments of a stream or more. */
async function received(member: PreviewClient, streamId: string, count: number): Promise<void> {
  await member.next("progress", (each) => each["streamId"] === streamId && Number(each["counted"]) >= count);
}

const complete = (streamId: string, counted: number) => ({ groupName: "g", streamId, counted, others: [] });

describe("on a good connection", () => {
  test.each(["plain", "reliable"] as const)(
    "C-96 C-99 thousands of fragments arrive in order (%s)",
    async (protocol) => {
      const { publisher, member } = await connect({ protocol });
      await open(publisher, "s");
      await publishing.with("writeRange", "s", 1, 5000);
      await publishing.with("end", "s");
      expect(await member.next("stream")).toEqual(complete("s", 5000));
      await publisher.do("settle");
      expect(await publishing.with("writerErrors", "s")).toEqual([]);
      expect((await failureOf(publishing.with("write", "s", "late", "text")))["message"]).toContain("completed");
    },
  );

  test("C-96 fragments of every type arrive with their sender", async () => {
    const { publisher, member } = await connect();
    await open(publisher, "s");
    await publishing.with("write", "s", "grüß", "text");
    await publishing.with("write", "s", { a: [1.5, null] }, "json");
    await publishing.with("write", "s", new Uint8Array([1, 2, 255]), "binary");
    await publishing.with("end", "s");
    const part = { fromUserId: "ann" };
    expect(await member.next("stream")).toEqual({
      ...complete("s", 0),
      others: [
        { ...part, id: 1, dataType: "text", data: "grüß" },
        { ...part, id: 2, dataType: "json", data: { a: [1.5, null] } },
        { ...part, id: 3, dataType: "binary", data: Buffer.from([1, 2, 255]) },
      ],
    });
  });

  test("C-96 an abort reaches the reader as UserError with message and code", async () => {
    const { publisher, member } = await connect();
    await open(publisher, "s");
    await publishing.with("writeRange", "s", 1, 3);
    await publishing.with("abort", "s", { message: "no more", userErrorCode: "E1" });
    const error = { name: "UserError", message: "no more", userErrorCode: "E1" };
    expect(await member.next("stream")).toEqual({ ...complete("s", 3), error });
    await publisher.do("settle");
    expect(await publishing.with("writerErrors", "s")).toEqual([]);
  });

  test("C-96 a publisher in the group reads its own stream unless it said noEcho", async () => {
    const { hub, member } = await connect();
    const roles = ["webpubsub.sendToGroup"];
    const publisher = await publishing.connect(server, { hub, roles, groups: ["g"] });
    await publisher.do("listen", {});
    for (const [streamId, noEcho] of [
      ["quiet", true],
      ["loud", false],
    ] as const) {
      await open(publisher, streamId, { noEcho });
      await publishing.with("writeRange", streamId, 1, 10);
      await publishing.with("end", streamId);
      expect(await member.next("stream")).toEqual(complete(streamId, 10));
    }
    expect(await publisher.next("stream")).toEqual(complete("loud", 10));
  });

  test("C-96 several streams at a time keep apart, and an id can be used again", async () => {
    const { publisher, member } = await connect();
    const ids = ["one", "two", "three"];
    for (let round = 0; round < 2; round++) {
      for (const id of ids) await open(publisher, id);
      await Promise.all(ids.map((id) => publishing.with("writeRange", id, 1, 300)));
      for (const id of ids) await publishing.with("end", id);
      const streams = [await member.next("stream"), await member.next("stream"), await member.next("stream")];
      expect(new Set(streams.map((each) => each["streamId"]))).toEqual(new Set(ids));
      for (const stream of streams) expect(stream).toEqual(complete(String(stream["streamId"]), 300));
      await publisher.do("settle");
    }
  });

  test("C-98 idleTimeoutInMs ends a silent stream for writer and reader", async () => {
    const { publisher, member } = await connect();
    await open(publisher, "s", { idleTimeoutInMs: 50 });
    expect(await publisher.next("writer-error")).toMatchObject({ writer: "s", error: { name: "IdleTimeout" } });
    expect(await member.next("stream")).toMatchObject({ ...complete("s", 0), error: { name: "IdleTimeout" } });
    expect((await failureOf(publishing.with("write", "s", "late", "text")))["message"]).toContain("completed");
  });

  test("C-97 openGroupStream without permission is refused, and a revoked one ends the stream", async () => {
    const { hub, publisher, member } = await connect();
    const denied = await publishing.connect(server, { hub });
    expect(await failureOf(denied.do("open", "denied", { group: "g" }))).toMatchObject({ name: "Forbidden" });
    await open(publisher, "s");
    await publishing.with("writeRange", "s", 1, 50);
    await received(member, "s", 50);
    const path = `/permissions/sendToGroup/connections/${publisher.connectionId}?targetName=g`;
    expect((await hubApi(server, hub)("DELETE", path)).status).toBe(204);
    await publishing.with("write", "s", "51", "text");
    expect(await publisher.next("writer-error")).toMatchObject({ writer: "s", error: { name: "Forbidden" } });
    expect(await member.next("stream")).toMatchObject({ ...complete("s", 50), error: { name: "Forbidden" } });
  });

  test("C-96 a publisher that stops cancels its stream for the reader", async () => {
    const { publisher, member } = await connect();
    await open(publisher, "s");
    await publishing.with("writeRange", "s", 1, 50);
    await received(member, "s", 50);
    await publisher.do("stop");
    expect(await member.next("stream")).toMatchObject({ ...complete("s", 50), error: { name: "Cancelled" } });
  });
});

describe("across forced recoveries", () => {
  const perRound = 600;
  const rounds = ["rst", "fin", "rst", "fin", "rst", "fin"] as const;

  test.each<[who: string, behind: () => Where]>([
    ["the publisher", () => ({ publisherBehind: proxy })],
    ["the reader", () => ({ memberBehind: proxy })],
    ["both", () => ({ publisherBehind: proxy, memberBehind: proxy })],
  ])("C-99 a stream arrives without gap and duplicate when %s is cut again and again", async (_who, behind) => {
    const { publisher, member } = await connect(behind());
    await open(publisher, "s");
    const before = proxy.accepted;
    for (const [round, fault] of rounds.entries()) {
      const from = round * perRound + 1;
      const written = publishing.with("writeRange", "s", from, from + perRound - 1);
      await received(member, "s", round * perRound + 50);
      proxy.cut(fault);
      await written;
      await received(member, "s", (round + 1) * perRound);
    }
    await publishing.with("end", "s");
    expect(await member.next("stream")).toEqual(complete("s", rounds.length * perRound));
    expect(proxy.accepted - before).toBeGreaterThanOrEqual(rounds.length);
    await publisher.do("settle");
    expect(await publishing.with("writerErrors", "s")).toEqual([]);
    // They are the connections they were.
    for (const client of [publisher, member]) expect(await client.do("happened")).toEqual(["connected"]);
  });

  test("C-96 C-99 an end whose answer is lost is an end without error, and once", async () => {
    const { publisher, member } = await connect({ publisherBehind: proxy });
    for (const [round, fault] of rounds.entries()) {
      const id = `s${round}`;
      await open(publisher, id);
      await publishing.with("writeRange", id, 1, 50);
      await received(member, id, 50);
      proxy.swallowAnswers();
      await publishing.with("end", id);
      expect(await member.next("stream")).toEqual(complete(id, 50));
      proxy.cut(fault);
      await publisher.do("settle");
      expect(await publishing.with("writerErrors", id)).toEqual([]);
    }
    expect(await publisher.do("happened")).toEqual(["connected"]);
    // Nothing of them is told again: the next to come is the next to be opened.
    await open(publisher, "last");
    await publishing.with("end", "last");
    expect(await member.next("stream")).toEqual(complete("last", 0));
  });
});
