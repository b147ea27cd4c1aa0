import { expect, test } from "bun:test";
import { createSessions, type Sessions } from "./sessions.ts";

const secrets = ["administration-token", "sign-in-token"];

function setUp() {
  let now = 0;
  const sessions = createSessions({ secrets, port: () => 8081, now: () => now });
  return { sessions, advance: (seconds: number) => (now += seconds * 1000) };
}

/** What the browser sends back of a `Set-Cookie`. */
const sent = (cookie: string | undefined): string => cookie?.split(";")[0] ?? "";

/** Both halves of a new session, as the browser sends them. */
function signedIn(sessions: Sessions): readonly [cookie: string, key: string] {
  const { cookie, key } = sessions.signIn("sign-in-token") ?? {};
  return [sent(cookie), key ?? ""];
}

test.each(secrets)("the secret %p signs in; its cookie is for this service and no script", (secret) => {
  const { sessions } = setUp();
  const { cookie, key = "" } = sessions.signIn(secret) ?? {};
  expect(cookie).toMatch(/^tidewire-console-8081=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  expect(sessions.has(`a=b; ${sent(cookie)}; c=d`, key)).toBe(true);
  expect(sessions.has(sent(cookie).replace("8081", "8082"), key)).toBe(false);
});

test.each(["", "administration-toke", "administration-token ", "x".repeat(1000)])("%p does not sign in", (secret) => {
  expect(setUp().sessions.signIn(secret)).toBeNull();
});

test.each([null, "", "tidewire-console-8081=", "tidewire-console-8081=forged", "=x", ";;"])(
  "the cookies %p are of no session",
  (header) => {
    const { sessions } = setUp();
    const [, key] = signedIn(sessions);
    expect(sessions.has(header, key)).toBe(false);
  },
);

test("H-55 a cookie is nothing without the key of its session, which other ports of the host do not get", () => {
  const { sessions } = setUp();
  const [[cookie, key], [otherCookie, otherKey]] = [signedIn(sessions), signedIn(sessions)];
  const tried = [null, "", "1", otherKey, cookie].map((given) => sessions.has(cookie, given));
  expect(tried).toEqual(tried.map(() => false));
  expect([sessions.has(cookie, key), sessions.has(otherCookie, otherKey)]).toEqual([true, true]);
});

test("a session ends by signing out and after 12 hours", () => {
  const { sessions, advance } = setUp();
  const [one, other] = [signedIn(sessions), signedIn(sessions)];
  expect(sessions.signOut(one[0])).toBe("tidewire-console-8081=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  expect([one, other].map((both) => sessions.has(...both))).toEqual([false, true]);
  advance(12 * 3600 - 1);
  expect(sessions.has(...other)).toBe(true);
  advance(1);
  expect(sessions.has(...other)).toBe(false);
});

test("there are at most 100 sessions: the oldest makes room", () => {
  const { sessions } = setUp();
  const all = Array.from({ length: 101 }, () => signedIn(sessions));
  expect(all.map((both) => sessions.has(...both))).toEqual([false, ...all.slice(1).map(() => true)]);
});
