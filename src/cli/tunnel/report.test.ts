import { expect, test } from "bun:test";
import type { Forwarded } from "./forward.ts";
import { type Exchange, exchangeDetails, exchangeLine } from "./report.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function exchange(request: Partial<Exchange["request"]> = {}, answer: Partial<Forwarded> = {}): Exchange {
  return {
    request: {
      type: "request",
      ackId: 1,
      method: "POST",
      url: "tunnel:///eventhandler/connect?code=s3cret",
      headers: ["ce-eventName", "connect"],
      routing: { local: false, channel: "" },
      body: new Uint8Array(0),
      ...request,
    },
    answer: { status: 204, headers: [], body: new Uint8Array(0), problem: null, ...answer },
    at: new Date(2026, 0, 2, 3, 4, 5),
    durationMs: 12.4,
  };
}

test("a line has time, method, path, status and duration, and no query", () => {
  expect(exchangeLine(exchange())).toBe("03:04:05  POST  /eventhandler/connect  204  12 ms  connect");
  const refused = exchange({ headers: [] }, { status: 500, problem: "connect ECONNREFUSED 127.0.0.1:3000" });
  expect(exchangeLine(refused)).toEndWith("500  12 ms  connect ECONNREFUSED 127.0.0.1:3000");
});

test("the details are headers and readable bodies, with secrets masked", () => {
  const body = JSON.stringify({
    headers: { Authorization: ["Bearer s3cret"], Cookie: ["s3cret"], Host: ["h"] },
    query: { access_token: ["s3cret"], code: ["s3cret"], sharedSecret: ["s3cret"], id: ["7"] },
    cookie: 's3"cret',
  });
  const headers = [
    "Authorization",
    "Bearer s3cret",
    "ce-signature",
    "sha256=s3cret",
    "X-Api-Key",
    "s3cret",
    "X-Password-Hint",
    "s3cret",
    "ce-hub",
    "chat",
    "Content-Type",
    "application/json; charset=utf-8",
  ];
  const lines = exchangeDetails(
    exchange(
      { headers, body: bytesOf(body) },
      { headers: ["Set-Cookie", "a=s3cret", "content-type", "text/plain"], body: bytesOf("one\ntwo") },
    ),
  );
  expect(lines.join("\n")).not.toMatch(/s3"?cret/);
  expect(lines).toContain("  > ce-hub: chat");
  expect(lines).toContain("  > Authorization: ***");
  expect(lines.find((line) => line.startsWith("  > {"))).toContain('"id":["7"]');
  expect(lines.slice(-4)).toEqual(["  < content-type: text/plain", "  < ", "  < one", "  < two"]);
});

test("bytes are counted, long text is cut, and nothing reaches the terminal as a command", () => {
  const long = "x".repeat(5000);
  const details = exchangeDetails(
    exchange(
      { headers: ["Content-Type", "application/octet-stream"], body: new Uint8Array(9) },
      { headers: ["content-type", "text/plain"], body: bytesOf(`\u001b[2J${long}`) },
    ),
  );
  expect(details).toContain("  > (9 bytes)");
  expect(details.at(-1)).toBe("  < (5004 bytes in all)");
  expect(details.join("").length).toBeLessThan(4300);
  expect(details.join("")).toContain("\\u001b[2J");
  expect(exchangeLine(exchange({ url: "x\u001b]0;title\u0007" }))).toContain("\\u001b]0;title\\u0007");
});
