// What devices, the server and dashboards say to each other. Whatever comes from outside is checked here.

export const statuses = ["collected", "on the way", "delivered", "not delivered"] as const;
export type Status = (typeof statuses)[number];

/** A device says where a parcel is: event "report". */
export interface Report {
  readonly parcel: string;
  readonly status: Status;
  readonly note: string;
}

/** What the server answers a device, in words for whoever holds it. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** One line of a dashboard. */
export interface Notification {
  /** Counts up; a dashboard may get one twice, never out of order. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: "report" | "help" | "presence";
  readonly device: string;
  /** Only of a report. */
  readonly parcel: string | null;
  readonly status: Status | null;
  readonly text: string;
}

export interface Summary {
  /** Devices that are online, by name. */
  readonly online: readonly string[];
  readonly parcels: Readonly<Record<Status, number>>;
}

/** What dashboards are sent whenever something happens. */
export interface Update {
  readonly notification: Notification;
  readonly summary: Summary;
}

/** What a dashboard asks for when it opens, and after every gap in its connection. */
export interface State {
  /** Oldest first. */
  readonly notifications: readonly Notification[];
  readonly summary: Summary;
}

export const maxNameLength = 24;
const maxTextLength = 200;

/** The name of a device, null for what is none. */
export function parseName(value: unknown): string | null {
  const name = typeof value === "string" ? value.trim() : "";
  return name === "" || name.length > maxNameLength ? null : name;
}

/** The data of the event "report", null for what is none. */
export function parseReport(data: unknown): Report | null {
  const { parcel, status, note = "" } = members(data);
  const known = statuses.find((each) => each === status);
  if (!isParcel(parcel) || known === undefined || typeof note !== "string" || note.length > maxTextLength) return null;
  return { parcel, status: known, note: note.trim() };
}

/** The text of the event "help", null for what is none. */
export function parseHelp(data: unknown): string | null {
  const { text } = members(data);
  if (typeof text !== "string" || text.trim() === "" || text.length > maxTextLength) return null;
  return text.trim();
}

/** The parcel of the event "lookup", null for what is none. */
export function parseLookup(data: unknown): string | null {
  const { parcel } = members(data);
  return isParcel(parcel) ? parcel : null;
}

const isParcel = (value: unknown): value is string => typeof value === "string" && /^P-\d{1,8}$/.test(value);

const members = (data: unknown): Readonly<Record<string, unknown>> =>
  typeof data === "object" && data !== null ? { ...data } : {};
