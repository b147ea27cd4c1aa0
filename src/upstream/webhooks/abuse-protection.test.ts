import { expect, test } from "bun:test";
import { FakeTime } from "../../../tests/support/fake-time.ts";
import { AbuseProtection } from "./abuse-protection.ts";
import type { HttpFailure, HttpReply } from "./http-client.ts";
import { readReplyHeaders } from "./reply-headers.ts";
import type { ValidationSubject } from "./validation.ts";

interface Sent {
  readonly method: string;
  readonly headers: readonly string[];
  answer(result: HttpReply | HttpFailure): void;
}

function reply(status: number, ...allowedOrigins: string[]): HttpReply {
  const headers = readReplyHeaders(allowedOrigins.flatMap((origin) => ["webhook-allowed-origin", origin]));
  return { kind: "reply", status, headers, body: new Uint8Array(0), url: "", durationMs: 0 };
}

function setUp(
  options: {
    readonly retryOnDemand?: boolean;
    readonly publicHosts?: readonly string[];
    readonly origin?: string;
  } = {},
) {
  const time = new FakeTime();
  const sent: Sent[] = [];
  const logs: string[] = [];
  const abuse = new AbuseProtection({
    clock: time,
    telemetry: { log: (_level, event, { message }) => void logs.push(`${event} ${message}`) },
    publicHosts: () => options.publicHosts ?? [],
    retryOnDemand: () => options.retryOnDemand ?? true,
  });
  const subject: ValidationSubject = {
    url: "https://app.example.com/hooks/validate?code=secret",
    origin: options.origin ?? "pubsub.example.com",
    send: (method, headers) => new Promise((answer) => sent.push({ method, headers, answer })),
  };
  const last = () => sent[sent.length - 1] ?? expect.unreachable();
  /** Lets the record take in what was answered. */
  const settled = async () => await new Promise<void>((resolve) => setImmediate(resolve));
  return { time, sent, logs, abuse, subject, last, settled, check: () => abuse.check(subject) };
}

async function verdict(result: HttpReply | HttpFailure, options: Parameters<typeof setUp>[0] = {}) {
  const world = setUp(options);
  const checked = world.check();
  world.last().answer(result);
  return { ...world, isValid: await checked };
}

test("E-13 the request carries the origin and ce-awpsversion only", () => {
  const { check, sent } = setUp();
  void check();
  expect(sent.map(({ method, headers }) => [method, ...headers])).toEqual([
    ["OPTIONS", "WebHook-Request-Origin", "pubsub.example.com", "ce-awpsversion", "1.0"],
  ]);
});

test.each([
  ["*", true],
  ["PubSub.Example.com", true],
  ["pubsub.example.com:8080", true],
  ["other.test, pubsub.example.com", true],
  ["endpoint.example.com:444", true],
  ["other.test", false],
  ["", false],
  ["xpubsub.example.com", false],
])("E-14 WebHook-Allowed-Origin %p on 2xx: %p", async (value, expected) => {
  const { isValid } = await verdict(reply(204, value), { publicHosts: ["endpoint.example.com:444"] });
  expect(isValid).toBe(expected);
});

test("E-14 no header and other statuses are refused and logged without the query", async () => {
  const missing = await verdict(reply(200));
  expect(missing.isValid).toBe(false);
  expect(missing.logs).toEqual([
    "AbuseProtectionResponseMissingAllowedOrigin Abuse protection for 'https://app.example.com/hooks/validate' missing allowed origins: .",
  ]);
  const forbidden = await verdict(reply(401, "*"));
  expect(forbidden.isValid).toBe(false);
  expect(forbidden.logs).toEqual([
    "AbuseProtectionResponseInvalidStatusCode Abuse protection for 'https://app.example.com/hooks/validate' failed: 401.",
  ]);
  const failed = await verdict({ kind: "failed", cause: "timeout", detail: "no answer in time", durationMs: 0 });
  expect(failed.isValid).toBe(false);
});

test("E-14 any of several configured origins is accepted", async () => {
  expect((await verdict(reply(200, "b.example"), { origin: "a.example,b.example" })).isValid).toBe(true);
});

test("E-15 after 404 a GET with the same headers decides; after 405 nothing does", async () => {
  const world = setUp();
  const checked = world.check();
  world.last().answer(reply(404));
  await world.settled();
  expect(world.sent.map(({ method }) => method)).toEqual(["OPTIONS", "GET"]);
  expect(world.sent[1]?.headers).toEqual(world.sent[0]?.headers ?? []);
  world.last().answer(reply(200, "*"));
  expect(await checked).toBe(true);

  const other = await verdict(reply(405, "*"));
  expect(other.isValid).toBe(false);
  expect(other.sent.length).toBe(1);
});

test("E-16 one of several header lines is enough", async () => {
  expect((await verdict(reply(200, "other.test", "pubsub.example.com"))).isValid).toBe(true);
});

test("E-17 concurrent first events share one request", async () => {
  const { check, sent, last } = setUp();
  const checks = Array.from({ length: 8 }, async () => await check());
  last().answer(reply(200, "*"));
  expect(await Promise.all(checks)).toEqual(Array.from({ length: 8 }, () => true));
  expect(sent.length).toBe(1);
});

test("E-18 a success holds for 60 s, then a check runs beside the event", async () => {
  const { check, sent, last, time, settled } = await verdict(reply(200, "*"));
  time.advance(59_999);
  expect(check()).toBe(true);
  expect(sent.length).toBe(1);
  time.advance(1);
  expect(check()).toBe(true);
  expect(check()).toBe(true);
  expect(sent.length).toBe(2);
  last().answer(reply(200, "*"));
  await settled();
  time.advance(59_999);
  expect(check()).toBe(true);
  expect(sent.length).toBe(2);
});

test("E-19 after a success failures are retried after 1, 2, 4 … 60 s and events in between refused", async () => {
  const { check, sent, last, time, settled } = await verdict(reply(200, "*"), { retryOnDemand: false });
  time.advance(60_000);
  expect(check()).toBe(true);
  let requests = 2;
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
    expect(sent.length).toBe(requests);
    last().answer(reply(500));
    await settled();
    time.advance(seconds * 1000 - 1);
    expect(check()).toBe(false);
    expect(sent.length).toBe(requests);
    time.advance(1);
    expect(check()).toBe(false); // the check runs in the background
    requests += 1;
  }
  last().answer(reply(200, "*"));
  await settled();
  expect(check()).toBe(true);
});

test("E-19 with retryOnDemand the first event after the back-off waits for a fresh result", async () => {
  const { check, last, time } = await verdict(reply(500));
  expect(check()).toBe(false);
  time.advance(1000);
  const checked = check();
  last().answer(reply(200, "*"));
  expect(await checked).toBe(true);
});

test("E-13 checking ahead of events remembers a success and forgets a failure", async () => {
  const { abuse, subject, check, sent, last, settled } = setUp();
  abuse.warmUp(subject);
  last().answer(reply(500));
  await settled();
  abuse.warmUp(subject);
  last().answer(reply(200, "*"));
  await settled();
  expect(check()).toBe(true);
  expect(sent.length).toBe(2);
});
