// What the tracker remembers, in one SQLite file: notifications for dashboards that open later, and where each parcel is.
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Notification, type Report, type Status, type Summary, statuses } from "./shared/messages.ts";

/** Dashboards show the newest; the rest is let go of. */
const keptNotifications = 200;
const keptParcels = 5_000;

export interface Parcel {
  readonly status: Status;
  readonly device: string;
  readonly at: string;
}

export class Store {
  readonly #database: Database;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#database = new Database(join(folder, "deliveries.sqlite"));
    this.#database.run(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS notifications (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL,
        parcel TEXT, status TEXT, text TEXT NOT NULL
      );
      CREATE TABLE IF NOT EXISTS parcels (
        parcel TEXT PRIMARY KEY, status TEXT NOT NULL, device TEXT NOT NULL, at TEXT NOT NULL
      );
    `);
  }

  parcel(parcel: string): Parcel | null {
    return this.#database
      .query<Parcel, [string]>("SELECT status, device, at FROM parcels WHERE parcel = ?")
      .get(parcel);
  }

  /** Notes where a parcel is now, and the notification of it. */
  report(device: string, { parcel, status, note }: Report): Notification {
    return this.#database.transaction(() => {
      const at = new Date().toISOString();
      this.#database
        .query("INSERT OR REPLACE INTO parcels (parcel, status, device, at) VALUES (?, ?, ?, ?)")
        .run(parcel, status, device, at);
      this.#database
        .query("DELETE FROM parcels WHERE parcel NOT IN (SELECT parcel FROM parcels ORDER BY at DESC LIMIT ?)")
        .run(keptParcels);
      return this.#add({ at, kind: "report", device, parcel, status, text: note });
    })();
  }

  notify(kind: "help" | "presence", device: string, text: string): Notification {
    return this.#add({ at: new Date().toISOString(), kind, device, parcel: null, status: null, text });
  }

  #add(notification: Omit<Notification, "id">): Notification {
    const { at, kind, device, parcel, status, text } = notification;
    const { lastInsertRowid } = this.#database
      .query("INSERT INTO notifications (at, kind, device, parcel, status, text) VALUES (?, ?, ?, ?, ?, ?)")
      .run(at, kind, device, parcel, status, text);
    const id = Number(lastInsertRowid);
    this.#database.query("DELETE FROM notifications WHERE id <= ?").run(id - keptNotifications);
    return { id, ...notification };
  }

  /** Oldest first. */
  notifications(): Notification[] {
    return this.#database.query<Notification, []>("SELECT * FROM notifications ORDER BY id").all();
  }

  /** Devices that were online when this was last told of them. */
  devices(): string[] {
    return this.#database
      .query<{ device: string }, []>("SELECT DISTINCT device FROM notifications")
      .all()
      .map(({ device }) => device);
  }

  parcels(): Summary["parcels"] {
    const rows = this.#database
      .query<{ status: Status; count: number }, []>("SELECT status, count(*) AS count FROM parcels GROUP BY status")
      .all();
    const counts = new Map(rows.map(({ status, count }) => [status, count]));
    return Object.fromEntries(statuses.map((status) => [status, counts.get(status) ?? 0])) as Record<Status, number>;
  }

  close(): void {
    this.#database.close();
  }
}
