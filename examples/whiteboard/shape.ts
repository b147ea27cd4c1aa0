// What can be drawn, for the server and for the page. Both read shapes that others sent, so both check them here.

/** The board has a fixed size, so that a phone and a desktop show the same picture. */
export const boardSize = { width: 1600, height: 1000 } as const;

export const maxPoints = 2000;
const maxWidth = 60;

/** One position after the other: x, y, x, y … */
export type Points = readonly number[];

export interface Stroke {
  readonly id: string;
  readonly tool: "pen" | "eraser";
  readonly colour: string;
  readonly width: number;
  readonly points: Points;
  /** One per position, 0 to 1; absent where the device knows none. */
  readonly pressures?: readonly number[];
}

/** Drawn between two corners, or from end to end. */
export interface Figure {
  readonly id: string;
  readonly tool: "line" | "rectangle" | "ellipse";
  readonly colour: string;
  readonly width: number;
  /** x, y of the start and x, y of the end. */
  readonly points: Points;
}

export interface Picture {
  readonly id: string;
  readonly tool: "image";
  /** Id of an uploaded image of the same board. */
  readonly image: string;
  /** x, y of two opposite corners. */
  readonly points: Points;
}

export type Shape = Stroke | Figure | Picture;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
const isColour = (value: unknown): value is string => typeof value === "string" && /^#[0-9a-f]{6}$/.test(value);
const isBetween = (value: unknown, [least, most]: readonly [number, number]): value is number =>
  typeof value === "number" && value >= least && value <= most;

/** An even count of coordinates, each within the board. */
function isPoints(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length < 2 || value.length > 2 * maxPoints || value.length % 2 !== 0) return false;
  return value.every((each, at) => isBetween(each, [0, at % 2 === 0 ? boardSize.width : boardSize.height]));
}

const isPressures = (value: unknown, count: number): value is number[] =>
  Array.isArray(value) && value.length === count && value.every((each) => isBetween(each, [0, 1]));

/** The shape that `value` describes, without anything else it may hold; null when it describes none. */
export function parseShape(value: unknown): Shape | null {
  if (!isFields(value)) return null;
  const { id, tool, colour, width, points, pressures, image } = value;
  if (!isId(id) || !isPoints(points)) return null;
  if (tool === "image") return isId(image) && points.length === 4 ? { id, tool, image, points } : null;
  if (!isColour(colour) || !isBetween(width, [1, maxWidth])) return null;
  switch (tool) {
    case "pen":
    case "eraser":
      if (pressures === undefined) return { id, tool, colour, width, points };
      return isPressures(pressures, points.length / 2) ? { id, tool, colour, width, points, pressures } : null;
    case "line":
    case "rectangle":
    case "ellipse":
      return points.length === 4 ? { id, tool, colour, width, points } : null;
    default:
      return null;
  }
}

/** The id in an event that names a shape; null when there is none. */
export function parseShapeId(value: unknown): string | null {
  return isFields(value) && isId(value["id"]) ? value["id"] : null;
}
