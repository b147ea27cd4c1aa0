import type { Clock, LogFields, LogLevel, Scheduler } from "../core/ports.ts";
import { escapeControls } from "./escape-controls.ts";
import { createLogThrottle } from "./log-throttle.ts";
import type { Redactor } from "./redact.ts";

/** `json`: one object per line. `pretty`: for people at a terminal. */
export type LogFormat = "json" | "pretty";

/** What a configuration reload may change. */
export interface LogSettings {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface LoggerOptions {
  readonly settings: LogSettings;
  /** Takes one line without line break; must not throw. */
  readonly write: (line: string) => void;
  /** Whether `pretty` lines may carry terminal colours: true only when the output is a terminal. */
  readonly colour: boolean;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly redactor: Redactor;
  /** Lines per event name and second; the rest is counted and summed up. Default 50 (ours). */
  readonly maxLinesPerSecond?: number;
}

/** The operational log. Never throws. */
export interface Logger {
  /**
   * Writes one line unless its level is switched off or its event exceeded the rate. Strings are redacted; a field
   * named like a fixed one (`time`, `level`, `event`) is left out. @spec M-10 H-55
   */
  log(level: LogLevel, event: string, fields: LogFields): void;
  /** Takes effect with the next line. */
  configure(settings: LogSettings): void;
  /** Lines left out since the start because their event was too frequent. */
  readonly suppressedLines: number;
  /** Writes what is still to be said about suppressed lines and leaves no timer behind. Logging may go on. */
  flush(): void;
}

const defaultMaxLinesPerSecond = 50;
const reportAfterMs = 1000;
const ranks = { debug: 0, info: 1, warning: 2, error: 3 } as const satisfies Record<LogLevel, number>;
const fixedFields: ReadonlySet<string> = new Set(["time", "level", "event", "message"]);

/**
 * Creates the operational log.
 *
 * More than `maxLinesPerSecond` lines of one event within a second are left out, so that a flood of bad clients cannot
 * flood the log; a second later one line `LogLinesSuppressed` per event says how many there were.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, scheduler, write } = options;
  const throttle = createLogThrottle(clock, options.maxLinesPerSecond ?? defaultMaxLinesPerSecond);
  let settings = options.settings;
  let cancelReport: (() => void) | null = null;

  function emit(level: LogLevel, event: string, fields: LogFields): void {
    const line: Line = {
      time: new Date(clock.now()).toISOString(),
      level,
      event,
      message: options.redactor.redact(fields.message),
    };
    for (const [name, value] of Object.entries(fields)) {
      if (!fixedFields.has(name)) line[name] = typeof value === "string" ? options.redactor.redact(value) : value;
    }
    write(settings.format === "json" ? escapeControls(JSON.stringify(line)) : formatPretty(line, options.colour));
  }

  function report(): void {
    cancelReport?.();
    cancelReport = null;
    for (const { event, lines } of throttle.takeSuppressed()) {
      const message = `${lines} more lines of ${event} were not written.`;
      emit("warning", "LogLinesSuppressed", { message, suppressedEvent: event, suppressedLines: lines });
    }
  }

  return {
    log(level, event, fields) {
      if (ranks[level] < ranks[settings.level]) return;
      if (throttle.admit(event)) emit(level, event, fields);
      else cancelReport ??= scheduler.after(reportAfterMs, report);
    },
    configure(changed) {
      settings = changed;
    },
    get suppressedLines() {
      return throttle.total;
    },
    flush: report,
  };
}

type Line = {
  readonly time: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
} & Record<string, string | number | boolean | null>;

const levelLabels = { debug: "DEBUG", info: "INFO ", warning: "WARN ", error: "ERROR" } as const;
const levelColours = { debug: 90, info: 36, warning: 33, error: 31 } as const satisfies Record<LogLevel, number>;
const eventWidth = 22;

function formatPretty(line: Line, colour: boolean): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const details = Object.entries(line)
    .filter(([name]) => !fixedFields.has(name))
    .map(([name, value]) => ` ${paint(90, `${escapeControls(name)}=`)}${formatValue(value)}`);
  const time = line.time.replace("T", " ").replace("Z", "");
  const level = paint(levelColours[line.level], levelLabels[line.level]);
  const event = escapeControls(line.event).padEnd(eventWidth);
  return `${paint(90, time)} ${level} ${event} ${escapeControls(line.message)}${details.join("")}`;
}

function formatValue(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  return escapeControls(/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
}
