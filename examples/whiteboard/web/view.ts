// Which part of the board is seen, and how large.
import { boardSize } from "../shape.ts";

export interface Position {
  readonly x: number;
  readonly y: number;
}

const margin = 16;
const maxZoom = 8;

/** Between board coordinates and CSS pixels of the stage: stage = board × scale + offset. */
export class View {
  scale = 1;
  x = 0;
  y = 0;
  #stage = { width: 1, height: 1 };
  /** Until somebody zooms, the whole board stays in view when the window changes. */
  #isFitted = true;

  resize(width: number, height: number): void {
    this.#stage = { width, height };
    if (this.#isFitted) this.fit();
    else this.#settle();
  }

  fit(): void {
    this.#isFitted = true;
    this.scale = this.#fittingScale();
    this.#settle();
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.#settle();
  }

  /** What is under this position of the stage stays there. */
  zoom(factor: number, at: Position = { x: this.#stage.width / 2, y: this.#stage.height / 2 }): void {
    const least = this.#fittingScale();
    const scale = Math.min(Math.max(this.scale * factor, least), least * maxZoom);
    this.x = at.x - (at.x - this.x) * (scale / this.scale);
    this.y = at.y - (at.y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.#isFitted = scale === least;
    this.#settle();
  }

  /** Where on the board a position of the stage is; positions beside the board become those at its edge. */
  toBoard({ x, y }: Position): Position {
    return {
      x: rounded(Math.min(Math.max((x - this.x) / this.scale, 0), boardSize.width)),
      y: rounded(Math.min(Math.max((y - this.y) / this.scale, 0), boardSize.height)),
    };
  }

  toStage({ x, y }: Position): Position {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }

  #fittingScale(): number {
    const { width, height } = this.#stage;
    return Math.max(Math.min((width - 2 * margin) / boardSize.width, (height - 2 * margin) / boardSize.height), 0.05);
  }

  /** No empty stage where there could be board: smaller than the stage it is centred, larger it covers the stage. */
  #settle(): void {
    const along = (offset: number, stage: number, board: number): number => {
      const room = stage - board;
      return room >= 2 * margin ? room / 2 : Math.min(Math.max(offset, room - margin), margin);
    };
    this.x = along(this.x, this.#stage.width, boardSize.width * this.scale);
    this.y = along(this.y, this.#stage.height, boardSize.height * this.scale);
  }
}

/** A tenth of a unit is finer than any screen shows. */
const rounded = (value: number): number => Math.round(value * 10) / 10;
