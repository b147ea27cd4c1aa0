// What the page and the application say to each other, for the type checker on both sides.

export type Presence = "online" | "away" | "offline";

export interface Person {
  readonly id: string;
  readonly name: string;
  /** Index into the palette of avatar colours. */
  readonly color: number;
  readonly isAdmin: boolean;
  readonly isClosed: boolean;
  readonly presence: Presence;
}

export interface Chat {
  readonly id: string;
  readonly kind: "room" | "private";
  /** Empty for a private chat, which is called after the other person. */
  readonly name: string;
  /** Ids of people. */
  readonly members: readonly string[];
}

export interface Message {
  readonly chatId: string;
  /** 1, 2, 3 … in each chat, without gaps: whoever has 7 and receives 9 knows that 8 is missing. */
  readonly id: number;
  readonly authorId: string;
  /** Chosen by the sender's page, so that a message sent twice is stored once. */
  readonly clientId: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** Where one person is in one chat. */
export interface Place {
  readonly chatId: string;
  readonly lastRead: number;
  /** Id of the newest message, 0 without any. */
  readonly latest: number;
  readonly unread: number;
}

/** Everything a page needs to know when it has connected. */
export interface Snapshot {
  readonly me: string;
  readonly people: readonly Person[];
  /** All rooms, and the private chats of this person. */
  readonly chats: readonly Chat[];
  /** One for each chat this person is in. */
  readonly places: readonly Place[];
  readonly idleAfterMs: number;
}

/** Events that are answered: the page calls them with `invokeEvent`. */
export interface Calls {
  enter: { ask: { isIdle: boolean }; reply: Snapshot };
  createChat: { ask: { name: string }; reply: Chat };
  joinChat: { ask: { chatId: string }; reply: Chat };
  leaveChat: { ask: { chatId: string }; reply: Chat };
  startPrivateChat: { ask: { personId: string }; reply: Chat };
  sendMessage: { ask: { chatId: string; clientId: string; text: string }; reply: Message };
  /** A page of messages before or after an id; the newest page without either. Oldest first. */
  loadHistory: { ask: { chatId: string; before?: number; after?: number }; reply: readonly Message[] };
  markRead: { ask: { chatId: string; messageId: number }; reply: Place };
  closeUser: { ask: { personId: string; reason: string }; reply: Person };
  reopenUser: { ask: { personId: string }; reply: Person };
}

/** Events that are only told, with `sendEvent`. */
export interface Notes {
  typing: { chatId: string };
  userEnterIdle: Record<string, never>;
  userLeaveIdle: Record<string, never>;
}

/** The answer to a call: what was asked for, or why not in words for the person. */
export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: string };

/** What the application publishes. Each says how things are now, so hearing it twice does no harm. */
export type Push =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "typing"; readonly chatId: string; readonly personId: string }
  | { readonly kind: "person"; readonly person: Person }
  | { readonly kind: "chat"; readonly chat: Chat }
  | { readonly kind: "place"; readonly place: Place };

export const limits = { nameLength: 24, roomNameLength: 40, textLength: 4000, reasonLength: 120 } as const;

export const pageSize = 50;

/** How many avatar colours there are. */
export const colorCount = 8;
