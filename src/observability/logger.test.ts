import { expect, test } from "bun:test";
import type { LogLevel } from "../core/ports.ts";
import { createLogger, type LoggerOptions } from "./logger.ts";
import { createRedactor } from "./redact.ts";

const start = Date.parse("2026-01-02T03:04:05.678Z");

function harness(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const timers = new Set<{ due: number; callback: () => void }>();
  let now = start;
  const logger = createLogger({
    settings: { level: "info", format: "json" },
    write: (line) => lines.push(line),
    colour: false,
    clock: { now: () => now },
    scheduler: {
      afterTurn: (callback) => callback(),
      every: () => () => undefined,
      after(ms, callback) {
        const timer = { due: now + ms, callback };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    redactor: createRedactor(),
    ...options,
  });
  return {
    logger,
    lines,
    timers,
    json: (): unknown[] => lines.map((line): unknown => JSON.parse(line)),
    advance: (ms: number) => {
      now += ms;
      for (const timer of timers) {
        if (timer.due > now) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}

test("a JSON line starts with time, level, event and message and then has the fields", () => {
  const { logger, lines } = harness();
  logger.log("warning", "QuotaNear", { message: "Nearly full.", hub: "chat", used: 9, open: true, user: null });
  expect(lines).toEqual([
    '{"time":"2026-01-02T03:04:05.678Z","level":"warning","event":"QuotaNear","message":"Nearly full.","hub":"chat","used":9,"open":true,"user":null}',
  ]);
});

test("a field cannot take the place of a fixed one", () => {
  const { logger, json } = harness();
  logger.log("info", "Started", { message: "Up.", time: "never", level: "error", event: "Other" });
  expect(json()).toEqual([{ time: "2026-01-02T03:04:05.678Z", level: "info", event: "Started", message: "Up." }]);
});

const levels: readonly LogLevel[] = ["debug", "info", "warning", "error"];
test.each(levels)("lines below level %s are not written", (level) => {
  const { logger, json } = harness({ settings: { level, format: "json" } });
  for (const each of levels) logger.log(each, each, { message: "m" });
  const written = levels.slice(levels.indexOf(level));
  expect(json()).toMatchObject(written.map((each) => ({ level: each })));
});

test("level and format change with the next line", () => {
  const { logger, lines } = harness();
  logger.log("debug", "A", { message: "hidden" });
  logger.configure({ level: "debug", format: "pretty" });
  logger.log("debug", "B", { message: "shown" });
  expect(lines).toEqual(["2026-01-02 03:04:05.678 DEBUG B                      shown"]);
});

test("pretty lines are aligned, quote what needs it and have no colours by default", () => {
  const { logger, lines } = harness({ settings: { level: "info", format: "pretty" } });
  logger.log("info", "Listening", { message: "Ready.", url: "http://[::1]:8080", note: "two words" });
  logger.log("error", "ConfigurationRefused", { message: "Bad key.", empty: "", port: 80 });
  expect(lines).toEqual([
    '2026-01-02 03:04:05.678 INFO  Listening              Ready. url=http://[::1]:8080 note="two words"',
    '2026-01-02 03:04:05.678 ERROR ConfigurationRefused   Bad key. empty="" port=80',
  ]);
});

test("pretty lines have colours when the output is a terminal", () => {
  const { logger, lines } = harness({ settings: { level: "info", format: "pretty" }, colour: true });
  logger.log("warning", "Slow", { message: "Late." });
  expect(lines[0]).toContain("\u001b[33mWARN \u001b[0m");
});

test.each(["json", "pretty"] as const)("a %s line is one line and cannot steer the terminal", (format) => {
  const { logger, lines } = harness({ settings: { level: "info", format } });
  logger.log("info", "X\nY", { message: "a\r\nb\u001b[2Jc\u2028d", user: "\u001b]0;title\u0007\u009b1m\nlevel=error" });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/\p{Cc}|\p{Zl}/u);
  if (format === "json")
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "X\nY", message: "a\r\nb\u001b[2Jc\u2028d" });
});

test.each(["json", "pretty"] as const)(
  "M-10 H-55 messages and fields of a %s line are redacted at every level",
  (format) => {
    const { logger, lines } = harness({ settings: { level: "debug", format } });
    const secret = "c2VjcmV0LWtleS1vZi10aGUtc2VydmljZQ==";
    for (const level of levels) {
      logger.log(level, "Refused", {
        message: `Refused Bearer ${secret}`,
        url: `/client?access_token=${secret}`,
        code: 401,
      });
    }
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line).not.toContain(secret);
      expect(line).toContain("401");
    }
  },
);

test("H-55 a flood of one event is cut to its rate and summed up a second later; other events are not touched", () => {
  const { logger, json, advance, timers } = harness({ maxLinesPerSecond: 3 });
  for (let i = 0; i < 1000; i++) logger.log("warning", "Refused", { message: "m", i });
  logger.log("info", "Other", { message: "m" });
  expect(json()).toMatchObject([{ i: 0 }, { i: 1 }, { i: 2 }, { event: "Other" }]);
  expect(logger.suppressedLines).toBe(997);
  expect(timers.size).toBe(1);
  advance(1000);
  expect(json().slice(4)).toMatchObject([
    { level: "warning", event: "LogLinesSuppressed", suppressedEvent: "Refused", suppressedLines: 997 },
  ]);
  expect(timers.size).toBe(0);
  logger.log("warning", "Refused", { message: "m", i: "next" });
  expect(json()[5]).toMatchObject({ i: "next" });
});

test("flush tells of suppressed lines at once and leaves no timer", () => {
  const { logger, json, timers } = harness({ maxLinesPerSecond: 1 });
  logger.log("info", "A", { message: "m" });
  logger.log("info", "A", { message: "m" });
  logger.flush();
  logger.flush();
  expect(json()).toMatchObject([{ event: "A" }, { suppressedEvent: "A", suppressedLines: 1 }]);
  expect(timers.size).toBe(0);
});

test("lines below the level use nothing up", () => {
  const { logger, lines } = harness({ maxLinesPerSecond: 1 });
  for (let i = 0; i < 10; i++) logger.log("debug", "A", { message: "m" });
  logger.log("info", "A", { message: "m" });
  expect(lines).toHaveLength(1);
  expect(logger.suppressedLines).toBe(0);
});

test("a clock set back does not mute an event", () => {
  const { logger, lines, advance } = harness({ maxLinesPerSecond: 1 });
  logger.log("info", "A", { message: "m" });
  advance(-3_600_000);
  logger.log("info", "A", { message: "m" });
  expect(lines).toHaveLength(2);
});
