import { clockOf, type Level, levels, type NumberedLine } from "../log/lines.ts";
import { negotiate } from "../log/negotiate.ts";
import type { Progress } from "../log/sequence.ts";
import { view } from "../log/viewer.ts";
import { LogList } from "./log-list.ts";
import { Store } from "./store.ts";
import { holdWire } from "./wire.ts";

const cutForMs = 5000;
const retryMs = 2000;

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} "${id}"`);
  return found;
}

const state = element("state", HTMLElement);
const cutButton = element("cut", HTMLButtonElement);
const search = element("search", HTMLInputElement);
const source = element("source", HTMLSelectElement);
const followButton = element("follow", HTMLButtonElement);
const newerButton = element("newer", HTMLButtonElement);
const empty = element("empty", HTMLElement);
const detail = element("detail", HTMLElement);
const count = new Intl.NumberFormat("en");

// What is on the page

const store = new Store();
let [gaps, dropped] = [0, 0];
/** The last entry there was when the reader stopped following; null while following. */
let pausedAt: number | null = null;
let selected: NumberedLine | null = null;

const list = new LogList(element("log", HTMLElement), {
  onFollow: setFollowing,
  onSelect(line) {
    selected = line;
    detail.hidden = line === null;
    if (line === null) return;
    element("facts", HTMLElement).textContent =
      `${line.level} from ${line.source}, line ${line.number}, ${clockOf(line)}`;
    element("full", HTMLElement).textContent = line.text;
  },
});

const chips = levels.map((level) => {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "chip";
  chip.dataset["level"] = level;
  const number = document.createElement("b");
  chip.append(level, number);
  chip.addEventListener("click", () => toggle(level));
  element("levels", HTMLElement).append(chip);
  return { level, chip, number };
});

function toggle(level: Level): void {
  const wanted = new Set(store.filter.levels);
  if (!wanted.delete(level)) wanted.add(level);
  store.setFilter({ levels: wanted });
  changed();
}

function setFollowing(following: boolean): void {
  pausedAt = following ? null : store.lastId;
  list.follow(following);
  changed();
}

/** Lines come faster than a screen is drawn: draws once for all that changed since the last time. */
function changed(): void {
  if (!isDrawing) requestAnimationFrame(draw);
  isDrawing = true;
}
let isDrawing = false;

function draw(): void {
  isDrawing = false;
  const { shown, filter, kept, received, counts } = store;
  list.show(shown, { search: filter.search, dropped });
  dropped = 0;
  for (const { level, chip, number } of chips) {
    chip.ariaPressed = String(filter.levels.has(level));
    number.textContent = count.format(counts[level]);
  }
  for (const name of [...store.sources].slice(source.options.length - 1)) source.add(new Option(name, name));
  const isFollowing = pausedAt === null;
  const lines = shown.filter(({ kind }) => kind === "line");
  const newer = lines.filter(({ id }) => pausedAt !== null && id > pausedAt).length;
  followButton.textContent = isFollowing ? "Pause" : "Follow";
  followButton.ariaPressed = String(isFollowing);
  newerButton.hidden = newer === 0;
  newerButton.textContent = `↓ ${count.format(newer)} new ${newer === 1 ? "line" : "lines"}`;
  element("received", HTMLElement).textContent = count.format(received);
  element("gaps", HTMLElement).textContent = count.format(gaps);
  element("gap-status", HTMLElement).classList.toggle("bad", gaps > 0);
  element("showing", HTMLElement).textContent =
    lines.length === kept
      ? `${count.format(kept)} kept`
      : `${count.format(lines.length)} of ${count.format(kept)} shown`;
  drawEmpty(lines.length === 0, kept === 0);
}

function drawEmpty(isEmpty: boolean, isSilent: boolean): void {
  empty.hidden = !isEmpty;
  const [title, text, command] = empty.children;
  if (!(title instanceof HTMLElement && text instanceof HTMLElement && command instanceof HTMLElement)) return;
  title.textContent = isSilent ? "No lines yet" : "No line matches";
  text.textContent = isSilent
    ? "Nobody publishes right now. Send a file of yours:"
    : "Try another search, level or source.";
  command.hidden = !isSilent;
}

search.addEventListener("input", () => {
  store.setFilter({ search: search.value });
  changed();
});
source.addEventListener("change", () => {
  store.setFilter({ source: source.value });
  changed();
});
followButton.addEventListener("click", () => setFollowing(pausedAt !== null));
newerButton.addEventListener("click", () => setFollowing(true));
element("close", HTMLButtonElement).addEventListener("click", () => list.unselect());
element("copy", HTMLButtonElement).addEventListener("click", ({ currentTarget }) => {
  const said = currentTarget as HTMLButtonElement;
  navigator.clipboard.writeText(selected?.text ?? "").then(
    () => (said.textContent = "Copied"),
    () => (said.textContent = "Not allowed"),
  );
  setTimeout(() => (said.textContent = "Copy"), 1500);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  search.focus();
});

// The connection

let isJoined = false;
let lostAt: number | null = null;

const wire = holdWire((isOpen) => {
  if (!isJoined) return;
  if (isOpen) live();
  else lost("Connection lost, recovering …");
});

function live(): void {
  if (lostAt !== null) {
    const seconds = ((Date.now() - lostAt) / 1000).toFixed(1);
    note(`Connected again after ${seconds} s`);
    changed();
  }
  lostAt = null;
  isJoined = true;
  say("live", "Live");
}

function lost(text: string): void {
  if (lostAt === null) {
    note("Connection lost");
    lostAt = Date.now();
    changed();
  }
  say("lost", text);
}

cutButton.addEventListener("click", () => wire.cut(cutForMs));

function note(text: string, isBad = false): void {
  dropped += store.note(text, isBad);
}

function say(name: "live" | "lost" | "failed", text: string): void {
  state.dataset["state"] = name;
  state.textContent = text;
  cutButton.disabled = name !== "live";
}

function follow({ lines, joinedAt, missing }: Progress): void {
  if (joinedAt !== null) note(joinedAt === 1 ? "A publisher begins" : `Joined at line ${count.format(joinedAt)}`);
  if (missing !== null) {
    gaps += 1;
    note(`Lines ${count.format(missing.from)} to ${count.format(missing.to)} are missing`, true);
  }
  dropped += store.add(lines);
  changed();
}

async function connect(): Promise<void> {
  try {
    await view({
      negotiate: () => negotiate(location.origin, "viewer"),
      onProgress: follow,
      onDisconnected() {
        isJoined = false;
        lost("No connection, looking for a new one …");
      },
      onReconnected: live,
      onRejoinFailed: () => say("failed", "This page may not join the log any more. Reload it."),
    });
    live();
  } catch {
    say("failed", "The log can not be reached, trying again …");
    setTimeout(() => void connect(), retryMs);
  }
}

changed();
void connect();
