import { expect, test } from "bun:test";
import { createSessions } from "./sessions.ts";

const secrets = ["administration-token", "sign-in-token"];

function setUp() {
  let now = 0;
  const sessions = createSessions({ secrets, port: () => 8081, now: () => now });
  return { sessions, advance: (seconds: number) => (now += seconds * 1000) };
}

/** What the browser sends back of a `Set-Cookie`. */
const sent = (cookie: string | null): string => cookie?.split(";")[0] ?? "";

test.each(secrets)("the secret %p signs in; its cookie is for this service and no script", (secret) => {
  const { sessions } = setUp();
  const cookie = sessions.signIn(secret);
  expect(cookie).toMatch(/^tidewire-console-8081=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  expect(sessions.has(`a=b; ${sent(cookie)}; c=d`)).toBe(true);
  expect(sessions.has(sent(cookie).replace("8081", "8082"))).toBe(false);
});

test.each(["", "administration-toke", "administration-token ", "x".repeat(1000)])("%p does not sign in", (secret) => {
  expect(setUp().sessions.signIn(secret)).toBeNull();
});

test.each([null, "", "tidewire-console-8081=", "tidewire-console-8081=forged", "=x", ";;"])(
  "the cookies %p are of no session",
  (header) => {
    const { sessions } = setUp();
    sessions.signIn("sign-in-token");
    expect(sessions.has(header)).toBe(false);
  },
);

test("a session ends by signing out and after 12 hours", () => {
  const { sessions, advance } = setUp();
  const [one, other] = [sent(sessions.signIn("sign-in-token")), sent(sessions.signIn("sign-in-token"))];
  expect(sessions.signOut(one)).toBe("tidewire-console-8081=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  expect([one, other].map((cookie) => sessions.has(cookie))).toEqual([false, true]);
  advance(12 * 3600 - 1);
  expect(sessions.has(other)).toBe(true);
  advance(1);
  expect(sessions.has(other)).toBe(false);
});

test("there are at most 100 sessions: the oldest makes room", () => {
  const { sessions } = setUp();
  const cookies = Array.from({ length: 101 }, () => sent(sessions.signIn("sign-in-token")));
  expect(cookies.map((cookie) => sessions.has(cookie))).toEqual([false, ...cookies.slice(1).map(() => true)]);
});
