// One open board: the connection, the history, what is drawn here and what comes from the others.
import type { Answer, BoardMessage, History, Person, Seat } from "../messages.ts";
import type { Shape } from "../shape.ts";
import { Board } from "./board.ts";
import { Canvas } from "./canvas.ts";
import { Connection } from "./connection.ts";
import { element } from "./elements.ts";
import { Hand, type Touchpoint } from "./hand.ts";
import { upload } from "./images.ts";
import { Live } from "./live.ts";
import { colourOf, Others } from "./others.ts";
import { Outbox } from "./outbox.ts";
import { freshId, Sketch } from "./sketch.ts";
import { openToolbar } from "./toolbar.ts";
import { type Position, View } from "./view.ts";

const catchUpRetryMs = 2000;
const noteMs = 6000;

/** Shows the board until the page is left; `refused` when the application does not let this person in. */
export function openBoard(seat: Seat, refused: (reason: string) => void): void {
  new Whiteboard(seat, refused).open();
}

class Whiteboard {
  readonly #seat: Seat;
  readonly #board = new Board();
  readonly #view = new View();
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  readonly #live: Live;
  readonly #others: Others;
  readonly #canvas: Canvas;
  readonly #stage = element("stage", HTMLElement);
  #sketch: Sketch | null = null;
  #isCatchingUp = false;
  #isBehind = false;
  #isLoaded = false;

