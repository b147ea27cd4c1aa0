// The boards, in SQLite. Every change of a board has the next number of that board; numbers are never used twice.
import { Database } from "bun:sqlite";
import type { History, HistoryEntry } from "./messages.ts";
import type { Shape } from "./shape.ts";

/** What one installation holds; whoever has the link may draw, so everything has an end. */
export interface StoreLimits {
  readonly boards: number;
  readonly shapesPerBoard: number;
  readonly bytesPerBoard: number;
  readonly imagesPerBoard: number;
  /** For how many changes a shape that is gone is remembered, so that it does not come back when it is sent again. */
  readonly rememberedChanges: number;
}

const defaultLimits: StoreLimits = {
  boards: 500,
  shapesPerBoard: 5000,
  bytesPerBoard: 4 * 1024 * 1024,
  imagesPerBoard: 40,
  rememberedChanges: 5000,
};

/** "repeated": the very same was stored before, and nothing changed. */
export type Outcome =
  | { readonly kind: "stored"; readonly number: number }
  | { readonly kind: "repeated"; readonly number: number }
  | { readonly kind: "refused"; readonly reason: string };

export interface StoredImage {
  readonly type: string;
  readonly bytes: Uint8Array;
}

interface BoardRow {
  readonly number: number;
  readonly horizon: number;
}
interface ShapeRow {
  readonly number: number;
  readonly id: string;
  readonly author: string;
  readonly body: string | null;
  readonly image: string | null;
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 5000;
  -- horizon: what happened up to this number cannot be told step by step any more.
  CREATE TABLE IF NOT EXISTS boards (name TEXT PRIMARY KEY, number INTEGER NOT NULL, horizon INTEGER NOT NULL);
  -- body null: the shape is gone. An undone one has the number of its removal.
  CREATE TABLE IF NOT EXISTS shapes (
    board TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, author TEXT NOT NULL, body TEXT, image TEXT,
    PRIMARY KEY (board, id)
  );
  CREATE INDEX IF NOT EXISTS shapes_by_number ON shapes (board, number);
  CREATE TABLE IF NOT EXISTS images (
    board TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (board, id)
  );
`;

export class BoardStore {
  readonly #database: Database;
  readonly #limits: StoreLimits;

  constructor(file: string, limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#database = new Database(file, { create: true, strict: true });
    this.#database.run(schema);
  }

  close(): void {
    this.#database.close();
  }

  boards(): string[] {
    return this.#all<{ name: string }>("SELECT name FROM boards", {}).map(({ name }) => name);
  }

  /** Stores a shape under the next number; the same id again is answered as "repeated". */
  add(board: string, author: string, shape: Shape): Outcome {
    return this.#inTransaction((): Outcome => {
      const { number } = this.#board(board);
      const known = this.#get<{ id: string }>("SELECT id FROM shapes WHERE board = $board AND id = $id", {
        board,
        id: shape.id,
      });
      if (known !== null) return { kind: "repeated", number };
      const body = JSON.stringify(shape);
      const reason = this.#reasonAgainst(board, shape, body.length);
      if (reason !== null) return { kind: "refused", reason };
      const next = this.#nextNumber(board);
      this.#run("INSERT INTO shapes VALUES ($board, $id, $next, $author, $body, $image)", {
        board,
        id: shape.id,
        next,
        author,
        body,
        image: shape.tool === "image" ? shape.image : null,
      });
      return { kind: "stored", number: next };
    });
  }

  /** Takes back a shape of this author. One that is gone already is answered as "repeated". */
  remove(board: string, author: string, id: string): Outcome {
    return this.#inTransaction((): Outcome => {
      const found = this.#get<ShapeRow>("SELECT * FROM shapes WHERE board = $board AND id = $id", { board, id });
      if (found === null || found.body === null) return { kind: "repeated", number: this.#board(board).number };
      if (found.author !== author) return { kind: "refused", reason: "Only who drew a shape can undo it." };
      const number = this.#nextNumber(board);
      this.#run("UPDATE shapes SET body = NULL, image = NULL, number = $number WHERE board = $board AND id = $id", {
        board,
        id,
        number,
      });
      this.#run(
        `DELETE FROM images WHERE board = $board AND id = $image
         AND NOT EXISTS (SELECT 1 FROM shapes WHERE board = $board AND image = $image)`,
        { board, image: found.image },
      );
      this.#forget(board, number - this.#limits.rememberedChanges);
      return { kind: "stored", number };
    });
  }

  /** Takes everything off the board; returns the number of that change. */
  clear(board: string): number {
    return this.#inTransaction(() => {
      const number = this.#nextNumber(board);
      this.#run("UPDATE shapes SET body = NULL, image = NULL WHERE board = $board", { board });
      this.#run("DELETE FROM images WHERE board = $board", { board });
      this.#run("UPDATE boards SET horizon = $number WHERE name = $board", { board, number });
      this.#forget(board, number - this.#limits.rememberedChanges);
      return number;
    });
  }

  /** What happened on a board after a number. */
  history(board: string, after: number): History {
    return this.#inTransaction(() => {
      const { number, horizon } = this.#board(board);
      // A number from the future: the page knows a board that was stored elsewhere, or is no more.
      const reset = after < horizon || after > number;
      const rows = reset
        ? this.#all<ShapeRow>("SELECT * FROM shapes WHERE board = $board AND body IS NOT NULL ORDER BY number", {
            board,
          })
        : this.#all<ShapeRow>(
            "SELECT * FROM shapes WHERE board = $board AND number > $after AND ($after > 0 OR body IS NOT NULL) ORDER BY number",
            { board, after },
          );
      return { latest: number, reset, entries: rows.map(toEntry) };
    });
  }

  /** Keeps an image for a shape to come; null, or the reason why not. */
  addImage(board: string, id: string, image: StoredImage): string | null {
    return this.#inTransaction(() => {
      const { count } = this.#count("SELECT count(*) AS count FROM images WHERE board = $board", { board });
      if (count >= this.#limits.imagesPerBoard) return `A board holds ${this.#limits.imagesPerBoard} images.`;
      const reason = this.#reasonAgainstBoard(board);
      if (reason !== null) return reason;
      this.#run("INSERT INTO boards VALUES ($board, 0, 0) ON CONFLICT DO NOTHING", { board });
      this.#run("INSERT INTO images VALUES ($board, $id, $type, $bytes)", { board, id, ...image });
      return null;
    });
  }

  image(board: string, id: string): StoredImage | null {
    return this.#get<StoredImage>("SELECT type, bytes FROM images WHERE board = $board AND id = $id", { board, id });
  }

  #reasonAgainst(board: string, shape: Shape, bytes: number): string | null {
    const { shapesPerBoard, bytesPerBoard } = this.#limits;
    const used = this.#count(
      "SELECT count(body) AS count, coalesce(sum(length(body)), 0) AS bytes FROM shapes WHERE board = $board",
      { board },
    );
    if (used.count >= shapesPerBoard || used.bytes + bytes > bytesPerBoard) {
      return "This board is full. Clear it, or start another one.";
    }
    if (shape.tool === "image" && this.image(board, shape.image) === null) return "That image is not here any more.";
    return this.#reasonAgainstBoard(board);
  }

  #reasonAgainstBoard(board: string): string | null {
    const isNew = this.#get("SELECT name FROM boards WHERE name = $board", { board }) === null;
    if (!isNew) return null;
    const { count } = this.#count("SELECT count(*) AS count FROM boards", {});
    return count >= this.#limits.boards ? "There are too many boards. Use one that is there." : null;
  }

  /** Drops what is gone and was changed up to this number. */
  #forget(board: string, number: number): void {
    const { changes } = this.#run("DELETE FROM shapes WHERE board = $board AND body IS NULL AND number <= $number", {
      board,
      number,
    });
    if (changes === 0) return;
    this.#run("UPDATE boards SET horizon = max(horizon, $number) WHERE name = $board", { board, number });
  }

  #board(name: string): BoardRow {
    const found = this.#get<BoardRow>("SELECT number, horizon FROM boards WHERE name = $name", { name });
    return found ?? { number: 0, horizon: 0 };
  }

  #nextNumber(board: string): number {
    const row = this.#get<{ number: number }>(
      "INSERT INTO boards VALUES ($board, 1, 0) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number",
      { board },
    );
    if (row === null) throw new Error("the board has no number");
    return row.number;
  }

  #inTransaction<T>(act: () => T): T {
    return this.#database.transaction(act).immediate();
  }

  #get<T>(sql: string, values: Values): T | null {
    return this.#database.query<T, Values[]>(sql).get(values);
  }

  #all<T>(sql: string, values: Values): T[] {
    return this.#database.query<T, Values[]>(sql).all(values);
  }

  #run(sql: string, values: Values) {
    return this.#database.query<unknown, Values[]>(sql).run(values);
  }

  #count(sql: string, values: Values): { readonly count: number; readonly bytes: number } {
    return { count: 0, bytes: 0, ...this.#get<{ count: number; bytes?: number }>(sql, values) };
  }
}

type Values = Record<string, string | number | null | Uint8Array>;

/** Only what `parseShape` accepted was stored. */
function toEntry({ number, id, author, body }: ShapeRow): HistoryEntry {
  return { number, id, author, shape: body === null ? null : (JSON.parse(body) as Shape) };
}
