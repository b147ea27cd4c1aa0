// Mouse, pen and fingers on the canvas: one draws, two fingers move and zoom, and so do wheel and middle button.
import type { Position, View } from "./view.ts";

export interface Touchpoint extends Position {
  /** Null where the device does not feel it. */
  readonly pressure: number | null;
}

export interface HandOptions {
  readonly canvas: HTMLCanvasElement;
  readonly view: View;
  readonly viewChanged: () => void;
  readonly begin: (at: Touchpoint) => void;
  /** All points since the last call; `isStraight`: shift is held. */
  readonly draw: (to: readonly Touchpoint[], isStraight: boolean) => void;
  readonly end: () => void;
  /** It was the beginning of something else. */
  readonly cancel: () => void;
  readonly hover: (at: Position | null) => void;
}

type Doing = "nothing" | "drawing" | "panning" | "pinching";

export class Hand {
  readonly #options: HandOptions;
  /** Fingers and buttons that are down, by pointer id, in CSS pixels of the canvas. */
  readonly #down = new Map<number, Position>();
  #doing: Doing = "nothing";

  constructor(options: HandOptions) {
    this.#options = options;
    const { canvas } = options;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#lift(event));
    canvas.addEventListener("pointercancel", (event) => this.#lift(event));
    canvas.addEventListener("pointerleave", () => options.hover(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #press(event: PointerEvent): void {
    const { canvas, begin, cancel, view } = this.#options;
    if (event.button !== 0 && event.button !== 1) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, positionOf(event));
    if (this.#down.size > 1) {
      if (this.#doing === "drawing") cancel();
      this.#doing = "pinching";
      return;
    }
    this.#doing = event.button === 1 ? "panning" : "drawing";
    if (this.#doing === "drawing") begin(touchpointOf(event, view));
  }

  #move(event: PointerEvent): void {
    const { view, viewChanged, draw, hover } = this.#options;
    const before = this.#down.get(event.pointerId);
    const now = positionOf(event);
    hover(view.toBoard(now));
    if (before === undefined) return;
    const [anchor] = [...this.#down].filter(([id]) => id !== event.pointerId).map(([, position]) => position);
    this.#down.set(event.pointerId, now);
    switch (this.#doing) {
      case "drawing": {
        // What the device felt since the last frame; without it fast curves get corners.
        const steps = event.getCoalescedEvents();
        draw(
          (steps.length === 0 ? [event] : steps).map((step) => touchpointOf(step, view)),
          event.shiftKey,
        );
        return;
      }
      case "panning":
        view.pan(now.x - before.x, now.y - before.y);
        viewChanged();
        return;
      case "pinching":
        if (anchor === undefined) return;
        view.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
        view.zoom(distance(anchor, now) / Math.max(distance(anchor, before), 1), middle(anchor, now));
        viewChanged();
        return;
      case "nothing":
        return;
    }
  }

  #lift(event: PointerEvent): void {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#doing === "drawing") {
      if (event.type === "pointerup") this.#options.end();
      else this.#options.cancel();
    }
    // The second finger of a pinch must not begin to draw when the first is lifted.
    if (this.#down.size === 0) this.#doing = "nothing";
    if (event.pointerType !== "mouse") this.#options.hover(null);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const { view, viewChanged } = this.#options;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // Browsers report a pinch on a trackpad as a wheel with the control key.
    if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(-event.deltaY * lines * 0.005), positionOf(event));
    else view.pan(-event.deltaX * lines, -event.deltaY * lines);
    viewChanged();
  }
}

const positionOf = ({ offsetX, offsetY }: MouseEvent): Position => ({ x: offsetX, y: offsetY });

function touchpointOf(event: PointerEvent, view: View): Touchpoint {
  const pressure = event.pointerType === "pen" && event.pressure > 0 ? Math.round(event.pressure * 100) / 100 : null;
  return { ...view.toBoard(positionOf(event)), pressure };
}

const distance = (one: Position, other: Position): number => Math.hypot(one.x - other.x, one.y - other.y);
const middle = (one: Position, other: Position): Position => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
