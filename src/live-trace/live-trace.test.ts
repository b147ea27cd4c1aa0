import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FakeTime } from "../../tests/support/fake-time.ts";
import { FakeSink } from "../../tests/support/fakes/sink.ts";
import { named } from "../../tests/support/named.ts";
import { createRedactor } from "../observability/redact.ts";
import type { ResourceRecord } from "../observability/resource-logs.ts";
import { describeEvent, eventId } from "./event-table.ts";
import { LiveTrace } from "./live-trace.ts";

const all = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"] as const;

function setUp() {
  const time = new FakeTime();
  let changes = 0;
  const redactor = createRedactor();
  const trace = new LiveTrace({
    settings: { isEnabled: true, categories: all },
    clock: time,
    scheduler: time,
    redactor,
    changed: () => {
      changes += 1;
    },
  });
  /** A viewer that shook hands; what it got comes as messages. */
  const watch = () => {
    const sink = new FakeSink();
    const events = trace.reserve()?.open(sink);
    if (events === undefined) throw new Error("no place");
    sink.events = events;
    const send = (message: object | string) =>
      events.frame((typeof message === "string" ? message : JSON.stringify(message)) + separator);
    send({ protocol: "json", version: 1 });
    return { sink, events, send, messages: () => messagesOf(sink) };
  };
  const listen = () => {
    const viewer = watch();
    viewer.send({ type: 1, target: "STARTLISTENINGTOLOGEVENTS", arguments: [] });
    return viewer;
  };
  return { time, trace, redactor, watch, listen, changes: () => changes };
}

const separator = "\u001e";

