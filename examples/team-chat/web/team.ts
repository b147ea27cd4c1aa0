import { computed, type InjectionKey, inject, reactive, ref, shallowReactive, watch } from "vue";
import {
  type Calls,
  type Chat,
  type Message,
  type Person,
  type Place,
  type Push,
  pageSize,
  type Snapshot,
} from "../shared/protocol.ts";
import { negotiate } from "./accounts.ts";
import { connect, type Status } from "./connection.ts";
import { watchIdle } from "./idle.ts";
import { notify, showUnread } from "./notifications.ts";
import { chatLink, go, isWide, route } from "./route.ts";
import { append, hasEarlier, lastId, prepend, type Timeline } from "./timeline.ts";
import { createTyping } from "./typing.ts";

/** A message on its way; with an error, the application refused it. */
export interface Pending {
  readonly chatId: string;
  readonly clientId: string;
  readonly text: string;
  readonly error: string | null;
}

/** Why a page stops being connected; a reason if the admin closed this person. */
export type End = { readonly kind: "signedOut" } | { readonly kind: "closed"; readonly reason: string };

export type Team = ReturnType<typeof createTeam>;

export const teamKey: InjectionKey<Team> = Symbol("team");

export function useTeam(): Team {
  const team = inject(teamKey);
  if (team === undefined) throw new Error("useTeam is for components below App");
  return team;
}

/** Further behind than this, a chat is loaded anew instead of message by message. */
const farBehind = 4 * pageSize;
const resendAfterMs = 1_000;

