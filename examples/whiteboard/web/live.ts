// What the others see while something is being drawn: a few messages a second, past the application.
import type { LiveMessage } from "../messages.ts";
import type { Sketch } from "./sketch.ts";
import type { Position } from "./view.ts";

const intervalMs = 40;

export class Live {
  readonly #send: (message: LiveMessage) => void;
  #sketch: Sketch | null = null;
  #sentPositions = 0;
  #pointer: Position | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(send: (message: LiveMessage) => void) {
    this.#send = send;
  }

  pointer(at: Position | null): void {
    this.#pointer = at;
    if (at === null) this.#send({ kind: "away" });
    else this.#soon();
  }

  drawing(sketch: Sketch): void {
    if (sketch !== this.#sketch) {
      this.#sketch = sketch;
      this.#sentPositions = 0;
    }
    this.#soon();
  }

  /** Finished: the others keep what they have until the shape comes from the application. */
  finished(): void {
    this.#flush();
    this.#sketch = null;
  }

  cancelled(id: string): void {
    this.#sketch = null;
    this.#send({ kind: "cancelled", id });
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#flush(), intervalMs);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pointer !== null) this.#send({ kind: "pointer", x: this.#pointer.x, y: this.#pointer.y });
    this.#pointer = null;
    const sketch = this.#sketch;
    if (sketch === null || (sketch.sendable > 0 && sketch.sendable === this.#sentPositions)) return;
    this.#send({ kind: "drawing", from: this.#sentPositions, shape: sketch.shape(this.#sentPositions) });
    this.#sentPositions = sketch.sendable;
  }
}
