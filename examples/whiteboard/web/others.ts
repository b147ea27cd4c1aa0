// The other people: who is here, where their pointers are, and what they are drawing right now.
import type { LiveMessage, Person, Seat } from "../messages.ts";
import { boardSize, maxPoints, type Shape } from "../shape.ts";
import type { View } from "./view.ts";

/** After so long without a sign, a pointer or an unfinished shape is taken away: its end may have got lost. */
const forgetMs = 15_000;
const maxShapes = 200;
/** In CSS pixels, beside a pointer. */
const labelRoom = 180;

interface Pointer {
  readonly element: HTMLElement;
  x: number;
  y: number;
  seenAt: number;
}

export interface OthersOptions {
  readonly view: View;
  /** Holds the pointers, over the canvas. */
  readonly layer: HTMLElement;
  readonly changed: () => void;
}

export class Others {
  readonly #options: OthersOptions;
  readonly #pointers = new Map<string, Pointer>();
  readonly #shapes = new Map<string, { readonly shape: Shape; readonly by: string; readonly seenAt: number }>();

  constructor(options: OthersOptions) {
    this.#options = options;
    setInterval(() => this.#forget(), 1000);
  }

  /** In progress, or finished and on their way. */
  shapes(): Shape[] {
    return [...this.#shapes.values()].map(({ shape }) => shape);
  }

  take(from: Seat, message: LiveMessage): void {
    switch (message.kind) {
      case "pointer":
        this.#point(from, message.x, message.y);
        break;
      case "away":
        this.#removePointer(from.id);
        break;
      case "drawing":
        this.#draw(from, message.from, message.shape);
        break;
      case "cancelled":
        if (this.#shapes.get(message.id)?.by === from.id) this.#shapes.delete(message.id);
        break;
    }
    this.#options.changed();
  }

  /** Who is not among them any more takes pointer and unfinished shapes along. */
  here(people: readonly Person[], count: number): void {
    // A long list is cut off, and says nothing about those who are not on it.
    if (people.length < count) return;
    const ids = new Set(people.map(({ id }) => id));
    for (const id of this.#pointers.keys()) if (!ids.has(id)) this.#removePointer(id);
    for (const [id, { by }] of this.#shapes) if (!ids.has(by)) this.#shapes.delete(id);
    this.#options.changed();
  }

  /** The application has published it. */
  arrived(id: string): void {
    this.#shapes.delete(id);
  }

  /** Puts the pointers where they belong in what is seen now. */
  place(): void {
    const edge = this.#options.layer.clientWidth - labelRoom;
    for (const pointer of this.#pointers.values()) {
      const { x, y } = this.#options.view.toStage(pointer);
      pointer.element.style.transform = `translate(${x}px, ${y}px)`;
      // Beyond the edge nobody could read the name.
      pointer.element.classList.toggle("is-at-edge", x > edge);
    }
  }

  #draw({ id: by }: Seat, from: number, part: Shape): void {
    const known = this.#shapes.get(part.id);
    if (known !== undefined && known.by !== by) return;
    const shape = from === 0 ? part : joined(known?.shape, from, part);
    if (shape === null || (known === undefined && this.#shapes.size >= maxShapes)) return;
    this.#shapes.set(shape.id, { shape, by, seenAt: Date.now() });
  }

  #point(from: Seat, x: number, y: number): void {
    const known = this.#pointers.get(from.id) ?? this.#addPointer(from);
    known.x = Math.min(Math.max(x, 0), boardSize.width);
    known.y = Math.min(Math.max(y, 0), boardSize.height);
    known.seenAt = Date.now();
  }

  #addPointer({ id, name }: Seat): Pointer {
    const element = document.createElement("div");
    element.className = "pointer";
    element.style.setProperty("--person", colourOf(id));
    const label = document.createElement("span");
    label.textContent = name;
    element.append(label);
    this.#options.layer.append(element);
    const pointer = { element, x: 0, y: 0, seenAt: Date.now() };
    this.#pointers.set(id, pointer);
    return pointer;
  }

  #removePointer(id: string): void {
    this.#pointers.get(id)?.element.remove();
    this.#pointers.delete(id);
  }

  #forget(): void {
    const before = Date.now() - forgetMs;
    const [pointers, shapes] = [this.#pointers.size, this.#shapes.size];
    for (const [id, { seenAt }] of this.#pointers) if (seenAt < before) this.#removePointer(id);
    for (const [id, { seenAt }] of this.#shapes) if (seenAt < before) this.#shapes.delete(id);
    if (pointers !== this.#pointers.size || shapes !== this.#shapes.size) this.#options.changed();
  }
}

/** A stroke with its next piece; null when the piece before it is missing. */
function joined(known: Shape | undefined, from: number, part: Shape): Shape | null {
  if (known === undefined || known.tool === "image" || part.tool !== known.tool) return null;
  if (known.points.length !== 2 * from || known.points.length + part.points.length > 2 * maxPoints) return null;
  const points = [...known.points, ...part.points];
  if ((known.tool !== "pen" && known.tool !== "eraser") || (part.tool !== "pen" && part.tool !== "eraser")) return null;
  const pressures = [...(known.pressures ?? []), ...(part.pressures ?? [])];
  const { pressures: _, ...rest } = known;
  return pressures.length === points.length / 2 ? { ...rest, points, pressures } : { ...rest, points };
}

/** The same for everybody who sees that person. */
export function colourOf(personId: string): string {
  return `oklch(0.52 0.13 ${Number.parseInt(personId.slice(0, 4), 16) % 360})`;
}
