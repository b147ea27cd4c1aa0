import { isRawObject, type RawObject } from "../../config/raw-tree.ts";
import { type Palette, safeText } from "../terminal.ts";

/** A line as the service sends it; its text comes from the template of its event (management 13.2). */
export interface LogEvent {
  readonly time: string;
  readonly eventId: number;
  /** Hub, connection, user and so on; which there are depends on the event. */
  readonly logContext: Readonly<Record<string, string>>;
  readonly values: readonly unknown[];
  readonly exceptionMessage: string | null;
}

/** What an event id stands for. */
export interface EventProperties {
  readonly eventId: number;
  readonly eventName: string;
  readonly template: string;
  readonly level: string;
}

/** A line that can be shown. */
export interface TraceLine {
  readonly time: string;
  readonly level: string;
  readonly eventName: string;
  readonly message: string;
  readonly exceptionMessage: string | null;
  readonly logContext: Readonly<Record<string, string>>;
}

/** Which lines are shown; an empty list lets everything through. Names of categories and events ignore case. */
export interface TraceFilter {
  readonly category: readonly string[];
  readonly event: readonly string[];
  readonly hubName: readonly string[];
  readonly connection: readonly string[];
  readonly user: readonly string[];
  /** Ids of messages that are followed. */
  readonly traceId: readonly string[];
}

/** Says that lines are missing, whichever they were. */
const lossEvent = "LinesDropped";
/** What was exchanged with an event handler, in this order below its line. */
const exchangeNames = ["requestHeaders", "requestBody", "responseHeaders", "responseBody"];

const levels = ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"];

/** Reads the argument of `logEvent`; null when it is none. */
export function readLogEvent(value: unknown): LogEvent | null {
  if (!isRawObject(value)) return null;
  const { time, eventId, logContext, values, exceptionMessage } = value;
  if (typeof eventId !== "number") return null;
  return {
    time: typeof time === "string" ? time : "",
    eventId,
    logContext: isRawObject(logContext) ? texts(logContext) : {},
    values: Array.isArray(values) ? values : [],
    exceptionMessage: typeof exceptionMessage === "string" && exceptionMessage !== "" ? exceptionMessage : null,
  };
}

/** Reads the argument of `LogProperty`; null when it is none. */
export function readEventProperties(value: unknown): EventProperties | null {
  if (!isRawObject(value)) return null;
  const { eventId, eventName, template, logLevel } = value;
  if (typeof eventId !== "number" || typeof template !== "string") return null;
  const level = levels[typeof logLevel === "number" ? logLevel : -1] ?? "";
  return { eventId, eventName: typeof eventName === "string" ? eventName : "", template, level };
}

/** Puts a line together: the values take the places of the template in order. */
export function completeLine(event: LogEvent, { eventName, template, level }: EventProperties): TraceLine {
  const values = event.values.values();
  const message = template.replace(/\{[^{}]*\}/g, (place) => {
    const { done, value } = values.next();
    return done === true ? place : textOf(value);
  });
  const { time, exceptionMessage, logContext } = event;
  return { time, level, eventName, message, exceptionMessage, logContext };
}

/** Whether the filter lets a line through; one that says that lines are missing passes each. */
export function isWanted(line: TraceLine, filter: TraceFilter): boolean {
  // It is about the others.
  if (line.eventName === lossEvent) return true;
  const context = (name: string): string => {
    const found = Object.entries(line.logContext).find(([key]) => key.toLowerCase() === name);
    return found?.[1] ?? "";
  };
  const ignoringCase = (wanted: readonly string[], value: string): boolean =>
    wanted.length === 0 || wanted.some((word) => word.toLowerCase() === value.toLowerCase());
  const exactly = (wanted: readonly string[], value: string): boolean => wanted.length === 0 || wanted.includes(value);
  return (
    ignoringCase(filter.category, context("category")) &&
    ignoringCase(filter.event, line.eventName) &&
    ignoringCase(filter.hubName, context("hub")) &&
    exactly(filter.connection, context("connectionid")) &&
    exactly(filter.user, context("userid")) &&
    ignoringCase(filter.traceId, context("traceid"))
  );
}

/**
 * A line for a person: time, level, event, how long after the receipt of its message, message, then what it is about. What
 * was exchanged with an event handler stands below it.
 */
export function formatLine(line: TraceLine, paint: Palette): string {
  const isBad = line.level === "Error" || line.level === "Critical";
  const level = isBad ? paint.red : line.level === "Warning" ? paint.yellow : paint.dim;
  const { elapsed } = line.logContext;
  const context = Object.entries(line.logContext)
    .filter(([name]) => name !== "elapsed" && !exchangeNames.includes(name))
    .map(([name, value]) => `${name}=${quoted(value)}`);
  const parts = [
    paint.dim(safeText(line.time)),
    level(safeText(line.level.padEnd(11))),
    paint.cyan(safeText(line.eventName)),
    ...(elapsed === undefined ? [] : [safeText(`+${elapsed} ms`)]),
    safeText(line.message),
    ...(line.exceptionMessage === null ? [] : [paint.red(safeText(line.exceptionMessage))]),
    ...(context.length === 0 ? [] : [paint.dim(safeText(context.join(" ")))]),
  ];
  const exchange = exchangeNames.flatMap((name) => {
    const text = line.logContext[name];
    return text === undefined || text === "" ? [] : [paint.dim(`${name}:`), ...text.split("\n").map(safeText)];
  });
  return [parts.join("  "), ...exchange.map((text) => `    ${text}`)].join("\n");
}

function texts(object: RawObject): Record<string, string> {
  const known = Object.entries(object).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
