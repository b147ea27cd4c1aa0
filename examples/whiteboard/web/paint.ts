// Paints one shape, in board coordinates.
import type { Figure, Picture, Points, Shape, Stroke } from "../shape.ts";

/** The decoded image, null while it is on its way. */
export type ImageOf = (id: string) => CanvasImageSource | null;

export function paint(context: CanvasRenderingContext2D, shape: Shape, imageOf: ImageOf): void {
  context.save();
  switch (shape.tool) {
    case "pen":
    case "eraser":
      paintStroke(context, shape);
      break;
    case "line":
    case "rectangle":
    case "ellipse":
      paintFigure(context, shape);
      break;
    case "image":
      paintPicture(context, shape, imageOf(shape.image));
      break;
  }
  context.restore();
}

function paintStroke(context: CanvasRenderingContext2D, stroke: Stroke): void {
  // The eraser takes the ink away down to the paper, which is not part of the picture.
  if (stroke.tool === "eraser") context.globalCompositeOperation = "destination-out";
  context.strokeStyle = stroke.colour;
  context.lineWidth = stroke.width;
  context.lineCap = "round";
  context.lineJoin = "round";
  if (stroke.pressures === undefined) {
    context.stroke(smoothPathOf(stroke.points));
    return;
  }
  // The pen is pressed harder here and softer there, so each piece has a width of its own.
  for (const [at, pressure] of stroke.pressures.entries()) {
    const piece = new Path2D();
    piece.moveTo(...(at === 0 ? pointAt(stroke.points, 0) : middleAfter(stroke.points, at - 1)));
    addCurve(piece, stroke.points, at);
    context.lineWidth = stroke.width * (0.4 + 1.2 * pressure);
    context.stroke(piece);
  }
}

/** Strokes do not change, so their paths are made once. */
const paths = new WeakMap<Points, Path2D>();

function smoothPathOf(points: Points): Path2D {
  const known = paths.get(points);
  if (known !== undefined) return known;
  const path = new Path2D();
  path.moveTo(...pointAt(points, 0));
  for (let at = 0; at < points.length / 2; at += 1) addCurve(path, points, at);
  paths.set(points, path);
  return path;
}

const pointAt = (points: Points, at: number): [number, number] => [points[2 * at] ?? 0, points[2 * at + 1] ?? 0];

function middleAfter(points: Points, at: number): [number, number] {
  const [[x1, y1], [x2, y2]] = [pointAt(points, at), pointAt(points, at + 1)];
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

/** From the middle before a point to the middle after it, bent by the point; the last goes straight to its end. */
function addCurve(path: Path2D, points: Points, at: number): void {
  const [x, y] = pointAt(points, at);
  // A line without length is not painted, and a dot should be.
  if (at === points.length / 2 - 1) path.lineTo(x, points.length === 2 ? y + 0.01 : y);
  else path.quadraticCurveTo(x, y, ...middleAfter(points, at));
}

function paintFigure(context: CanvasRenderingContext2D, { tool, colour, width, points }: Figure): void {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = points;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  switch (tool) {
    case "line":
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      break;
    case "rectangle":
      context.rect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1));
      break;
    case "ellipse":
      context.ellipse((x1 + x2) / 2, (y1 + y2) / 2, Math.abs(x2 - x1) / 2, Math.abs(y2 - y1) / 2, 0, 0, 2 * Math.PI);
      break;
  }
  context.stroke();
}

function paintPicture(context: CanvasRenderingContext2D, { points }: Picture, image: CanvasImageSource | null): void {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = points;
  if (image !== null) {
    context.drawImage(image, x1, y1, x2 - x1, y2 - y1);
    return;
  }
  context.fillStyle = "#e7e5e0";
  context.fillRect(x1, y1, x2 - x1, y2 - y1);
}
