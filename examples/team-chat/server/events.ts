import { odata, type WebPubSubServiceClient } from "@azure/web-pubsub";
import { type ConnectionContext, WebPubSubEventHandler } from "@azure/web-pubsub-express";
import { type Answer, type Calls, limits, type Notes, type Person, type Push, pageSize } from "../shared/protocol.ts";
import { optional, Refusal, readId, readInteger, readLine, readText } from "./input.ts";
import type { Store } from "./store.ts";

export interface EventOptions {
  readonly hub: string;
  readonly store: Store;
  readonly service: WebPubSubServiceClient;
  readonly idleAfterMs: number;
}

export interface Events {
  readonly handler: WebPubSubEventHandler;
  /** Tells everybody how this person is now. */
  announcePerson(id: string): Promise<void>;
  announceChat(id: string): Promise<void>;
  /** Forgets connections that are gone: their `disconnected` event came while no server of this application ran. */
  sweep(): Promise<void>;
}

/** Who sent an event, on which connection. */
interface Caller {
  readonly me: Person;
  readonly connectionId: string;
}

type Ask = Readonly<Record<string, unknown>>;
type CallHandlers = { [Name in keyof Calls]: (ask: Ask, caller: Caller) => Promise<Calls[Name]["reply"]> };
type NoteHandlers = { [Name in keyof Notes]: (ask: Ask, caller: Caller) => Promise<void> };

/** The service's group of those who see a chat. */
const groupOf = (chatId: string): string => `chat-${chatId}`;

/**
 * What the application does when a page connects, sends a custom event, or is gone. Nothing is remembered here, only in the
 * store and by the service, so any number of servers can share the work.
 */
