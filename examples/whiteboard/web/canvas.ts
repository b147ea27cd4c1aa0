// The picture: crisp on every screen, and painted only when something changed.
import { boardSize, type Shape } from "../shape.ts";
import type { Board } from "./board.ts";
import { type ImageOf, paint } from "./paint.ts";
import type { View } from "./view.ts";

const retryImageMs = 5000;

export interface CanvasOptions {
  readonly canvas: HTMLCanvasElement;
  readonly view: View;
  readonly board: Board;
  readonly imageUrl: (id: string) => string;
  /** What lies above the board: shapes on their way to the application, and shapes in progress. */
  readonly unfinished: () => readonly Shape[];
  /** After each painting, for what is laid over the canvas. */
  readonly painted: () => void;
}

export class Canvas {
  readonly #options: CanvasOptions;
  readonly #context: CanvasRenderingContext2D;
  /** The stored shapes as they are seen now. New ones are added to it; anything else paints it anew. */
  readonly #picture = document.createElement("canvas");
  readonly #images = new Map<string, HTMLImageElement>();
  #painted = { revision: -1, count: 0 };
  #isAsked = false;

  constructor(options: CanvasOptions) {
    this.#options = options;
    this.#context = contextOf(options.canvas);
    new ResizeObserver(() => this.#resize()).observe(options.canvas);
  }

  /** Paints with the next frame. */
  invalidate(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#paint();
    });
  }

  /** Another part of the board is seen: everything is painted anew. */
  viewChanged(): void {
    this.#painted = { revision: -1, count: 0 };
    this.invalidate();
  }

  #resize(): void {
    const { canvas, view } = this.#options;
    const { clientWidth, clientHeight } = canvas;
    for (const each of [canvas, this.#picture]) {
      each.width = Math.round(clientWidth * devicePixelRatio);
      each.height = Math.round(clientHeight * devicePixelRatio);
    }
    view.resize(clientWidth, clientHeight);
    this.viewChanged();
    // Setting the size emptied the canvas, and this frame is about to be shown.
    this.#paint();
  }

  #paint(): void {
    this.#paintPicture();
    const { canvas, unfinished, painted } = this.#options;
    this.#context.resetTransform();
    this.#context.clearRect(0, 0, canvas.width, canvas.height);
    if (canvas.width > 0 && canvas.height > 0) this.#context.drawImage(this.#picture, 0, 0);
    this.#paintShapes(this.#context, unfinished());
    painted();
  }

  #paintPicture(): void {
    const { board } = this.#options;
    const shapes = board.shapes();
    const context = contextOf(this.#picture);
    if (this.#painted.revision !== board.revision) {
      context.resetTransform();
      context.clearRect(0, 0, this.#picture.width, this.#picture.height);
      this.#painted = { revision: board.revision, count: 0 };
    }
    this.#paintShapes(context, shapes.slice(this.#painted.count));
    this.#painted.count = shapes.length;
  }

  #paintShapes(context: CanvasRenderingContext2D, shapes: readonly Shape[]): void {
    const { scale, x, y } = this.#options.view;
    context.save();
    const pixels = devicePixelRatio;
    context.setTransform(scale * pixels, 0, 0, scale * pixels, x * pixels, y * pixels);
    context.beginPath();
    context.rect(0, 0, boardSize.width, boardSize.height);
    context.clip();
    for (const shape of shapes) paint(context, shape, this.#imageOf);
    context.restore();
  }

  readonly #imageOf: ImageOf = (id) => {
    const known = this.#images.get(id);
    if (known !== undefined) return known.complete && known.naturalWidth > 0 ? known : null;
    const image = new Image();
    this.#images.set(id, image);
    image.onload = () => this.viewChanged();
    image.onerror = () => setTimeout(() => this.#images.delete(id) && this.viewChanged(), retryImageMs);
    image.src = this.#options.imageUrl(id);
    return null;
  };
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser has no canvas");
  return context;
}