  constructor(seat: Seat, refused: (reason: string) => void) {
    this.#seat = seat;
    this.#outbox = new Outbox({
      board: seat.board,
      send: (event, data) => this.#connection.sendEvent(event, data),
      changed: () => this.#changed(),
    });
    for (const id of this.#outbox.undone()) this.#board.hide(id);
    this.#connection = new Connection({
      seat,
      opened: () => {
        this.#changed();
        void this.#catchUp();
        void this.#outbox.flush();
      },
      closed: () => this.#changed(),
      refused: (reason) => {
        element("app", HTMLElement).hidden = true;
        refused(reason);
      },
      board: (message) => this.#takeBoard(message),
      live: (from, message) => this.#others.take(from, message),
      answer: (answer) => this.#takeAnswer(answer),
    });
    this.#live = new Live((message) => this.#connection.sendLive(message));
    this.#others = new Others({
      view: this.#view,
      layer: element("pointers", HTMLElement),
      changed: () => this.#canvas.invalidate(),
    });
    this.#canvas = new Canvas({
      canvas: element("canvas", HTMLCanvasElement),
      view: this.#view,
      board: this.#board,
      imageUrl: (id) => `/boards/${seat.board}/images/${id}`,
      unfinished: () => this.#unfinished(),
      painted: () => this.#painted(),
    });
  }

  open(): void {
    document.title = `${this.#seat.board} · Whiteboard`;
    element("board-name", HTMLElement).textContent = this.#seat.board;
    element("app", HTMLElement).hidden = false;
    const viewChanged = () => this.#canvas.viewChanged();
    const style = openToolbar({
      undo: () => this.#undo(),
      zoom: (factor) => {
        this.#view.zoom(factor);
        viewChanged();
      },
      fit: () => {
        this.#view.fit();
        viewChanged();
      },
    });
    new Hand({
      canvas: element("canvas", HTMLCanvasElement),
      view: this.#view,
      viewChanged,
      begin: (at) => this.#begin(new Sketch(style(), at)),
      draw: (to, isStraight) => this.#draw(to, isStraight, () => style()),
      end: () => this.#finish(),
      cancel: () => this.#cancel(),
      hover: (at) => this.#live.pointer(at),
    });
    this.#takeImages();
    this.#openButtons();
    this.#changed();
    void this.#connection.start();
  }

  #begin(sketch: Sketch): void {
    this.#sketch = sketch;
    this.#live.drawing(sketch);
    this.#canvas.invalidate();
  }

  #draw(to: readonly Touchpoint[], isStraight: boolean, style: () => ConstructorParameters<typeof Sketch>[0]): void {
    for (const point of to) {
      this.#sketch?.extend(point, isStraight);
      // A stroke without end goes on as the next one.
      if (this.#sketch?.isFull === true) {
        this.#finish();
        this.#begin(new Sketch(style(), point));
      }
    }
    if (this.#sketch !== null) this.#live.drawing(this.#sketch);
    this.#canvas.invalidate();
  }

  #finish(): void {
    const sketch = this.#sketch;
    if (sketch === null) return;
    if (sketch.isEmpty) {
      this.#cancel();
      return;
    }
    this.#live.finished();
    this.#sketch = null;
    this.#outbox.add({ event: "shape", data: sketch.shape() });
  }

  #cancel(): void {
    if (this.#sketch !== null) this.#live.cancelled(this.#sketch.id);
    this.#sketch = null;
    this.#canvas.invalidate();
  }

  #undo(): void {
    const id = this.#outbox.shapes().at(-1)?.id ?? this.#board.lastOf(this.#seat.id);
    if (id === null) {
      this.#note("There is nothing of yours to undo.");
      return;
    }
    this.#board.hide(id);
    this.#outbox.add({ event: "undo", data: { id } });
  }

  async #clear(): Promise<void> {
    try {
      await this.#connection.sendEvent("clear", { id: freshId() });
    } catch {
      this.#note("The board could not be cleared. Try again when the connection is back.");
    }
  }

  #takeBoard(message: BoardMessage): void {
    switch (message.kind) {
      case "people":
        this.#showPeople(message.people, message.count);
        this.#others.here(message.people, message.count);
        return;
      case "latest":
        this.#isAt(message.number);
        return;
      case "cleared":
        this.#note(`${message.by} cleared the board.`);
        break;
      case "shape":
        this.#others.arrived(message.shape.id);
        break;
      case "removed":
        break;
    }
    if (!this.#board.take(message)) void this.#catchUp();
    this.#boardChanged();
  }

  #takeAnswer(answer: Answer): void {
    this.#outbox.answered(answer);
    if (answer.kind === "done") {
      this.#isAt(answer.number);
      this.#boardChanged();
      return;
    }
    this.#board.show(answer.id);
    this.#note(answer.reason);
    this.#changed();
  }

  /** The application says how far the board is. */
  #isAt(number: number): void {
    if (number > this.#board.latest) void this.#catchUp();
  }

  /** Asks for everything after what is here; until it succeeds. */
  async #catchUp(): Promise<void> {
    this.#isBehind = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (this.#isBehind) {
      this.#isBehind = false;
      try {
        await this.#loadHistory();
      } catch {
        // The application is away: the page says that it is not up to date, and asks again.
        this.#isBehind = true;
        this.#changed();
        await new Promise((resolve) => setTimeout(resolve, catchUpRetryMs));
      }
    }
    this.#isCatchingUp = false;
  }

  async #loadHistory(): Promise<void> {
    const after = this.#board.latest;
    const response = await fetch(`/boards/${this.#seat.board}/shapes?after=${after}`);
    if (!response.ok) throw new Error(`the application answered ${response.status}`);
    this.#board.load((await response.json()) as History, after);
    for (const { id } of this.#board.shapes()) this.#others.arrived(id);
    this.#isLoaded = true;
    this.#boardChanged();
  }

  #unfinished(): Shape[] {
    const sketch = this.#sketch === null ? [] : [this.#sketch.shape()];
    const known = this.#outbox.shapes().filter(({ id }) => !this.#board.has(id));
    return [...this.#others.shapes(), ...known, ...sketch];
  }

  #takeImages(): void {
    const input = element("image", HTMLInputElement);
    const centre = () => ({ x: this.#stage.clientWidth / 2, y: this.#stage.clientHeight / 2 });
    input.addEventListener("change", () => {
      void this.#addImages([...(input.files ?? [])], centre());
      input.value = "";
    });
    this.#stage.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#stage.classList.add("is-dropping");
    });
    this.#stage.addEventListener("dragleave", () => this.#stage.classList.remove("is-dropping"));
    this.#stage.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#stage.classList.remove("is-dropping");
      const { left, top } = this.#stage.getBoundingClientRect();
      const at = { x: event.clientX - left, y: event.clientY - top };
      void this.#addImages([...(event.dataTransfer?.files ?? [])], at);
    });
    document.addEventListener("paste", (event) => {
      void this.#addImages([...(event.clipboardData?.files ?? [])], centre());
    });
  }

  async #addImages(files: readonly File[], at: Position): Promise<void> {
    for (const file of files) {
      const result = await upload(file, this.#seat.board, this.#view.toBoard(at));
      if (typeof result === "string") this.#note(result);
      else this.#outbox.add({ event: "shape", data: result });
    }
  }

  #openButtons(): void {
    const dialog = element("clear-dialog", HTMLDialogElement);
    element("clear", HTMLButtonElement).addEventListener("click", () => {
      dialog.returnValue = "";
      dialog.showModal();
    });
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "clear") void this.#clear();
    });
    element("share", HTMLButtonElement).addEventListener("click", () => void this.#share());
  }

  async #share(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.#note("Link copied. Whoever opens it draws along.");
    } catch {
      this.#note(`The link to this board: ${location.href}`);
    }
  }

  #boardChanged(): void {
    this.#outbox.arrived(this.#board.latest);
    this.#changed();
  }

  #changed(): void {
    const count = this.#board.shapes().length;
    const waiting = this.#outbox.waiting.length;
    const [state, text] = this.#status(waiting);
    const status = element("status", HTMLElement);
    status.dataset["state"] = state;
    element("status-text", HTMLElement).textContent = text;
    const canvas = element("canvas", HTMLCanvasElement);
    canvas.setAttribute("aria-label", `Drawing of ${count} ${count === 1 ? "shape" : "shapes"}`);
    this.#canvas.invalidate();
  }

  #status(waiting: number): [state: string, text: string] {
    const kept = waiting === 0 ? "" : ` · ${waiting} not sent yet`;
    if (!this.#isLoaded) return ["busy", `Connecting …${kept}`];
    if (!this.#connection.isOpen) return ["offline", `Reconnecting …${kept}`];
    if (this.#isBehind) return ["busy", `Updating …${kept}`];
    return waiting === 0 ? ["ready", "Saved"] : ["busy", `Saving …${kept}`];
  }

  #painted(): void {
    const paper = element("paper", HTMLElement);
    const { x, y, scale } = this.#view;
    paper.style.setProperty("--scale", String(scale));
    paper.style.translate = `${x}px ${y}px`;
    this.#others.place();
    element("zoom-level", HTMLElement).textContent = `${Math.round(scale * 100)} %`;
    const isEmpty = this.#isLoaded && this.#board.shapes().length === 0 && this.#unfinished().length === 0;
    element("empty", HTMLElement).hidden = !isEmpty;
  }

  #showPeople(people: readonly Person[], count: number): void {
    element("people-count", HTMLElement).textContent = String(count);
    const items = people.map(({ id, name }) => {
      const item = document.createElement("li");
      item.style.setProperty("--person", colourOf(id));
      item.textContent = id === this.#seat.id ? `${name} (you)` : name;
      return item;
    });
    element("people-list", HTMLElement).replaceChildren(...items);
    const more = count - people.length;
    if (more > 0) element("people-list", HTMLElement).append(`and ${more} more`);
  }

  /** Says something once; the newest counts. */
  #note(text: string): void {
    const note = element("note", HTMLElement);
    note.textContent = text;
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => note.replaceChildren(), noteMs);
  }
  #noteTimer: ReturnType<typeof setTimeout> | undefined;
}
