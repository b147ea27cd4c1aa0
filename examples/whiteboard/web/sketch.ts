// The shape that is being drawn on this page.
import { boardSize, maxPoints, type Shape } from "../shape.ts";
import type { Touchpoint } from "./hand.ts";

export type DrawingTool = Exclude<Shape["tool"], "image">;

export interface Style {
  readonly tool: DrawingTool;
  readonly colour: string;
  readonly width: number;
}

/** Closer together, points make a stroke longer and not smoother. */
const leastStep = 1.5;

export class Sketch {
  readonly id = freshId();
  readonly #style: Style;
  #points: number[];
  readonly #pressures: number[] = [];

  constructor(style: Style, { x, y, pressure }: Touchpoint) {
    // An eraser of the pen's width would rub for ever.
    this.#style = style.tool === "eraser" ? { ...style, width: Math.min(style.width * 4, 60) } : style;
    this.#points = this.#isStroke ? [x, y] : [x, y, x, y];
    if (pressure !== null) this.#pressures.push(pressure);
  }

  get #isStroke(): boolean {
    return this.#style.tool === "pen" || this.#style.tool === "eraser";
  }

  /** A stroke has as many points as it may have. */
  get isFull(): boolean {
    return this.#points.length >= 2 * maxPoints;
  }

  /** A figure without extent cannot be seen; a stroke of one point is a dot. */
  get isEmpty(): boolean {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = this.#points;
    return !this.#isStroke && Math.hypot(x2 - x1, y2 - y1) < 3;
  }

  extend({ x, y, pressure }: Touchpoint, isStraight: boolean): void {
    const [startX = 0, startY = 0] = this.#points;
    if (!this.#isStroke) {
      const [endX, endY] = isStraight ? straightened(this.#style.tool, [startX, startY, x, y]) : [x, y];
      this.#points = [startX, startY, within(endX, boardSize.width), within(endY, boardSize.height)];
      return;
    }
    const [lastX = 0, lastY = 0] = this.#points.slice(-2);
    if (this.isFull || Math.hypot(x - lastX, y - lastY) < leastStep) return;
    this.#points.push(x, y);
    if (this.#pressures.length > 0) this.#pressures.push(pressure ?? 0.5);
  }

  /** From position `from` on; the whole shape without it. */
  shape(from = 0): Shape {
    const { tool, colour, width } = this.#style;
    const points = this.#points.slice(2 * from);
    const pressures = this.#pressures.slice(from);
    if (tool !== "pen" && tool !== "eraser") return { id: this.id, tool, colour, width, points };
    return { id: this.id, tool, colour, width, points, ...(pressures.length > 0 ? { pressures } : {}) };
  }

  /** How many positions it has; a figure is sent as a whole each time, so it always has none that are known. */
  get sendable(): number {
    return this.#isStroke ? this.#points.length / 2 : 0;
  }
}

const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

/** Squares and circles, and lines along an eighth of a turn. */
function straightened(tool: DrawingTool, [x1, y1, x2, y2]: [number, number, number, number]): [number, number] {
  const [dx, dy] = [x2 - x1, y2 - y1];
  if (tool === "line") {
    const angle = (Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * Math.PI) / 4;
    const length = dx * Math.cos(angle) + dy * Math.sin(angle);
    return [x1 + length * Math.cos(angle), y1 + length * Math.sin(angle)];
  }
  const side = Math.min(Math.abs(dx), Math.abs(dy));
  return [x1 + Math.sign(dx) * side, y1 + Math.sign(dy) * side];
}

/** `crypto.randomUUID` exists on https only. */
export function freshId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