export function createEvents({ hub, store, service, idleAfterMs }: EventOptions): Events {
  const publish = (chatId: string, push: Push) => service.group(groupOf(chatId)).sendToAll({ ...push });

  /**
   * Publishes how something is, and again if it changed meanwhile: another server may have published the newer state before
   * this one got to publish the older.
   */
  async function publishCurrent<State>(
    read: () => Promise<State>,
    send: (state: State) => Promise<void>,
  ): Promise<void> {
    let state = await read();
    for (;;) {
      await send(state);
      const now = await read();
      if (Bun.deepEquals(now, state)) return;
      state = now;
    }
  }

  const announcePerson = (id: string) =>
    publishCurrent(
      () => store.person(id),
      async (person) => {
        if (person !== null) await service.sendToAll({ kind: "person", person } satisfies Push);
      },
    );

  const announceChat = (id: string) =>
    publishCurrent(
      () => store.chat(id),
      async (chat) => {
        if (chat === null) return;
        const push = { kind: "chat", chat } satisfies Push;
        if (chat.kind === "room") await service.sendToAll(push);
        else for (const member of chat.members) await service.sendToUser(member, push);
      },
    );

  async function tellPlace(chatId: string, personId: string) {
    const place = await store.place(chatId, personId);
    if (place !== null) await service.sendToUser(personId, { kind: "place", place } satisfies Push);
    return place;
  }

  /** Only members read and write. */
  async function ownChat(value: unknown, { me }: Caller): Promise<string> {
    const chatId = readId(value);
    if ((await store.place(chatId, me.id)) === null) throw new Refusal("You are not in this chat.");
    return chatId;
  }

  async function existing<Value>(found: Promise<Value | null>, what: string): Promise<Value> {
    const value = await found;
    if (value === null) throw new Refusal(`There is no such ${what}.`);
    return value;
  }

  async function otherPerson(value: unknown, { me }: Caller): Promise<Person> {
    const person = await existing(store.person(readId(value)), "person");
    if (person.id === me.id) throw new Refusal("That is you.");
    return person;
  }

  async function room(value: unknown) {
    const chat = await existing(store.chat(readId(value)), "room");
    if (chat.kind !== "room") throw new Refusal("That is no room.");
    return chat;
  }

  async function join(chatId: string, personId: string) {
    await store.join(chatId, personId);
    await service.group(groupOf(chatId)).addUser(personId);
    await announceChat(chatId);
    await tellPlace(chatId, personId);
  }

  function adminOnly({ me }: Caller): void {
    if (!me.isAdmin) throw new Refusal("Only the admin can do that.");
  }

  const calls: CallHandlers = {
    async enter(ask, { me, connectionId }) {
      await store.connect(connectionId, me.id, ask["isIdle"] === true);
      // First into the groups, then the snapshot: a message is in one of the two, if not in both.
      const chatIds = (await store.places(me.id)).map((place) => place.chatId);
      const filter = odata`connectionId eq ${connectionId}`;
      if (chatIds.length > 0) await service.addConnectionsToGroups(chatIds.map(groupOf), filter);
      await announcePerson(me.id);
      const places = await store.places(me.id);
      const left = chatIds.filter((id) => !places.some((place) => place.chatId === id));
      if (left.length > 0) await service.removeConnectionsFromGroups(left.map(groupOf), filter);
      return { me: me.id, people: await store.people(), chats: await store.chatsFor(me.id), places, idleAfterMs };
    },

    async createChat(ask, { me }) {
      const chat = await store.createRoom(readLine(ask["name"], "A room's name", limits.roomNameLength));
      if (chat === null) throw new Refusal("There is a room of that name already, or there are too many rooms.");
      await join(chat.id, me.id);
      return existing(store.chat(chat.id), "room");
    },

    async joinChat(ask, { me }) {
      const { id } = await room(ask["chatId"]);
      await join(id, me.id);
      return existing(store.chat(id), "room");
    },

    async leaveChat(ask, { me }) {
      const { id } = await room(ask["chatId"]);
      await store.leave(id, me.id);
      await service.group(groupOf(id)).removeUser(me.id);
      await announceChat(id);
      return existing(store.chat(id), "room");
    },

    async startPrivateChat(ask, caller) {
      const other = await otherPerson(ask["personId"], caller);
      const chat = await store.privateChat(caller.me.id, other.id);
      for (const member of chat.members) await service.group(groupOf(chat.id)).addUser(member);
      await announceChat(chat.id);
      return chat;
    },

    async sendMessage(ask, caller) {
      const chatId = await ownChat(ask["chatId"], caller);
      const clientId = readId(ask["clientId"]);
      const text = readText(ask["text"], limits.textLength);
      const message = await store.addMessage({ chatId, clientId, text, authorId: caller.me.id, sentAt: Date.now() });
      // Also when it was stored before: the attempt that stored it may have ended before it was published.
      await publish(chatId, { kind: "message", message });
      return message;
    },

    async loadHistory(ask, caller) {
      const chatId = await ownChat(ask["chatId"], caller);
      const before = optional(ask["before"], readInteger);
      const after = optional(ask["after"], readInteger);
      return store.messages(chatId, { before, after, count: pageSize });
    },

    async markRead(ask, caller) {
      const chatId = await ownChat(ask["chatId"], caller);
      await store.markRead(chatId, caller.me.id, readInteger(ask["messageId"]));
      return existing(tellPlace(chatId, caller.me.id), "chat");
    },

    async closeUser(ask, caller) {
      adminOnly(caller);
      const person = await otherPerson(ask["personId"], caller);
      const reason = readLine(ask["reason"], "A reason", limits.reasonLength);
      await store.setClosedReason(person.id, reason);
      await service.closeUserConnections(person.id, { reason });
      await announcePerson(person.id);
      return existing(store.person(person.id), "person");
    },

    async reopenUser(ask, caller) {
      adminOnly(caller);
      const person = await otherPerson(ask["personId"], caller);
      await store.setClosedReason(person.id, null);
      await announcePerson(person.id);
      return existing(store.person(person.id), "person");
    },
  };

  async function setIdle({ me, connectionId }: Caller, isIdle: boolean): Promise<void> {
    await store.setIdle(connectionId, isIdle);
    await announcePerson(me.id);
  }

  const notes: NoteHandlers = {
    async typing(ask, caller) {
      const chatId = await ownChat(ask["chatId"], caller);
      await publish(chatId, { kind: "typing", chatId, personId: caller.me.id });
    },
    userEnterIdle: (_, caller) => setIdle(caller, true),
    userLeaveIdle: (_, caller) => setIdle(caller, false),
  };

  const handlers = new Map(Object.entries({ ...calls, ...notes }));

  async function answer(context: ConnectionContext, data: unknown): Promise<Answer<unknown>> {
    const handle = handlers.get(context.eventName);
    const me = await store.person(context.userId ?? "");
    if (handle === undefined) return { ok: false, error: `There is no event "${context.eventName}".` };
    if (me === null || me.isClosed) return { ok: false, error: "You are signed out." };
    try {
      const ask = typeof data === "object" && data !== null ? (data as Ask) : {};
      return { ok: true, value: await handle(ask, { me, connectionId: context.connectionId }) };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, error: error.message };
      throw error;
    }
  }

  async function forget(connectionId: string, personId: string): Promise<void> {
    await store.disconnect(connectionId);
    await announcePerson(personId);
  }

  const handler = new WebPubSubEventHandler(hub, {
    path: "/eventhandler",

    // A token lives for an hour; whoever was closed meanwhile does not come in with it.
    async handleConnect({ context }, response) {
      try {
        const me = await store.person(context.userId ?? "");
        if (me === null || me.isClosed) response.fail(401, "signed out");
        else response.success();
      } catch (error) {
        response.fail(500, String(error));
      }
    },

    async handleUserEvent({ context, data }, response) {
      try {
        const result = await answer(context, data);
        // Only calls wait for an answer; the answer to a note would arrive as a message.
        if (Object.hasOwn(notes, context.eventName)) response.success();
        else response.success(JSON.stringify(result), "json");
      } catch (error) {
        console.error(`${context.eventName} failed:`, error);
        response.fail(500, "The application could not do that.");
      }
    },

    async onDisconnected({ context }) {
      try {
        await forget(context.connectionId, context.userId ?? "");
      } catch (error) {
        // The connection is still in the store: the next sweep removes it.
        console.error("disconnected failed:", error);
      }
    },
  });

  return {
    handler,
    announcePerson,
    announceChat,
    async sweep() {
      for (const { id, personId } of await store.connections()) {
        if (!(await service.connectionExists(id))) await forget(id, personId);
      }
    },
  };
}
