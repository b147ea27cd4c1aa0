import { expect, test } from "bun:test";
import { createRedactor } from "./redact.ts";
import { describeExchange } from "./webhook-bodies.ts";

const known = "a-secret-that-the-service-knows";
const redactor = createRedactor();
redactor.protect([known]);

function describe(requestBody: string | Uint8Array, requestHeaders: readonly string[] = []) {
  return describeExchange({ requestHeaders, requestBody, answer: null }, redactor);
}

const bodyOf = (body: string | Uint8Array): string => describe(body)["requestBody"] ?? "";

test("text is shown as it is, and what is no text as base64", () => {
  expect(bodyOf('{"text": "hé", "n": 1.0}')).toBe('{"text": "hé", "n": 1.0}');
  expect(bodyOf(new TextEncoder().encode("hé\n"))).toBe("hé\n");
  expect(bodyOf(Uint8Array.of(0xff, 1))).toBe("base64:/wE=");
  expect(bodyOf(Uint8Array.of(0, 65))).toBe("base64:AEE=");
  expect(bodyOf("")).toBe("");
  expect(describe("x")).toEqual({ requestHeaders: "", requestBody: "x" });
});

test("long bodies and headers are cut, and say so", () => {
  expect(bodyOf("é".repeat(5000))).toBe(`${"é".repeat(4096)}… (10000 bytes)`);
  expect(bodyOf(new TextEncoder().encode("é".repeat(1_000_000)))).toBe(`${"é".repeat(4096)}… (2000000 bytes)`);
  const binary = bodyOf(new Uint8Array(5000));
  expect(binary).toStartWith("base64:AAAA");
  expect(binary).toEndWith("A… (5000 bytes)");
  expect(binary.length).toBeLessThan(4200);
  const headers = Array.from({ length: 2000 }, (_unused, index) => (index % 2 === 0 ? "X-Name" : "x".repeat(100)));
  expect(describe("", headers)["requestHeaders"]).toHaveLength(4097);
});

test.each([
  ['{"access_token":"abc","n":1}', '{"access_token":"REDACTED","n":1}'],
  ['{"query":{"code": ["one","two"],"a":["b"]}}', '{"query":{"code": "REDACTED","a":["b"]}}'],
  [
    '{"headers":{"Cookie":["a=b; c=d"],"Authorization":["Basic x"]}}',
    '{"headers":{"Cookie":"REDACTED","Authorization":"REDACTED"}}',
  ],
  ['{"apiKey":"with \\" inside","key":"ArrowUp"}', '{"apiKey":"REDACTED","key":"ArrowUp"}'],
  ['{"author":"Ann","code":7}', '{"author":"Ann","code":7}'],
  ["code=one&state=two", "code=REDACTED&state=two"],
  ["https://a.example/?a=1&access_token=x.y&code=z", "https://a.example/?a=1&access_token=REDACTED&code=REDACTED"],
  [`it holds ${known}, encoded ${encodeURIComponent(known)}`, "it holds REDACTED, encoded REDACTED"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln", "REDACTED"],
  ['{"secret":"cut off', '{"secret":"REDACTED"'],
])("H-55 the body %p is shown as %p", (body, shown) => {
  expect(bodyOf(body)).toBe(shown);
  expect(bodyOf(new TextEncoder().encode(body))).toBe(shown);
});

test("H-55 a secret is masked wherever it begins, and in what is no text", () => {
  for (let before = 4096 - known.length - 2; before < 4100; before++)
    expect(bodyOf(" ".repeat(before) + known + " ".repeat(100))).not.toContain(known.slice(0, 4));
  const bytes = new TextEncoder().encode(`\0 ${known}`);
  expect(bodyOf(bytes)).toBe(`withheld: ${bytes.length} bytes, with a secret in them`);
});

test("H-55 signatures, cookies and credentials in headers are masked, whatever they are called", () => {
  const secret = "no-pattern-knows-this";
  const names = ["ce-signature", "Cookie", "Set-Cookie", "Authorization", "X-Api-Key", "x-functions-key", "X-Auth"];
  const shown = describe("", [
    ...names.flatMap((name) => [name, secret]),
    "Location",
    `/x?code=${secret}`,
    "ce-id",
    "1",
  ]);
  expect(shown["requestHeaders"]).not.toContain(secret);
  expect(shown["requestHeaders"]).toEndWith("X-Auth: REDACTED\nLocation: /x?code=REDACTED\nce-id: 1");
});
