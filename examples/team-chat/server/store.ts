import type { Chat, Message, Person, Place } from "../shared/protocol.ts";

/** Whom and what to remember; `sql-store.ts` keeps it in SQLite or PostgreSQL. */
export interface Store {
  /**
   * The person with this name, new where there is none; the colour becomes this one. The very first person is the admin.
   * Null: there are too many people already.
   */
  signIn(name: string, color: number): Promise<Person | null>;
  person(id: string): Promise<Person | null>;
  people(): Promise<readonly Person[]>;
  /** Why this person may not come in, null for everybody else. */
  closedReason(personId: string): Promise<string | null>;
  setClosedReason(personId: string, reason: string | null): Promise<void>;

  /** Null: the name is taken, or there are too many rooms already. */
  createRoom(name: string): Promise<Chat | null>;
  /** The one private chat of these two, new where there is none. */
  privateChat(personId: string, otherId: string): Promise<Chat>;
  chat(id: string): Promise<Chat | null>;
  /** All rooms, and the private chats of this person. */
  chatsFor(personId: string): Promise<readonly Chat[]>;
  /** What was said before counts as read. */
  join(chatId: string, personId: string): Promise<void>;
  leave(chatId: string, personId: string): Promise<void>;
  /** One for each chat the person is in. */
  places(personId: string): Promise<readonly Place[]>;
  /** Null: not in this chat. */
  place(chatId: string, personId: string): Promise<Place | null>;
  markRead(chatId: string, personId: string, messageId: number): Promise<void>;

  /**
   * Resolves when the message is stored. The ids of a chat are 1, 2, 3 … in the order in which messages can be read. The same
   * `clientId` of the same author in the same chat again gives the message stored before.
   */
  addMessage(message: NewMessage): Promise<Message>;
  /** A page of messages, oldest first: those just before or just after an id, or the newest. */
  messages(chatId: string, range: Range): Promise<readonly Message[]>;

  /** Presence: a person is online while there is a connection, and away while all of them are idle. */
  connect(connectionId: string, personId: string, isIdle: boolean): Promise<void>;
  setIdle(connectionId: string, isIdle: boolean): Promise<void>;
  disconnect(connectionId: string): Promise<void>;
  connections(): Promise<readonly Connection[]>;

  close(): Promise<void>;
}

export type NewMessage = Omit<Message, "id">;

export interface Range {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly count: number;
}

export interface Connection {
  readonly id: string;
  readonly personId: string;
}

/** The room that everybody is in from the start. */
export const general = { id: "general", name: "General" } as const;

export const storeLimits = { people: 500, rooms: 200 } as const;