function messagesOf(sink: FakeSink): Record<string, unknown>[] {
  const texts = sink.frames.join("").split(separator);
  expect(texts.pop()).toBe("");
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

function linesOf(sink: FakeSink): unknown[] {
  return messagesOf(sink).flatMap(({ target, arguments: args }) => {
    const [line] = target === "logEvent" ? (args as { readonly values: unknown[] }[]) : [];
    return line === undefined ? [] : line.values;
  });
}

const leftOut = (count: number) =>
  `${count} lines were left out: more came than this view gets in a second, or than it read in time.`;

const record = (message: string, category: ResourceRecord["category"] = "MessagingLogs"): ResourceRecord => ({
  category,
  operationName: "MessagePublished",
  level: "Informational",
  properties: { message, hub: "chat" },
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("M-47 nothing is wanted until somebody listens, and nothing after the last one left", async () => {
  const { trace, watch, listen } = setUp();
  const wanted = () => all.filter((category) => trace.wants(category));
  expect(wanted()).toEqual([]);
  const idle = watch();
  expect(wanted()).toEqual([]);
  const [first, second] = [listen(), listen()];
  expect(wanted()).toEqual([...all]);
  trace.write(record("one"));
  await turn();
  expect([idle, first, second].map(({ sink }) => linesOf(sink))).toEqual([[], ["one"], ["one"]]);
  first.events.closed(1006, "");
  expect(wanted()).toEqual([...all]);
  second.events.closed(1000, "");
  expect(wanted()).toEqual([]);
});

test("M-49 categories and the switch count from the next line on", () => {
  const { trace, listen } = setUp();
  const { sink } = listen();
  trace.configure({ isEnabled: true, categories: ["HttpRequestLogs"] });
  expect(all.map((category) => trace.wants(category))).toEqual([false, false, true]);
  trace.configure({ isEnabled: false, categories: all });
  expect(all.some((category) => trace.wants(category))).toBe(false);
  expect(sink.ended).toEqual({ code: 1001, reason: "" });
});

test("a viewer that does not read loses lines, is told how many, and gets the next ones", async () => {
  const { time, trace, listen } = setUp();
  const slow = listen();
  const quick = listen();
  await turn();
  slow.sink.capacity = 0;
  const total = 5000;
  for (let index = 0; index < total; index++) {
    trace.write(record(String(index)));
    if (index % 500 === 0) await turn();
    if (index % 1000 === 0) time.advance(1000);
  }
  await turn();
  expect(linesOf(quick.sink)).toEqual(Array.from({ length: total }, (_unused, index) => String(index)));
  expect(linesOf(slow.sink)).toEqual([]);
  slow.sink.drain();
  const kept = linesOf(slow.sink);
  const note = kept.pop();
  const left = total - kept.length;
  expect(left).toBeGreaterThan(2000);
  expect(kept).toEqual(kept.map((_unused, index) => String(index)));
  expect(note).toBe(leftOut(left));
  expect(trace.droppedLines).toBe(left);
  trace.write(record("later"));
  await turn();
  expect(linesOf(slow.sink).at(-1)).toBe("later");
});

test("a viewer gets so many lines in a second, and is told once a second how many it did not get", async () => {
  const { time, trace, listen } = setUp();
  const { sink } = listen();
  await turn();
  const flood = async (lines: number) => {
    for (let index = 0; index < lines; index++) trace.write(record("x"));
    await turn();
    return linesOf(sink).filter((line) => line !== "x");
  };
  expect(await flood(2070)).toEqual([leftOut(70)]);
  expect(await flood(50)).toEqual([leftOut(70)]);
  // Also when no other line comes.
  time.advance(1000);
  await turn();
  expect(linesOf(sink).slice(2000)).toEqual([leftOut(70), leftOut(50)]);
  time.advance(1000);
  expect(await flood(2001)).toEqual([leftOut(70), leftOut(50), leftOut(1)]);
  expect(linesOf(sink).filter((line) => line === "x")).toHaveLength(4000);
  expect(trace.droppedLines).toBe(121);
});

test("a viewer that follows a connection gets its lines however many others there are", async () => {
  const { trace, listen } = setUp();
  const [follower, other] = [listen(), listen()];
  await turn();
  follower.send({ type: 1, target: "Filter", arguments: [{ connectionId: "c1" }] });
  const about = (connectionId: string) =>
    trace.write({ ...record(connectionId), properties: { message: connectionId, hub: "chat", connectionId } });
  for (let index = 0; index < 5000; index++) about(index % 500 === 0 ? "c1" : "c2");
  await turn();
  expect(linesOf(follower.sink)).toEqual(Array.from({ length: 10 }, () => "c1"));
  expect(linesOf(other.sink)).toHaveLength(2001);
  expect(trace.droppedLines).toBe(3000);
  const facts = (id: string) => ({
    hub: named.hub("chat"),
    id: named.connection(id),
    userId: null,
    subprotocol: null,
    callerAddress: "",
  });
  // Neither has room for all: the one gets no more this second, the other asked for nobody in particular.
  const delivery = trace.follow(facts("c1"), true);
  expect(trace.follow(facts("c2"), true)).toBeNull();
  expect(trace.droppedLines).toBe(3000 + 2);
  delivery?.write(record("written"));
  delivery?.leftOut();
  expect(trace.droppedLines).toBe(3000 + 3);
  await turn();
  expect([follower, other].map(({ sink }) => linesOf(sink).includes("written"))).toEqual([true, false]);
  follower.send({ type: 1, target: "filter", arguments: [null] });
  about("c2");
  await turn();
  expect(linesOf(follower.sink).at(-1)).toBe("c2");
});

test.each([
  [{ hub: "CHAT" }, ["chat c1 ann", "chat c2 bob"]],
  [{ userId: ["bob", "eve"] }, ["chat c2 bob", "news c3 bob"]],
  [{ hub: "news", userId: "bob" }, ["news c3 bob"]],
  [{ connectionId: "C1" }, []],
  [{}, ["chat c1 ann", "chat c2 bob", "news c3 bob"]],
])("the filter %p", async (filter, expected) => {
  const { trace, listen } = setUp();
  const { sink, send } = listen();
  send({ type: 1, target: "Filter", arguments: [filter] });
  for (const message of ["chat c1 ann", "chat c2 bob", "news c3 bob"]) {
    const [hub = "", connectionId = "", userId = ""] = message.split(" ");
    trace.write({ ...record(message), properties: { message, hub, connectionId, userId } });
  }
  await turn();
  expect(linesOf(sink)).toEqual(expected);
});

test("what is no filter, and no answer to whether bodies are wanted, is said to be none", async () => {
  const { listen } = setUp();
  const { send, messages } = listen();
  const calls = [
    ["Filter", 1],
    ["Filter", { hub: 1 }],
    ["Filter", { hubs: "x" }],
    ["Filter", []],
    ["Filter", { userId: Array.from({ length: 101 }, String) }],
    ["CaptureWebhookBodies", "yes"],
  ] as const;
  for (const [target, argument] of calls) send({ type: 1, target, arguments: [argument], invocationId: "1" });
  await turn();
  const answers = messages().filter(({ type }) => type === 3);
  expect(answers.map(({ error }) => typeof error)).toEqual(calls.map(() => "string"));
});

test("H-55 what was exchanged with an event handler is for viewers that asked for it, while there are any", async () => {
  const { trace, redactor, listen } = setUp();
  redactor.protect(["a-secret-of-the-service"]);
  const [curious, other] = [listen(), listen()];
  expect(trace.capturesBodies).toBe(false);
  curious.send({ type: 1, target: "captureWebhookBodies", arguments: [true] });
  expect(trace.capturesBodies).toBe(true);
  const exchange = {
    requestHeaders: ["ce-signature", "sha256=0123", "Content-Type", "text/plain"],
    requestBody: "a-secret-of-the-service and more",
    answer: { headers: ["Set-Cookie", "a=b"], body: new Uint8Array([0, 1]) },
  };
  trace.write({ ...record("line"), exchange });
  await turn();
  const contexts = [curious, other].map(({ messages }) =>
    messages().flatMap(({ target, arguments: args }) =>
      target === "logEvent" ? [(args as { readonly logContext: unknown }[])[0]?.logContext] : [],
    ),
  );
  const plain = { category: "MessagingLogs", hub: "chat" };
  const captured = {
    requestHeaders: "ce-signature: REDACTED\nContent-Type: text/plain",
    requestBody: "REDACTED and more",
    responseHeaders: "Set-Cookie: REDACTED",
    responseBody: "base64:AAE=",
  };
  expect(contexts).toEqual([[{ ...plain, ...captured }], [plain]]);
  curious.events.closed(1000, "");
  expect(trace.capturesBodies).toBe(false);
});

test("long lines are bounded by size, not by number", async () => {
  const { trace, listen } = setUp();
  const slow = listen();
  await turn();
  slow.sink.capacity = 0;
  for (let index = 0; index < 3000; index++) trace.write(record("x".repeat(4000)));
  await turn();
  slow.sink.drain();
  const size = slow.sink.frames.reduce((sum, frame) => sum + frame.length, 0);
  expect(size).toBeLessThan(5 * 1_048_576);
  expect(linesOf(slow.sink).at(-1)).toMatch(/^\d+ lines were left out/);
});

test("lines of one turn travel in one frame, of bounded size", async () => {
  const { trace, listen } = setUp();
  const { sink } = listen();
  await turn();
  const before = sink.frames.length;
  for (let index = 0; index < 300; index++) trace.write(record("y".repeat(1000)));
  await turn();
  const frames = sink.frames.slice(before);
  expect(frames.length).toBeGreaterThan(1);
  expect(frames.length).toBeLessThan(20);
  expect(Math.max(...frames.map(({ length }) => length))).toBeLessThan(70_000);
});

test("M-10 text of clients is redacted and cannot end a message or steer a terminal", async () => {
  const { trace, redactor, listen } = setUp();
  redactor.protect(["a-secret-of-the-service"]);
  const { sink } = listen();
  trace.write(record('a-secret-of-the-service \u001e{"type":7} \u009b31m \u2028'));
  await turn();
  const text = sink.frames.join("");
  expect(text).not.toContain("a-secret-of-the-service");
  expect(text.slice(0, -1)).not.toMatch(/[\u0080-\u009f\u2028]/);
  expect(linesOf(sink)[0]).toContain('\u001e{"type":7}');
});

test("a viewer is pinged often enough, and closed when nothing is heard of it", async () => {
  const { time, watch } = setUp();
  const [silent, lively] = [watch(), watch()];
  await turn();
  for (let second = 0; second < 60; second += 10) {
    lively.send({ type: 6 });
    time.advance(10_000);
    await turn();
  }
  const pings = (messages: Record<string, unknown>[]) => messages.filter(({ type }) => type === 6).length;
  expect(pings(lively.messages())).toBe(6);
  expect(lively.sink.ended).toBeNull();
  expect(silent.sink.ended).toEqual({ code: 1001, reason: "" });
  expect(silent.messages().at(-1)).toMatchObject({ type: 7 });
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no type", "{}"],
  ["an invocation without arguments", '{"type":1,"target":"x"}'],
  ["a message that is too long", `{"type":6,"x":"${"x".repeat(40_000)}"}`],
])("%s ends the view with a reason", (_what, text) => {
  const { watch } = setUp();
  const { sink, send } = watch();
  send(text);
  expect(messagesOf(sink).at(-1)).toMatchObject({ type: 7, error: expect.any(String) as unknown });
  expect(sink.ended).toEqual({ code: 1000, reason: "" });
});

test("a message that never ends, and one that is binary, end the view", () => {
  const { watch } = setUp();
  const [endless, binary] = [watch(), watch()];
  for (let part = 0; part < 10; part++) endless.events.frame("x".repeat(10_000));
  binary.events.frame(new Uint8Array([1]));
  expect([endless.sink.ended, binary.sink.ended]).toEqual([
    { code: 1000, reason: "" },
    { code: 1003, reason: "" },
  ]);
});

test("messages may be split and joined at will", async () => {
  const { watch } = setUp();
  const { events, messages } = watch();
  const text = [12, 32].map((id) => `{"type":1,"target":"LogProperty","arguments":[${id}]}${separator}`).join("");
  for (const character of text) events.frame(character);
  events.frame(text);
  await turn();
  const ids = messages().flatMap(({ arguments: args }) =>
    Array.isArray(args) ? [(args[0] as { eventId: number }).eventId] : [],
  );
  expect(ids).toEqual([12, 32, 12, 32]);
});

test("a viewer that asks without end and reads nothing is closed", () => {
  const { watch } = setUp();
  const { sink, send } = watch();
  sink.capacity = 0;
  for (let ask = 0; ask < 100_000 && sink.ended === null; ask++)
    send({ type: 1, target: "LogProperty", arguments: [12] });
  expect(sink.ended).toEqual({ code: 1008, reason: "" });
});

test("there are places for 20 viewers, given back when one leaves or never comes", () => {
  const { trace, watch } = setUp();
  const abandoned = trace.reserve();
  const viewers = Array.from({ length: 19 }, watch);
  expect(trace.reserve()).toBeNull();
  abandoned?.abandoned();
  viewers[0]?.events.closed(1006, "");
  expect([trace.reserve(), trace.reserve(), trace.reserve()].map((place) => place !== null)).toEqual([
    true,
    true,
    false,
  ]);
});

test("event ids are those of the documentation, and each has name and level", () => {
  const page = readFileSync(new URL("../../docs/live-trace.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, number, name]) => [Number(number), name]);
  const known = Array.from({ length: 100 }, (_unused, index) => [index + 1, describeEvent(index * 10 + 12)?.eventName]);
  expect(rows).toEqual(known.filter(([, name]) => name !== undefined));
  expect(eventId("ConnectionStarted", "Informational")).toBe(12);
  expect(eventId("LinesDropped", "Warning")).toBe(243);
  expect(describeEvent(83)).toEqual({
    eventId: 83,
    eventName: "HttpRequestCompleted",
    template: "{message}",
    logLevel: 3,
  });
  expect(describeEvent(eventId("a name of no table", "Error"))).toMatchObject({ eventName: "Event", logLevel: 4 });
  for (const id of [-1, 0, 7, 19, 1e9, Number.NaN, 12.5]) expect(describeEvent(id)).toBeNull();
});
