import { expect, test } from "bun:test";
import { paletteFor } from "../terminal.ts";
import {
  completeLine,
  formatLine,
  isWanted,
  readEventProperties,
  readLogEvent,
  type TraceFilter,
} from "./trace-line.ts";

const everything: TraceFilter = { category: [], event: [], hubName: [], connection: [], user: [], traceId: [] };
const plain = paletteFor({});

function lineOf(event: object, properties: object = {}) {
  const read = readLogEvent({ time: "2026-01-02T03:04:05.678Z", eventId: 7, logContext: {}, values: [], ...event });
  const known = readEventProperties({ eventId: 7, eventName: "Event", template: "", logLevel: 2, ...properties });
  if (read === null || known === null) throw new Error("not read");
  return completeLine(read, known);
}

test("M-47 values take the places of the template in order", () => {
  const template = "Connection {connectionId} of {hub} took {ms} ms and {more}";
  const line = lineOf({ values: ["c1", "{hub}", 5] }, { template });
  expect(line.message).toBe("Connection c1 of {hub} took 5 ms and {more}");
});

test("a line shows time, level, event, message, exception and context, and cannot steer the terminal", () => {
  const line = lineOf(
    {
      values: ["a\u001b[31mb"],
      logContext: { hub: "chat", userId: "ann lee", n: 1, none: null },
      exceptionMessage: "no",
    },
    { template: "{m}", logLevel: 4 },
  );
  expect(formatLine(line, plain)).toBe(
    '2026-01-02T03:04:05.678Z  Error        Event  a\\u001b[31mb  no  hub=chat userId="ann lee" n=1',
  );
});

test("a line of a message shows how long after its receipt it is, and an exchange stands below its line", () => {
  const logContext = {
    elapsed: 1.25,
    traceId: "t1",
    requestHeaders: "A: b\nC: d",
    requestBody: "\u001b[31m",
    responseBody: "",
  };
  const line = lineOf({ values: ["done"], logContext }, { template: "{m}", eventName: "EventHandlerInvoked" });
  expect(formatLine(line, plain).split("\n")).toEqual([
    "2026-01-02T03:04:05.678Z  Information  EventHandlerInvoked  +1.25 ms  done  traceId=t1",
    "    requestHeaders:",
    "    A: b",
    "    C: d",
    "    requestBody:",
    "    \\u001b[31m",
  ]);
  expect(isWanted(line, { ...everything, traceId: ["T1"] })).toBe(true);
  expect(isWanted(line, { ...everything, traceId: ["t2"] })).toBe(false);
});

test("all parts of a filter have to hold; one of several values is enough", () => {
  const logContext = { category: "MessagingLogs", hub: "chat", connectionId: "c1", userId: "ann" };
  const line = lineOf({ logContext }, { eventName: "GroupJoined" });
  const wanted = (filter: Partial<TraceFilter>) => isWanted(line, { ...everything, ...filter });
  expect(wanted({})).toBe(true);
  expect(wanted({ category: ["messaginglogs"], event: ["x", "groupJoined"], hubName: ["Chat"] })).toBe(true);
  expect(wanted({ connection: ["c1"], user: ["bob", "ann"] })).toBe(true);
  expect(wanted({ connection: ["C1"] })).toBe(false);
  expect(wanted({ user: ["Ann"] })).toBe(false);
  expect(wanted({ category: ["ConnectivityLogs"] })).toBe(false);
  expect(wanted({ hubName: ["chat"], user: ["bob"] })).toBe(false);
  expect(isWanted(lineOf({}, { eventName: "LinesDropped" }), { ...everything, user: ["ann"] })).toBe(true);
  expect(isWanted(lineOf({}), { ...everything, category: ["MessagingLogs"] })).toBe(false);
});

test("what is no line is not read", () => {
  for (const value of [null, 1, "x", [], {}, { eventId: "7" }]) expect(readLogEvent(value)).toBeNull();
  for (const value of [null, { eventId: 7 }, { template: "x" }]) expect(readEventProperties(value)).toBeNull();
});
