import type { Hub, HubProperties } from "../../api/admin.ts";
import { groupsAt, type RawSettings } from "./raw-settings.ts";

/** An event handler or listener in the editor, with a key that stays its own while it moves. */
export interface Entry {
  readonly key: number;
  readonly settings: RawSettings;
}

/** The settings of a hub while they are edited. What no field knows stays as it is. */
export interface HubDraft {
  readonly name: string;
  /** All but handlers and listeners. */
  readonly settings: RawSettings;
  readonly eventHandlers: readonly Entry[];
  readonly eventListeners: readonly Entry[];
}

/** Of the lists of a draft. */
export type EntryList = "eventHandlers" | "eventListeners";

/** The name of the entry for every hub without settings of its own. */
export const defaultHub = "*";

const emptyHandler: RawSettings = { urlTemplate: "", userEventPattern: "*", systemEvents: [], auth: { type: "None" } };
const emptyListener: RawSettings = {
  filter: { type: "EventName", systemEvents: ["connected", "disconnected"], userEventPattern: "*" },
  endpoint: { type: "EventHub" },
};

/** What the editor of a hub begins with; without a hub the settings that a hub without any has. */
export function draftOf(name: string, properties: HubProperties = {}): HubDraft {
  const { eventHandlers: _handlers, eventListeners: _listeners, ...settings } = properties;
  const entries = (list: EntryList): readonly Entry[] =>
    groupsAt(properties, [list]).map((entry, key) => ({ key, settings: entry }));
  return {
    name,
    settings: {
      anonymousConnectPolicy: "deny",
      webSocketKeepAliveIntervalInSeconds: 20,
      allowedOrigins: ["*"],
      ...settings,
    },
    eventHandlers: entries("eventHandlers"),
    eventListeners: entries("eventListeners"),
  };
}

/** What is sent to the API. */
export function propertiesOf(draft: HubDraft): RawSettings {
  const settingsOf = ({ settings }: Entry): RawSettings => settings;
  return {
    ...draft.settings,
    eventHandlers: draft.eventHandlers.map(settingsOf),
    eventListeners: draft.eventListeners.map(settingsOf),
  };
}

/** Whether two drafts would be sent as the same. */
export function isSame(left: HubDraft, right: HubDraft): boolean {
  const text = (draft: HubDraft): string => JSON.stringify([draft.name, propertiesOf(draft)]);
  return text(left) === text(right);
}

/** The list with an entry more: the empty one of its kind. */
export function withNewEntry(draft: HubDraft, list: EntryList): HubDraft {
  const entries = draft[list];
  const key = Math.max(-1, ...entries.map((entry) => entry.key)) + 1;
  const settings = list === "eventHandlers" ? emptyHandler : emptyListener;
  return { ...draft, [list]: [...entries, { key, settings }] };
}

/** The list without the entry at this place. */
export function withoutEntry(draft: HubDraft, list: EntryList, index: number): HubDraft {
  return { ...draft, [list]: draft[list].toSpliced(index, 1) };
}

/** The list with other settings for the entry of this key. */
export function withEntrySettings(draft: HubDraft, list: EntryList, changed: Entry): HubDraft {
  return { ...draft, [list]: draft[list].map((entry) => (entry.key === changed.key ? changed : entry)) };
}

/** The list with the entry at this place one place up. */
export function withEntryMovedUp(draft: HubDraft, list: EntryList, index: number): HubDraft {
  const [above, moved] = draft[list].slice(Math.max(0, index - 1), index + 1);
  if (above === undefined || moved === undefined) return draft;
  return { ...draft, [list]: draft[list].toSpliced(index - 1, 2, moved, above) };
}

/** Which user events an entry gets. */
export type UserEvents = "none" | "all" | "some";

export function userEventsOf(pattern: string): UserEvents {
  const trimmed = pattern.trim();
  if (trimmed === "") return "none";
  return trimmed === "*" ? "all" : "some";
}

/** What is wrong with the name of a new hub before anything is sent, or null. */
export function nameFault(name: string, hubs: readonly Hub[]): string | null {
  if (name === "") return "Give the name of the hub.";
  const isKnown = hubs.some((hub) => hub.name.toLowerCase() === name.toLowerCase());
  return isKnown ? "This hub has settings already. Close this and edit them." : null;
}

/** Hubs of the configuration whose settings were removed here, from the names of the settings that were changed here. */
export function removedHubs(changed: readonly string[], hubs: readonly Hub[]): readonly string[] {
  const there = new Set(hubs.map(({ name }) => name.toLowerCase()));
  return changed.flatMap((setting) => {
    const [, quoted, plain] = /^hubs(?:\[(".*")\]|\.(.+))$/.exec(setting) ?? [];
    const name = quoted === undefined ? plain : String(JSON.parse(quoted));
    return name === undefined || there.has(name.toLowerCase()) ? [] : [name];
  });
}

/** Whether this is a name of the entry for hubs without settings; the second is that of an early emulator. */
export const isDefault = (name: string): boolean => name === defaultHub || name === "_default";

/** What a person calls a hub's settings. */
export function titleOf(name: string): string {
  return isDefault(name) ? "every other hub (*)" : name === "" ? "the new hub" : name;
}
