import { expect, test } from "bun:test";
import type { Hub } from "../../api/admin.ts";
import {
  draftOf,
  isSame,
  nameFault,
  propertiesOf,
  removedHubs,
  userEventsOf,
  withEntryMovedUp,
  withEntrySettings,
  withNewEntry,
  withoutEntry,
} from "./hub-draft.ts";

const handler = (urlTemplate: string) => ({ urlTemplate, auth: { type: "Bearer", token: "(secret)" }, later: [1] });
const properties = {
  anonymousConnectPolicy: "allow",
  webSocketKeepAliveIntervalInSeconds: 5,
  allowedOrigins: ["https://a.example"],
  eventHandlers: [handler("http://a/"), handler("http://b/"), handler("http://c/")],
  eventListeners: [{ filter: {}, endpoint: { type: "Nats", servers: ["nats://n:4222"] } }],
  unknown: { stays: true },
};

const chat: Hub = { name: "Chat", properties: {}, source: "overlay", isOverridden: false };

const urls = (draft: ReturnType<typeof draftOf>) =>
  draft.eventHandlers.map(({ settings }) => settings["urlTemplate"]).join(" ");

test("what is shown is sent back as it is, secrets and unknown members included", () => {
  expect(propertiesOf(draftOf("chat", properties))).toEqual(properties);
});

test("a hub without settings begins with the defaults", () => {
  expect(propertiesOf(draftOf("chat"))).toEqual({
    anonymousConnectPolicy: "deny",
    webSocketKeepAliveIntervalInSeconds: 20,
    allowedOrigins: ["*"],
    eventHandlers: [],
    eventListeners: [],
  });
});

test("entries are moved, changed, added and removed, and keep their keys", () => {
  const draft = draftOf("chat", properties);
  const moved = withEntryMovedUp(draft, "eventHandlers", 2);
  expect(urls(moved)).toBe("http://a/ http://c/ http://b/");
  expect(moved.eventHandlers.map(({ key }) => key)).toEqual([0, 2, 1]);
  expect(withEntryMovedUp(draft, "eventHandlers", 0)).toBe(draft);
  expect(withEntryMovedUp(draft, "eventHandlers", 3)).toBe(draft);
  const changed = withEntrySettings(moved, "eventHandlers", { key: 2, settings: { urlTemplate: "http://d/" } });
  expect(urls(changed)).toBe("http://a/ http://d/ http://b/");
  const fewer = withoutEntry(changed, "eventHandlers", 0);
  expect(urls(fewer)).toBe("http://d/ http://b/");
  expect(withNewEntry(fewer, "eventHandlers").eventHandlers.map(({ key }) => key)).toEqual([2, 1, 3]);
  expect(withNewEntry(draftOf("x"), "eventListeners").eventListeners).toMatchObject([{ key: 0 }]);
});

test("going back to what was there is no change", () => {
  const draft = draftOf("chat", properties);
  const there = withEntryMovedUp(draft, "eventHandlers", 1);
  expect(isSame(draft, there)).toBe(false);
  expect(isSame(draft, withEntryMovedUp(there, "eventHandlers", 1))).toBe(true);
  expect(isSame(draft, { ...draft, name: "other" })).toBe(false);
});

test("user events are none, all or some", () => {
  expect(["", "  ", "*", " * ", "a,b", "a*"].map(userEventsOf)).toEqual(["none", "none", "all", "all", "some", "some"]);
});

test("a new hub has a name that has no settings yet, in whatever case", () => {
  const hubs = [chat];
  expect(nameFault("", hubs)).toContain("name");
  expect(nameFault("chat", hubs)).toContain("already");
  expect(nameFault("chats", hubs)).toBeNull();
});

test("hubs that were removed here are those that were changed and are not there", () => {
  const changed = ["hubs.Gone", 'hubs["a.b"]', "hubs.chat", "hubs.*", "service.keys.primary"];
  expect(removedHubs(changed, [chat])).toEqual(["Gone", "a.b", "*"]);
});
