// Shows thousands of entries as rows of one height, of which only those in view are in the page.
import { clockOf, type NumberedLine } from "../log/lines.ts";
import { type Entry, matchesOf } from "./store.ts";

/** Rows above and below the view, for what is scrolled to before the next frame. */
const margin = 12;

export interface LogListOptions {
  readonly onSelect: (line: NumberedLine | null) => void;
  /** The reader scrolled away from the end, or back to it. */
  readonly onFollow: (isFollowing: boolean) => void;
}

export class LogList {
  readonly #view: HTMLElement;
  readonly #rows = document.createElement("div");
  readonly #options: LogListOptions;
  readonly #drawn = new Map<number, HTMLElement>();
  #entries: readonly Entry[] = [];
  #search = "";
  #selected: number | null = null;
  #isFollowing = true;
  #lastTop = 0;

  constructor(view: HTMLElement, options: LogListOptions) {
    this.#view = view;
    this.#options = options;
    this.#rows.className = "rows";
    this.#rows.role = "presentation";
    view.append(this.#rows);
    view.addEventListener("scroll", () => this.#scrolled());
    view.addEventListener("keydown", (event) => this.#pressed(event));
    view.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".row") : null;
      // Somebody who marks text wants to copy it.
      if (row !== null && getSelection()?.isCollapsed !== false) this.#select(Number(row.dataset["id"]));
    });
    new ResizeObserver(() => this.draw()).observe(view);
  }

  follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    this.draw();
  }

  /** Shows these entries; `dropped` of those before are gone from the start, and what is looked at stays where it is. */
  show(entries: readonly Entry[], { search, dropped }: { readonly search: string; readonly dropped: number }): void {
    if (search !== this.#search) this.#forgetRows();
    this.#entries = entries;
    this.#search = search;
    if (dropped > 0 && !this.#isFollowing) this.#view.scrollTop -= dropped * this.#rowHeight();
    this.draw();
  }

  unselect(): void {
    this.#select(null);
  }

  draw(): void {
    const height = this.#rowHeight();
    this.#rows.style.height = `${this.#entries.length * height}px`;
    if (this.#isFollowing) this.#view.scrollTop = this.#view.scrollHeight;
    this.#lastTop = this.#view.scrollTop;
    const first = Math.max(0, Math.floor(this.#lastTop / height) - margin);
    const end = Math.ceil((this.#lastTop + this.#view.clientHeight) / height) + margin;
    const inView = this.#entries.slice(first, end);
    const ids = new Set(inView.map(({ id }) => id));
    for (const [id, row] of this.#drawn) {
      if (ids.has(id)) continue;
      row.remove();
      this.#drawn.delete(id);
    }
    inView.forEach((entry, at) => {
      const row = this.#rowOf(entry);
      row.style.top = `${(first + at) * height}px`;
      row.ariaSelected = String(entry.id === this.#selected);
      // Only what is new moves, so that marked text stays marked.
      if (this.#rows.children[at] !== row) this.#rows.insertBefore(row, this.#rows.children[at] ?? null);
    });
    const selected = this.#selected === null ? undefined : this.#drawn.get(this.#selected);
    if (selected === undefined) this.#view.removeAttribute("aria-activedescendant");
    else this.#view.setAttribute("aria-activedescendant", selected.id);
  }

  #rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.#view).getPropertyValue("--row-height"));
  }

  #forgetRows(): void {
    this.#rows.replaceChildren();
    this.#drawn.clear();
  }

  #rowOf(entry: Entry): HTMLElement {
    const known = this.#drawn.get(entry.id);
    if (known !== undefined) return known;
    const row = document.createElement("div");
    row.id = `row-${entry.id}`;
    row.dataset["id"] = String(entry.id);
    row.role = "option";
    if (entry.kind === "note") {
      row.className = entry.isBad ? "row note bad" : "row note";
      row.textContent = entry.text;
    } else {
      const { line } = entry;
      row.className = "row";
      row.dataset["level"] = line.level;
      row.append(
        part("number", String(line.number)),
        part("clock", clockOf(line)),
        part("level", line.level),
        part("from", line.source),
        highlighted(line.text, this.#search),
      );
    }
    this.#drawn.set(entry.id, row);
    return row;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#view;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < this.#rowHeight() / 2;
    const isDown = scrollTop > this.#lastTop;
    const isUp = scrollTop < this.#lastTop;
    if (this.#isFollowing && isUp && !isAtEnd) this.#setFollowing(false);
    else if (!this.#isFollowing && isDown && isAtEnd) this.#setFollowing(true);
    this.draw();
  }

  #setFollowing(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    this.#options.onFollow(isFollowing);
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#select(null);
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const step = event.key === "ArrowUp" ? -1 : 1;
    const bottom = Math.floor((this.#view.scrollTop + this.#view.clientHeight) / this.#rowHeight()) - 1;
    const selected = this.#entries.findIndex(({ id }) => id === this.#selected);
    let at = selected === -1 ? Math.min(bottom, this.#entries.length - 1) : selected + step;
    while (this.#entries[at]?.kind === "note") at += step;
    const entry = this.#entries[at];
    if (entry === undefined) return;
    this.#select(entry.id);
  }

  #bringIntoView(at: number): void {
    const height = this.#rowHeight();
    const { scrollTop, clientHeight } = this.#view;
    this.#view.scrollTop = Math.min(at * height, Math.max(scrollTop, (at + 1) * height - clientHeight));
  }

  #select(id: number | null): void {
    const at = this.#entries.findIndex((each) => each.id === id);
    const entry = this.#entries[at];
    if (entry?.kind === "note") return;
    this.#selected = entry?.id ?? null;
    this.#options.onSelect(entry?.line ?? null);
    if (entry !== undefined) {
      // What somebody looks at does not run away.
      this.#setFollowing(false);
      this.#bringIntoView(at);
    }
    this.draw();
  }
}

function part(name: string, text: string): HTMLElement {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

/** The text, as text, with what was searched for marked. */
function highlighted(text: string, search: string): HTMLElement {
  const element = part("text", search === "" ? text : "");
  if (search === "") return element;
  let end = 0;
  for (const [from, to] of matchesOf(text, search)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(from, to);
    element.append(text.slice(end, from), mark);
    end = to;
  }
  element.append(text.slice(end));
  return element;
}
