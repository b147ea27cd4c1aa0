// The dashboard: a client in the group of dashboards, which shows what the application sends there.
import { WebPubSubClient, WebPubSubJsonProtocol } from "@azure/web-pubsub-client";
import { DeviceClient } from "../shared/device-client.ts";
import type { Notification, State, Status, Summary, Update } from "../shared/messages.ts";
import { driveRound } from "../shared/round.ts";

const keptNotifications = 200;
/** More are shown on demand; style.css hides them until then. */
const shownNotifications = 15;
const vanPaceMs = 900;
const retryMs = 2000;

/** How each status looks: class, sign, and the tile that counts it. */
const looks: Readonly<Record<Status, { readonly name: string; readonly sign: string }>> = {
  collected: { name: "collected", sign: "↑" },
  "on the way": { name: "way", sign: "→" },
  delivered: { name: "delivered", sign: "✓" },
  "not delivered": { name: "failed", sign: "✕" },
};

function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as Kind;
}

const feed = element("feed");
const connection = element("connection");
const problem = element("problem");
const more = element("more");
const row = element<HTMLTemplateElement>("row").content;
let newest = 0;
let unseen = 0;

/** Shows one above the others, once. */
function show(notification: Notification, isNew: boolean): void {
  // Each is sent by a request of its own, so one may overtake another: its number says where it belongs.
  const numberOf = (item: Element): number => Number(item.getAttribute("data-id"));
  const next = [...feed.children].find((item) => numberOf(item) <= notification.id) ?? null;
  if (next !== null && numberOf(next) === notification.id) return;
  newest = Math.max(newest, notification.id);
  const item = (row.cloneNode(true) as DocumentFragment).firstElementChild as HTMLLIElement;
  const { name, sign, what } = describe(notification);
  item.setAttribute("data-id", String(notification.id));
  item.classList.add(`is-${name}`);
  item.classList.toggle("is-new", isNew);
  const at = new Date(notification.at);
  fill(item, { ".mark": sign, ".what": what, ".text": textOf(notification), ".device": deviceOf(notification) });
  fill(item, { time: at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }) });
  item.querySelector("time")?.setAttribute("datetime", notification.at);
  feed.insertBefore(item, next);
  while (feed.childElementCount > keptNotifications) feed.lastElementChild?.remove();
  element("nothing").hidden = true;
  more.hidden = feed.classList.contains("is-whole") || feed.childElementCount <= shownNotifications;
  if (isNew && document.hidden) unseen += 1;
  showTitle();
}

function describe({ kind, status, parcel, device, text }: Notification): Record<"name" | "sign" | "what", string> {
  if (kind === "help") return { name: "help", sign: "!", what: `${device} needs help` };
  if (status === null)
    return { name: "presence", sign: text.includes("online") ? "+" : "–", what: `${device} ${text}` };
  return { ...looks[status], what: `${parcel} ${status}` };
}

const textOf = ({ kind, text }: Notification): string => (kind === "presence" ? "" : text);
const deviceOf = ({ kind, device }: Notification): string => (kind === "report" ? device : "");

/** As text, whatever is in it: names and notes are what somebody typed. */
function fill(item: Element, texts: Readonly<Record<string, string>>): void {
  for (const [selector, text] of Object.entries(texts)) {
    const part = item.querySelector(selector);
    if (part !== null) part.textContent = text;
  }
}

function showSummary({ online, parcels }: Summary): void {
  element("count-online").textContent = String(online.length);
  for (const [status, { name }] of Object.entries(looks)) {
    element(`count-${name}`).textContent = String(parcels[status as Status]);
  }
  const items = online.map((device) => {
    const item = document.createElement("li");
    item.textContent = device;
    return item;
  });
  element("devices").replaceChildren(...items);
  element("nobody").hidden = online.length > 0;
}

function showConnection(text: string, isLive: boolean): void {
  connection.textContent = text;
  connection.classList.toggle("is-live", isLive);
}

function showProblem(text: string | null): void {
  problem.textContent = text;
  problem.hidden = text === null;
}

function showTitle(): void {
  document.title = unseen === 0 ? "Deliveries" : `(${unseen}) Deliveries`;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  showTitle();
});

more.addEventListener("click", () => {
  feed.classList.add("is-whole");
  more.hidden = true;
});

async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return (await response.json()) as Answer;
}

/** What happened before this was connected, or while it was not. Updates that arrive meanwhile wait their turn. */
let caughtUp: Promise<void> = Promise.resolve();
async function catchUp(): Promise<void> {
  try {
    const { notifications, summary } = await ask<State>("/state");
    const isFirst = newest === 0;
    for (const notification of notifications) show(notification, !isFirst);
    showSummary(summary);
    showProblem(null);
  } catch {
    showProblem("What happened before cannot be shown: the application does not answer. Reload to try again.");
  }
}

const client = new WebPubSubClient(
  { getClientAccessUrl: async () => (await ask<{ url: string }>("/negotiate")).url },
  // Not the reliable protocol: what was missed is asked for anyway, and a cut connection is known to be one at once.
  { protocol: WebPubSubJsonProtocol() },
);
client.on("connected", () => {
  showConnection("live", true);
  caughtUp = catchUp();
});
client.on("disconnected", () => showConnection("reconnecting …", false));
client.on("stopped", () => showConnection("offline; reload to connect again", false));
client.on("group-message", ({ message }) => {
  const { notification, summary } = message.data as Update;
  void caughtUp.then(() => {
    const isNew = notification.id > newest;
    show(notification, true);
    if (isNew) showSummary(summary);
  });
});
/** The first attempt is ours to repeat; after it, the client reconnects by itself. */
function connect(): void {
  client.start().catch(() => {
    showConnection("offline", false);
    showProblem("The application or the service cannot be reached. Trying again …");
    setTimeout(connect, retryMs);
  });
}
connect();

const drive = element<HTMLButtonElement>("drive");
const van = element("van");
drive.addEventListener("click", () => {
  drive.disabled = true;
  void driveVan().finally(() => {
    drive.disabled = false;
  });
});

async function driveVan(): Promise<void> {
  const log = (line: string): void => {
    const item = document.createElement("li");
    item.textContent = line.trim();
    if (line.startsWith("  ")) item.className = line.includes("✗") ? "refusal" : "answer";
    van.append(item);
    van.scrollTop = van.scrollHeight;
  };
  van.replaceChildren();
  van.hidden = false;
  const device = new DeviceClient("", `Test van ${Math.floor(Math.random() * 900) + 100}`);
  // A tab that just vanishes could come back, so the service would keep its connection for a while; this one says goodbye.
  const leave = (): void => void device.stop();
  addEventListener("pagehide", leave);
  try {
    await device.start();
    await driveRound(device, { paceMs: vanPaceMs, log });
  } catch (error) {
    log(`  ✗ ${(error as Error).message}`);
  } finally {
    removeEventListener("pagehide", leave);
    leave();
  }
}
