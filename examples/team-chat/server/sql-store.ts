import { randomUUID } from "node:crypto";
import { SQL } from "bun";
import type { Chat, Message, Person, Place } from "../shared/protocol.ts";
import { type Connection, general, type NewMessage, type Range, type Store, storeLimits } from "./store.ts";

/** Types that mean the same in SQLite and PostgreSQL. */
const schema = `
  CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, color INTEGER NOT NULL,
    is_admin INTEGER NOT NULL, closed_reason TEXT);
  CREATE UNIQUE INDEX IF NOT EXISTS one_admin ON people (is_admin) WHERE is_admin = 1;
  CREATE TABLE IF NOT EXISTS chats (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, chat_key TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS members (
    chat_id TEXT NOT NULL, person_id TEXT NOT NULL, last_read INTEGER NOT NULL, PRIMARY KEY (chat_id, person_id));
  CREATE INDEX IF NOT EXISTS members_of_person ON members (person_id);
  CREATE TABLE IF NOT EXISTS messages (
    chat_id TEXT NOT NULL, id INTEGER NOT NULL, author_id TEXT NOT NULL, client_id TEXT NOT NULL, text TEXT NOT NULL,
    sent_at BIGINT NOT NULL, PRIMARY KEY (chat_id, id), UNIQUE (chat_id, author_id, client_id));
  CREATE TABLE IF NOT EXISTS connections (id TEXT PRIMARY KEY, person_id TEXT NOT NULL, is_idle INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS connections_of_person ON connections (person_id);
`;

/** Any number that is the same for all servers of this application. */
const schemaLock = 2003;

type Row = Readonly<Record<string, string | number | null>>;

/**
 * Opens the database of a `postgres://…` URL, or the SQLite file of that name. Several servers may use one PostgreSQL database;
 * a SQLite file belongs to one.
 */
export async function openStore(database: string): Promise<Store> {
  const isPostgres = /^postgres(ql)?:\/\//.test(database);
  const sql = isPostgres ? new SQL(database) : new SQL({ adapter: "sqlite", filename: database });
  if (isPostgres) {
    await sql.begin(async (transaction) => {
      // CREATE … IF NOT EXISTS alone fails where two servers start at the same moment.
      await transaction`SELECT pg_advisory_xact_lock(${schemaLock})`;
      await transaction.unsafe(schema);
    });
  } else {
    await sql.unsafe("PRAGMA journal_mode = WAL");
    await sql.unsafe(schema);
  }
  const store = new SqlStore(sql);
  await store.createGeneral();
  return store;
}

/**
 * Statements that both databases understand. Each is whole by itself, so none needs a transaction, and two servers may run
 * them at the same time.
 */
class SqlStore implements Store {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  async createGeneral(): Promise<void> {
    await this.#insertChat({ ...general, kind: "room", key: roomKey(general.name) });
  }

