import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openStore } from "../../examples/team-chat/server/sql-store.ts";
import { general, type Store, storeLimits } from "../../examples/team-chat/server/store.ts";
import { tempDir } from "../support/temp.ts";
import { type Postgres, startPostgres } from "./postgres.ts";

/** What both databases have to do; `first` and `second` are two servers' views of one PostgreSQL database. */
describe.each(["SQLite", "PostgreSQL"] as const)("tutorial: the store of the team chat in %s", (kind) => {
  let postgres: Postgres | null = null;
  let database: string;
  let first: Store;
  let second: Store;

  beforeAll(async () => {
    if (kind === "PostgreSQL") postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres?.stop();
  });
  beforeEach(async () => {
    database = postgres === null ? join(tempDir(), "team.sqlite") : await postgres.createDatabase();
    if (postgres === null) {
      first = await openStore(database);
      second = first;
    } else {
      [first, second] = await Promise.all([openStore(database), openStore(database)]);
    }
  });
  afterEach(async () => {
    await first.close();
    if (second !== first) await second.close();
  });

  const personOf = async (name: string, store = first) => {
    const person = await store.signIn(name, 0);
    if (person === null) throw new Error(`${name} cannot sign in`);
    return person;
  };
  const sayIn = (store: Store) => (chatId: string, authorId: string, clientId: string) =>
    store.addMessage({ chatId, authorId, clientId, text: `says ${clientId}`, sentAt: 1_800_000_000_000 });
  const say = (chatId: string, authorId: string, clientId: string) => sayIn(first)(chatId, authorId, clientId);

  test("the first person is the admin, also when many come at once, and a name is one person whatever its case", async () => {
    const names = ["Ann", "Ben", "Cleo", "ANN", "Dan"];
    const people = await Promise.all(names.map((name, at) => personOf(name, at % 2 === 0 ? first : second)));
    expect(people.filter((person) => person.isAdmin)).toHaveLength(people[0]?.isAdmin ? 2 : 1);
    expect(people[0]?.id).toBe(people[3]?.id ?? "");
    expect((await second.people()).map((person) => person.name.toLowerCase())).toEqual(["ann", "ben", "cleo", "dan"]);
    expect((await first.people()).filter((person) => person.isAdmin)).toHaveLength(1);
    expect(await first.signIn("Ann", 5)).toMatchObject({ id: people[0]?.id, color: 5 });
    expect(await first.person("nobody")).toBeNull();
  });

  test("there is an end to people and rooms", async () => {
    for (let at = 0; at < storeLimits.people; at++) await first.signIn(`person ${at}`, 0);
    expect(await first.signIn("one more", 0)).toBeNull();
    expect(await first.signIn("person 7", 1)).toMatchObject({ name: "person 7", color: 1 });
    for (let at = 1; at < storeLimits.rooms; at++) expect(await first.createRoom(`room ${at}`)).not.toBeNull();
    expect(await first.createRoom("one more")).toBeNull();
  });

  test("rooms have names of their own, and everybody sees them; private chats are seen by two", async () => {
    const [ann, ben, cleo] = [await personOf("Ann"), await personOf("Ben"), await personOf("Cleo")];
    const room = await first.createRoom("Plans");
    expect(await second.createRoom("PLANS")).toBeNull();
    expect(await second.createRoom("general")).toBeNull();
    const [one, other] = await Promise.all([first.privateChat(ann.id, ben.id), second.privateChat(ben.id, ann.id)]);
    expect(one.id).toBe(other.id);
    const idsFor = async (id: string) => (await second.chatsFor(id)).map((chat) => chat.id);
    expect(new Set(await idsFor(ben.id))).toEqual(new Set([one.id, general.id, room?.id ?? ""]));
    expect(new Set(await idsFor(cleo.id))).toEqual(new Set([general.id, room?.id ?? ""]));
    expect(new Set((await first.chat(one.id))?.members)).toEqual(new Set([ann.id, ben.id]));
    expect(await first.place(one.id, cleo.id)).toBeNull();

    await first.join(general.id, ann.id);
    await first.join(general.id, ann.id);
    expect((await second.chat(general.id))?.members).toEqual([ann.id]);
    await second.leave(general.id, ann.id);
    expect((await first.chat(general.id))?.members).toEqual([]);
  });

  test("messages sent at the same moment by two servers get 1, 2, 3 … in each chat", async () => {
    const [ann, ben] = [await personOf("Ann"), await personOf("Ben")];
    const { id } = await first.privateChat(ann.id, ben.id);
    const numbers = Array.from({ length: 20 }, (_, at) => at);
    const stored = await Promise.all(
      numbers.map((at) => sayIn(at % 2 === 0 ? first : second)(id, at % 3 === 0 ? ann.id : ben.id, `m${at}`)),
    );
    expect(stored.map((message) => message.id).toSorted((a, b) => a - b)).toEqual(numbers.map((at) => at + 1));
    const read = await second.messages(id, { count: 100 });
    expect(read.map((message) => message.id)).toEqual(numbers.map((at) => at + 1));
    expect(read.find((message) => message.clientId === "m7")).toEqual(
      stored.find((message) => message.clientId === "m7"),
    );
    expect((await say(general.id, ann.id, "m0")).id).toBe(1);
  });

  test("a message sent again is stored once, also when both attempts run at once", async () => {
    const [ann, ben] = [await personOf("Ann"), await personOf("Ben")];
    const attempts = await Promise.all([
      sayIn(first)(general.id, ann.id, "same"),
      sayIn(second)(general.id, ann.id, "same"),
      sayIn(second)(general.id, ben.id, "same"),
    ]);
    expect(attempts[0]).toEqual(attempts[1]);
    expect(await say(general.id, ann.id, "same")).toEqual(attempts[0]);
    expect(await first.messages(general.id, { count: 10 })).toHaveLength(2);
  });

  test("history comes in pages, upwards and downwards", async () => {
    const ann = await personOf("Ann");
    for (let at = 1; at <= 12; at++) await say(general.id, ann.id, `m${at}`);
    const idsOf = async (range: { before?: number; after?: number; count: number }) =>
      (await second.messages(general.id, range)).map((message) => message.id);
    expect(await idsOf({ count: 5 })).toEqual([8, 9, 10, 11, 12]);
    expect(await idsOf({ before: 8, count: 5 })).toEqual([3, 4, 5, 6, 7]);
    expect(await idsOf({ before: 3, count: 5 })).toEqual([1, 2]);
    expect(await idsOf({ after: 9, count: 2 })).toEqual([10, 11]);
    expect(await idsOf({ after: 12, count: 2 })).toEqual([]);
  });

  test("what others wrote since one last read is unread", async () => {
    const [ann, ben] = [await personOf("Ann"), await personOf("Ben")];
    await say(general.id, ann.id, "before");
    await first.join(general.id, ann.id);
    await first.join(general.id, ben.id);
    expect(await second.place(general.id, ben.id)).toEqual({
      chatId: general.id,
      lastRead: 1,
      latest: 1,
      unread: 0,
    });
    await say(general.id, ann.id, "one");
    await say(general.id, ben.id, "own");
    await say(general.id, ann.id, "two");
    expect(await second.place(general.id, ben.id)).toMatchObject({ latest: 4, unread: 2 });
    await first.markRead(general.id, ben.id, 4);
    await first.markRead(general.id, ben.id, 2);
    expect(await second.places(ben.id)).toEqual([{ chatId: general.id, lastRead: 4, latest: 4, unread: 0 }]);
    expect(await second.place(general.id, ann.id)).toMatchObject({ unread: 1 });
  });

  test("somebody is away when all connections are idle, and offline without any", async () => {
    const ann = await personOf("Ann");
    const presence = async () => (await second.person(ann.id))?.presence;
    expect(await presence()).toBe("offline");
    await first.connect("c1", ann.id, false);
    await second.connect("c2", ann.id, true);
    await second.connect("c2", ann.id, true);
    expect(await presence()).toBe("online");
    await first.setIdle("c1", true);
    expect(await presence()).toBe("away");
    await second.setIdle("c2", false);
    expect(await presence()).toBe("online");
    expect(await second.connections()).toHaveLength(2);
    await first.disconnect("c1");
    await first.disconnect("c2");
    expect(await presence()).toBe("offline");
  });

  test("a person is closed with a reason, and reopened", async () => {
    const ann = await personOf("Ann");
    await first.setClosedReason(ann.id, "enough");
    expect(await second.closedReason(ann.id)).toBe("enough");
    expect(await second.person(ann.id)).toMatchObject({ isClosed: true });
    await second.setClosedReason(ann.id, null);
    expect(await first.closedReason(ann.id)).toBeNull();
  });

  test("everything is there when the database is opened again", async () => {
    const text = `'; DROP TABLE messages; -- <b>"grüß dich"</b> 🌍 \\ %s $1 ?`;
    const ann = await personOf("Ann é");
    await first.join(general.id, ann.id);
    await first.addMessage({ chatId: general.id, authorId: ann.id, clientId: "c", text, sentAt: 1_800_000_000_123 });
    const again = await openStore(database);
    try {
      expect(await again.person(ann.id)).toEqual(ann);
      expect(await again.messages(general.id, { count: 10 })).toEqual([
        { chatId: general.id, id: 1, authorId: ann.id, clientId: "c", text, sentAt: 1_800_000_000_123 },
      ]);
    } finally {
      await again.close();
    }
  });
});
