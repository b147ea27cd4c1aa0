// Brings an image to the application, and says where on the board it goes.
import { boardSize, type Picture } from "../shape.ts";
import { freshId } from "./sketch.ts";
import type { Position } from "./view.ts";

const maxBytes = 5 * 1024 * 1024;
/** Of the board, in each direction: there should be room left to draw. */
const largestShare = 0.5;

/** The shape to add; a text, in words for the page, when the file cannot be used. */
export async function upload(file: Blob, board: string, at: Position): Promise<Picture | string> {
  // The application judges for itself; this spares the way there.
  if (file.size > maxBytes) return `An image may have ${maxBytes / 1024 / 1024} MB.`;
  if (!file.type.startsWith("image/")) return "That file is not a PNG, JPEG or WebP image.";
  try {
    const response = await fetch(`/boards/${board}/images`, {
      method: "POST",
      headers: { "Content-Type": file.type },
      body: file,
    });
    const answer = (await response.json()) as Readonly<
      Record<"id" | "error", string> & Record<"width" | "height", number>
    >;
    return response.ok ? { id: freshId(), tool: "image", image: answer.id, points: place(answer, at) } : answer.error;
  } catch {
    return "The image could not be sent. Try again when the connection is back.";
  }
}

/** Corners of an image of this size around a position, as large as it is where that fits, and within the board. */
function place(size: { readonly width: number; readonly height: number }, { x, y }: Position): number[] {
  const fitting = (largestShare * boardSize.width) / size.width;
  const scale = Math.min(1, fitting, (largestShare * boardSize.height) / size.height);
  const [width, height] = [Math.max(size.width * scale, 1), Math.max(size.height * scale, 1)];
  const left = Math.min(Math.max(x - width / 2, 0), boardSize.width - width);
  const top = Math.min(Math.max(y - height / 2, 0), boardSize.height - height);
  return [left, top, left + width, top + height].map((value) => Math.round(value));
}