  async signIn(name: string, color: number): Promise<Person | null> {
    for (;;) {
      const known: Row[] = await this.#sql`
        UPDATE people SET color = ${color} WHERE name_key = ${nameKey(name)} RETURNING id`;
      const [{ id } = { id: null }] = known.length > 0 ? known : await this.#insertPerson(name, color);
      if (id !== null) return this.person(text(id));
      const [count]: Row[] = await this.#sql`SELECT COUNT(*) AS people FROM people`;
      if (Number(count?.["people"]) >= storeLimits.people) return null;
      // Somebody else took the name, or became the admin, between the two statements: then it is known now.
    }
  }

  async #insertPerson(name: string, color: number): Promise<Row[]> {
    return this.#sql`
      INSERT INTO people (id, name, name_key, color, is_admin, closed_reason)
      SELECT ${randomUUID()}, ${name}, ${nameKey(name)}, ${color}, CASE WHEN known = 0 THEN 1 ELSE 0 END, NULL
      FROM (SELECT COUNT(*) AS known FROM people) counted WHERE known < ${storeLimits.people}
      ON CONFLICT DO NOTHING RETURNING id`;
  }

  async person(id: string): Promise<Person | null> {
    const [row] = await this.#people(this.#sql`WHERE p.id = ${id}`);
    return row ?? null;
  }

  people(): Promise<readonly Person[]> {
    return this.#people(this.#sql``);
  }

  async #people(where: SQL.Query<unknown>): Promise<Person[]> {
    const rows: Row[] = await this.#sql`
      SELECT p.*,
        (SELECT COUNT(*) FROM connections c WHERE c.person_id = p.id) AS all_connections,
        (SELECT COUNT(*) FROM connections c WHERE c.person_id = p.id AND c.is_idle = 0) AS active_connections
      FROM people p ${where} ORDER BY p.name_key`;
    return rows.map((row) => ({
      id: text(row["id"]),
      name: text(row["name"]),
      color: Number(row["color"]),
      isAdmin: Number(row["is_admin"]) === 1,
      isClosed: row["closed_reason"] !== null,
      presence:
        Number(row["active_connections"]) > 0 ? "online" : Number(row["all_connections"]) > 0 ? "away" : "offline",
    }));
  }

  async closedReason(personId: string): Promise<string | null> {
    const [row]: Row[] = await this.#sql`SELECT closed_reason FROM people WHERE id = ${personId}`;
    const reason = row?.["closed_reason"] ?? null;
    return reason === null ? null : text(reason);
  }

  async setClosedReason(personId: string, reason: string | null): Promise<void> {
    await this.#sql`UPDATE people SET closed_reason = ${reason} WHERE id = ${personId}`;
  }

  async createRoom(name: string): Promise<Chat | null> {
    const id = randomUUID();
    const rows: Row[] = await this.#sql`
      INSERT INTO chats (id, kind, name, chat_key)
      SELECT ${id}, 'room', ${name}, ${roomKey(name)}
      FROM (SELECT COUNT(*) AS rooms FROM chats WHERE kind = 'room') counted WHERE rooms < ${storeLimits.rooms}
      ON CONFLICT DO NOTHING RETURNING id`;
    return rows.length > 0 ? { id, kind: "room", name, members: [] } : null;
  }

  async privateChat(personId: string, otherId: string): Promise<Chat> {
    const key = `private:${[personId, otherId].toSorted().join(":")}`;
    await this.#insertChat({ id: randomUUID(), kind: "private", name: "", key });
    const [chat] = await this.#chats(this.#sql`WHERE chat_key = ${key}`);
    if (chat === undefined) throw new Error("a private chat that was just stored is gone");
    await this.join(chat.id, personId);
    await this.join(chat.id, otherId);
    return { ...chat, members: [personId, otherId] };
  }

  async #insertChat(chat: { id: string; kind: Chat["kind"]; name: string; key: string }): Promise<boolean> {
    const rows: Row[] = await this.#sql`
      INSERT INTO chats (id, kind, name, chat_key) VALUES (${chat.id}, ${chat.kind}, ${chat.name}, ${chat.key})
      ON CONFLICT DO NOTHING RETURNING id`;
    return rows.length > 0;
  }

  async chat(id: string): Promise<Chat | null> {
    const [chat] = await this.#chats(this.#sql`WHERE c.id = ${id}`);
    return chat ?? null;
  }

  chatsFor(personId: string): Promise<readonly Chat[]> {
    return this.#chats(this.#sql`
      WHERE c.kind = 'room' OR c.id IN (SELECT own.chat_id FROM members own WHERE own.person_id = ${personId})`);
  }

  async #chats(where: SQL.Query<unknown>): Promise<Chat[]> {
    const rows: Row[] = await this.#sql`
      SELECT c.id, c.kind, c.name, m.person_id
      FROM chats c LEFT JOIN members m ON m.chat_id = c.id ${where} ORDER BY c.chat_key, m.person_id`;
    const chats = new Map<string, Chat & { members: string[] }>();
    for (const row of rows) {
      const id = text(row["id"]);
      const kind = row["kind"] === "private" ? "private" : "room";
      const chat = chats.get(id) ?? { id, kind, name: text(row["name"]), members: [] };
      if (row["person_id"] !== null) chat.members.push(text(row["person_id"]));
      chats.set(id, chat);
    }
    return [...chats.values()];
  }

  async join(chatId: string, personId: string): Promise<void> {
    await this.#sql`
      INSERT INTO members (chat_id, person_id, last_read)
      SELECT ${chatId}, ${personId}, COALESCE(MAX(id), 0) FROM messages WHERE chat_id = ${chatId}
      ON CONFLICT DO NOTHING`;
  }

  async leave(chatId: string, personId: string): Promise<void> {
    await this.#sql`DELETE FROM members WHERE chat_id = ${chatId} AND person_id = ${personId}`;
  }

  places(personId: string): Promise<readonly Place[]> {
    return this.#places(this.#sql`WHERE m.person_id = ${personId}`);
  }

  async place(chatId: string, personId: string): Promise<Place | null> {
    const [place] = await this.#places(this.#sql`WHERE m.chat_id = ${chatId} AND m.person_id = ${personId}`);
    return place ?? null;
  }

  async #places(where: SQL.Query<unknown>): Promise<Place[]> {
    const rows: Row[] = await this.#sql`
      SELECT m.chat_id, m.last_read,
        (SELECT COALESCE(MAX(x.id), 0) FROM messages x WHERE x.chat_id = m.chat_id) AS latest,
        (SELECT COUNT(*) FROM messages x
          WHERE x.chat_id = m.chat_id AND x.id > m.last_read AND x.author_id <> m.person_id) AS unread
      FROM members m ${where}`;
    return rows.map((row) => ({
      chatId: text(row["chat_id"]),
      lastRead: Number(row["last_read"]),
      latest: Number(row["latest"]),
      unread: Number(row["unread"]),
    }));
  }

  async markRead(chatId: string, personId: string, messageId: number): Promise<void> {
    await this.#sql`
      UPDATE members SET last_read = ${messageId}
      WHERE chat_id = ${chatId} AND person_id = ${personId} AND last_read < ${messageId}`;
  }

  async addMessage({ chatId, authorId, clientId, text: body, sentAt }: NewMessage): Promise<Message> {
    for (;;) {
      // The next number is only free once the message before it can be read: no reader ever sees a gap fill up later.
      const stored: Row[] = await this.#sql`
        INSERT INTO messages (chat_id, id, author_id, client_id, text, sent_at)
        SELECT ${chatId}, COALESCE(MAX(id), 0) + 1, ${authorId}, ${clientId}, ${body}, ${sentAt}
        FROM messages WHERE chat_id = ${chatId}
        ON CONFLICT DO NOTHING RETURNING *`;
      const known: Row[] =
        stored.length > 0
          ? stored
          : await this.#sql`
              SELECT * FROM messages
              WHERE chat_id = ${chatId} AND author_id = ${authorId} AND client_id = ${clientId}`;
      const [row] = known;
      if (row !== undefined) return toMessage(row);
      // Another message took the number at the same moment: take the next.
    }
  }

  async messages(chatId: string, { before, after, count }: Range): Promise<readonly Message[]> {
    if (after !== undefined) {
      const rows: Row[] = await this.#sql`
        SELECT * FROM messages WHERE chat_id = ${chatId} AND id > ${after} ORDER BY id LIMIT ${count}`;
      return rows.map(toMessage);
    }
    const bound = before === undefined ? this.#sql`` : this.#sql`AND id < ${before}`;
    const rows: Row[] = await this.#sql`
      SELECT * FROM messages WHERE chat_id = ${chatId} ${bound} ORDER BY id DESC LIMIT ${count}`;
    return rows.map(toMessage).toReversed();
  }

  async connect(connectionId: string, personId: string, isIdle: boolean): Promise<void> {
    const idle = isIdle ? 1 : 0;
    await this.#sql`
      INSERT INTO connections (id, person_id, is_idle) VALUES (${connectionId}, ${personId}, ${idle})
      ON CONFLICT (id) DO UPDATE SET is_idle = ${idle}`;
  }

  async setIdle(connectionId: string, isIdle: boolean): Promise<void> {
    await this.#sql`UPDATE connections SET is_idle = ${isIdle ? 1 : 0} WHERE id = ${connectionId}`;
  }

  async disconnect(connectionId: string): Promise<void> {
    await this.#sql`DELETE FROM connections WHERE id = ${connectionId}`;
  }

  async connections(): Promise<readonly Connection[]> {
    const rows: Row[] = await this.#sql`SELECT id, person_id FROM connections`;
    return rows.map((row) => ({ id: text(row["id"]), personId: text(row["person_id"]) }));
  }

  async close(): Promise<void> {
    await this.#sql.close();
  }
}

/** Two names that look alike up to case are one. */
const nameKey = (name: string): string => name.normalize("NFKC").toLowerCase();
const roomKey = (name: string): string => `room:${nameKey(name)}`;
const text = (value: string | number | null | undefined): string => String(value ?? "");

/** PostgreSQL hands out BIGINT as text. */
const toMessage = (row: Row): Message => ({
  chatId: text(row["chat_id"]),
  id: Number(row["id"]),
  authorId: text(row["author_id"]),
  clientId: text(row["client_id"]),
  text: text(row["text"]),
  sentAt: Number(row["sent_at"]),
});
