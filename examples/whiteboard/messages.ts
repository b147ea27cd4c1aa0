// What travels between the page, the other pages and the application.
import { parseShape, type Shape } from "./shape.ts";

/** Somebody at a board. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** Who is connected, and to which board: it travels in the user id, which the service vouches for. */
export interface Seat extends Person {
  readonly board: string;
}

const maxNameLength = 24;

export const isBoardName = (value: unknown): value is string =>
  typeof value === "string" && /^[a-z0-9][a-z0-9-]{0,39}$/.test(value);

/** Null when one of them is not fit to be used. */
export function parseSeat(board: unknown, id: unknown, name: unknown): Seat | null {
  if (!isBoardName(board) || typeof id !== "string" || typeof name !== "string") return null;
  const trimmed = name.trim();
  const isUsable = /^[0-9a-f]{32}$/.test(id) && trimmed !== "" && trimmed.length <= maxNameLength;
  return isUsable ? { board, id, name: trimmed } : null;
}

export const userIdOf = ({ board, id, name }: Seat): string => `${board}/${id}/${name}`;

/** The name comes last, since it may have slashes. */
export function seatOf(userId: string): Seat | null {
  const [board, id, ...name] = userId.split("/");
  return parseSeat(board, id, name.join("/"));
}

/** What the application publishes to a board. Everything that changes the drawing has the next number of that board. */
export type BoardMessage =
  | { readonly kind: "shape"; readonly number: number; readonly author: string; readonly shape: Shape }
  | { readonly kind: "removed"; readonly number: number; readonly id: string }
  | { readonly kind: "cleared"; readonly number: number; readonly by: string }
  /** How far the board is, for those who may have missed something. */
  | { readonly kind: "latest"; readonly number: number }
  | { readonly kind: "people"; readonly count: number; readonly people: readonly Person[] };

/**
 * What the application answers to an event, before its acknowledgement. "refused": it will never be accepted, and sending it
 * again is of no use.
 */
export type Answer = { readonly event: string; readonly id: string } & (
  | { readonly kind: "done"; readonly number: number }
  | { readonly kind: "refused"; readonly reason: string }
);

/** One line of the history; shape null: it was there and was undone. */
export interface HistoryEntry {
  readonly number: number;
  readonly id: string;
  readonly author: string;
  readonly shape: Shape | null;
}

/** What `GET /boards/<name>/shapes?after=<number>` answers. */
export interface History {
  /** The board is complete up to here. */
  readonly latest: number;
  /** The entries are all there is; what was drawn up to `after` is gone or among them. */
  readonly reset: boolean;
  readonly entries: readonly HistoryEntry[];
}

/** What pages tell each other, past the application. It may get lost: the finished shape comes from the application. */
export type LiveMessage =
  | { readonly kind: "pointer"; readonly x: number; readonly y: number }
  | { readonly kind: "away" }
  /** A shape in progress; of a stroke only the points since position `from`. */
  | { readonly kind: "drawing"; readonly from: number; readonly shape: Shape }
  | { readonly kind: "cancelled"; readonly id: string };

/** Null for what another page should not have sent. */
export function parseLiveMessage(value: unknown): LiveMessage | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, x, y, from, shape, id } = value as Readonly<Record<string, unknown>>;
  switch (kind) {
    case "pointer":
      return Number.isFinite(x) && Number.isFinite(y) ? { kind, x: Number(x), y: Number(y) } : null;
    case "away":
      return { kind };
    case "drawing": {
      const parsed = parseShape(shape);
      return parsed !== null && Number.isSafeInteger(from) ? { kind, from: Number(from), shape: parsed } : null;
    }
    case "cancelled":
      return typeof id === "string" ? { kind, id } : null;
    default:
      return null;
  }
}