/** What this page knows of the team, kept up to date by what the application publishes, and what a person can do. */
export function createTeam(onEnd: (end: End) => void) {
  const status = ref<Status>("connecting");
  const isReady = ref(false);
  const problem = ref("");
  const meId = ref("");
  const people = reactive(new Map<string, Person>());
  const chats = reactive(new Map<string, Chat>());
  const places = reactive(new Map<string, Place>());
  const timelines = shallowReactive(new Map<string, Timeline>());
  const pending = ref<readonly Pending[]>([]);

  const typing = createTyping((chatId) => connection.tell("typing", { chatId }));
  let isIdle = false;
  let stopWatching: (() => void) | null = null;
  /** What arrives while a snapshot is on its way says how things are after it. */
  let held: Push[] | null = null;

  const connection = connect({
    async negotiate() {
      const entry = await negotiate();
      if (entry.kind === "url") return entry.url;
      stop();
      onEnd(entry);
      return null;
    },
    onStatus(next) {
      status.value = next;
    },
    onPush(push) {
      if (held === null) apply(push);
      else held.push(push);
    },
    async onConnected() {
      held ??= [];
      const answer = await connection.ask("enter", { isIdle });
      if (!answer.ok) throw new Error(answer.error);
      start(answer.value);
      const waiting = held ?? [];
      held = null;
      for (const push of waiting) apply(push);
      for (const chatId of timelines.keys()) void catchUp(chatId);
    },
  });

  function start(snapshot: Snapshot): void {
    meId.value = snapshot.me;
    replace(people, snapshot.people, (person) => person.id);
    replace(chats, snapshot.chats, (chat) => chat.id);
    replace(places, snapshot.places, (place) => place.chatId);
    for (const chatId of timelines.keys()) if (!places.has(chatId)) timelines.delete(chatId);
    stopWatching ??= watchIdle(snapshot.idleAfterMs, (next) => {
      isIdle = next;
      connection.tell(isIdle ? "userEnterIdle" : "userLeaveIdle", {});
    });
    isReady.value = true;
  }

  function apply(push: Push): void {
    switch (push.kind) {
      case "message":
        return receive(push.message);
      case "typing":
        if (push.personId !== meId.value) typing.heard(push.chatId, push.personId);
        return;
      case "person":
        people.set(push.person.id, push.person);
        return;
      case "chat":
        return applyChat(push.chat);
      case "place":
        if (chats.get(push.place.chatId)?.members.includes(meId.value)) places.set(push.place.chatId, push.place);
        return;
    }
  }

  function applyChat(chat: Chat): void {
    chats.set(chat.id, chat);
    if (!chat.members.includes(meId.value)) {
      places.delete(chat.id);
      timelines.delete(chat.id);
    } else if (!places.has(chat.id)) {
      places.set(chat.id, { chatId: chat.id, lastRead: 0, latest: 0, unread: 0 });
    }
  }

  /** A message that was published or found; the same one twice does no harm. */
  function receive(message: Message): void {
    const { chatId, id, authorId } = message;
    const place = places.get(chatId);
    if (place === undefined) return;
    typing.clear(chatId, authorId);
    const isMine = authorId === meId.value;
    if (isMine) pending.value = pending.value.filter((one) => one.clientId !== message.clientId);
    if (id > place.latest) {
      places.set(chatId, { ...place, latest: id, unread: place.unread + (isMine ? 0 : id - place.latest) });
      if (!isMine) announce(message);
    }
    const timeline = timelines.get(chatId);
    const longer = timeline && append(timeline, [message]);
    if (longer === null) void catchUp(chatId);
    else if (longer !== undefined) timelines.set(chatId, longer);
  }

  function announce({ chatId, authorId, text }: Message): void {
    const chat = chats.get(chatId);
    const author = people.get(authorId)?.name ?? "Somebody";
    if (chat === undefined) return;
    notify(chat.kind === "room" ? `${author} in ${chat.name}` : author, text, () => go(chatLink(chatId)));
  }

  const loading = new Map<string, Promise<void>>();

  /** Loads what is newer than what is here. Nothing is lost if that fails: it is tried again after the next connection. */
  function catchUp(chatId: string): Promise<void> {
    const running = loading.get(chatId);
    if (running !== undefined) return running;
    const promise = loadNewer(chatId)
      .catch(() => undefined)
      .finally(() => loading.delete(chatId));
    loading.set(chatId, promise);
    return promise;
  }

  async function loadNewer(chatId: string): Promise<void> {
    for (;;) {
      const timeline = timelines.get(chatId);
      const latest = places.get(chatId)?.latest ?? 0;
      if (timeline !== undefined && lastId(timeline) >= latest) return;
      const isFar = timeline === undefined || latest - lastId(timeline) > farBehind;
      const answer = await connection.ask("loadHistory", isFar ? { chatId } : { chatId, after: lastId(timeline) });
      if (!answer.ok || !places.has(chatId)) return;
      const now = isFar ? answer.value : append(timelines.get(chatId) ?? [], answer.value);
      if (now !== null) timelines.set(chatId, now);
      if (now === null || answer.value.length === 0) return;
    }
  }

  async function loadEarlier(chatId: string): Promise<void> {
    const first = timelines.get(chatId)?.[0]?.id;
    if (first === undefined || first === 1) return;
    const messages = await act("loadHistory", { chatId, before: first });
    const timeline = timelines.get(chatId);
    if (messages !== null && timeline !== undefined) timelines.set(chatId, prepend(timeline, messages));
  }

  function send(chatId: string, text: string): void {
    pending.value = [...pending.value, { chatId, clientId: crypto.randomUUID(), text, error: null }];
    typing.sent();
    void flush();
  }

  let isFlushing = false;

  /** Sends what waits, one after the other, and each until it is answered: the application stores a `clientId` once. */
  async function flush(): Promise<void> {
    if (isFlushing) return;
    isFlushing = true;
    for (;;) {
      const next = pending.value.find((one) => one.error === null);
      if (next === undefined || isStopped) break;
      const { chatId, clientId, text } = next;
      try {
        const answer = await connection.ask("sendMessage", { chatId, clientId, text });
        if (answer.ok) receive(answer.value);
        setPending(clientId, answer.ok ? null : { ...next, error: answer.error });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, resendAfterMs));
      }
    }
    isFlushing = false;
  }

  function setPending(clientId: string, now: Pending | null): void {
    pending.value = pending.value.flatMap((one) => (one.clientId !== clientId ? [one] : now === null ? [] : [now]));
  }

  const discard = (clientId: string) => setPending(clientId, null);

  const me = computed(() => people.get(meId.value) ?? null);
  const ownChats = computed(() => [...chats.values()].filter((chat) => places.has(chat.id)));
  /** The chat in the address; where there is room beside the list, else the first of one's own. */
  const openChat = computed(() => {
    const { chatId } = route.value;
    if (chatId !== null) return chats.get(chatId) ?? null;
    return (isWide.value && ownChats.value[0]) || null;
  });
  const isPageVisible = ref(!document.hidden);
  const onVisibility = () => {
    isPageVisible.value = !document.hidden;
  };
  document.addEventListener("visibilitychange", onVisibility);
  const isReading = computed(() => isPageVisible.value && (isWide.value || route.value.view === "chat"));
  const openPlace = computed(() => (openChat.value && places.get(openChat.value.id)) ?? null);

  watch([openPlace, status], ([place]) => {
    if (place !== null && !timelines.has(place.chatId)) void catchUp(place.chatId);
  });

  watch([openPlace, isReading], ([place, reading]) => {
    if (place === null || !reading || place.lastRead >= place.latest) return;
    const { chatId, latest } = place;
    places.set(chatId, { ...place, lastRead: latest, unread: 0 });
    // If this is lost, the count comes back with the next snapshot, and so does this.
    connection.ask("markRead", { chatId, messageId: latest }).catch(() => undefined);
  });

  const unread = computed(() => [...places.values()].reduce((sum, place) => sum + place.unread, 0));
  watch(unread, showUnread);

  /** Asks the application; null where it refused or did not answer, with the reason shown. */
  async function act<Name extends keyof Calls>(
    name: Name,
    ask: Calls[Name]["ask"],
  ): Promise<Calls[Name]["reply"] | null> {
    try {
      const answer = await connection.ask(name, ask);
      problem.value = answer.ok ? "" : answer.error;
      return answer.ok ? answer.value : null;
    } catch {
      problem.value = "That did not work: there is no connection.";
      return null;
    }
  }

  async function open(asked: Promise<Chat | null>): Promise<boolean> {
    const chat = await asked;
    if (chat === null) return false;
    applyChat(chat);
    go(chatLink(chat.id));
    return true;
  }

  async function leave(chatId: string): Promise<void> {
    const chat = await act("leaveChat", { chatId });
    if (chat !== null) applyChat(chat);
  }

  let isStopped = false;
  function stop(): void {
    isStopped = true;
    stopWatching?.();
    document.removeEventListener("visibilitychange", onVisibility);
    showUnread(0);
    connection.stop();
  }

  const otherIn = (chat: Chat): Person | null => {
    const id = chat.kind === "private" ? chat.members.find((member) => member !== meId.value) : undefined;
    return (id !== undefined && people.get(id)) || null;
  };

  return {
    status,
    isReady,
    problem,
    me,
    people,
    chats,
    places,
    ownChats,
    openChat,
    pending,
    typing,
    otherIn,
    nameOf: (chat: Chat): string => (chat.kind === "room" ? chat.name : (otherIn(chat)?.name ?? "Private chat")),
    timelineOf: (chatId: string): Timeline | null => timelines.get(chatId) ?? null,
    hasEarlier: (chatId: string): boolean => hasEarlier(timelines.get(chatId) ?? []),
    loadEarlier,
    send,
    discard,
    createRoom: (name: string) => open(act("createChat", { name })),
    join: (chatId: string) => open(act("joinChat", { chatId })),
    startPrivate: (personId: string) => open(act("startPrivateChat", { personId })),
    leave,
    closePerson: (personId: string, reason: string) => act("closeUser", { personId, reason }),
    reopenPerson: (personId: string) => act("reopenUser", { personId }),
    stop,
  };
}

function replace<Value>(map: Map<string, Value>, values: readonly Value[], keyOf: (value: Value) => string): void {
  map.clear();
  for (const value of values) map.set(keyOf(value), value);
}
