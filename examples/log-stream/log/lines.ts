// What travels: batches of log lines, numbered without a gap by their publisher.

export const hub = "logstream";
export const group = "logs";

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export interface LogLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: Level;
  /** The service or file it comes from. */
  readonly source: string;
  readonly text: string;
}

export interface NumberedLine extends LogLine {
  readonly number: number;
}

/** One message to the group: lines `first`, `first + 1`, … of one publisher. */
export interface Batch {
  /** Differs for each start of a publisher. */
  readonly stream: string;
  readonly first: number;
  readonly lines: readonly LogLine[];
}

const maxTextLength = 4000;
const maxSourceLength = 40;
const maxStreamLength = 64;
const maxLines = 5000;

/** A line as it may travel: without what would steer a terminal, and not longer than anybody reads. */
export function logLine({ time, level, source, text }: LogLine): LogLine {
  return { time, level, source: printable(source, maxSourceLength), text: printable(text, maxTextLength) };
}

const colourCodes = /\u001b\[[0-9;?]*[A-Za-z]/g;
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function printable(text: string, maxLength: number): string {
  const clean = text.replace(colourCodes, "").replace(controls, "");
  return (clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean).toWellFormed();
}

/** The time of day of a line, as `09:05:07.042`. */
export function clockOf({ time }: LogLine): string {
  const date = new Date(time);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits);
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** The level that a line of somebody's log names, else info. */
export function levelOf(text: string): Level {
  const [word = ""] = /\b(trace|debug|warn(ing)?|err(or)?|fatal|critical|panic)\b/i.exec(text.slice(0, 200)) ?? [];
  if (/^(trace|debug)$/i.test(word)) return "debug";
  if (/^warn/i.test(word)) return "warn";
  return word === "" ? "info" : "error";
}

/** Reads what came over the wire. Anybody with a publisher's token can send anything, so nothing is taken for granted. */
export function parseBatch(data: unknown): Batch | null {
  if (!isObject(data)) return null;
  const { stream, first, lines } = data;
  if (typeof stream !== "string" || stream === "" || stream.length > maxStreamLength) return null;
  if (typeof first !== "number" || !Number.isSafeInteger(first) || first < 1) return null;
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > maxLines) return null;
  const parsed: LogLine[] = [];
  for (const line of lines as unknown[]) {
    if (!isLine(line)) return null;
    parsed.push(logLine(line));
  }
  return { stream, first, lines: parsed };
}

function isLine(line: unknown): line is LogLine {
  return (
    isObject(line) &&
    typeof line["time"] === "number" &&
    Math.abs(line["time"]) <= 8.64e15 && // what a Date can hold
    (levels as readonly unknown[]).includes(line["level"]) &&
    typeof line["source"] === "string" &&
    typeof line["text"] === "string"
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
