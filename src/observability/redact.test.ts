import { expect, test } from "bun:test";
import { createRedactor } from "./redact.ts";

const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const payload = "eyJhdWQiOiJodHRwOi8vbG9jYWxob3N0L2NsaWVudC9odWJzL2NoYXQifQ";
const signature = "q2m_0s6hV5S3mJ4b-8kqP1dYw7Zx9uTtRrEeWwQqAaA";
const token = `${header}.${payload}.${signature}`;
const key = "Zm9vYmFy+c2VjcmV0/a2V5Zm9yd2VicHVic3Vi==";

const redactor = createRedactor();

/** No part of the token or key that could be used is left. */
function expectClean(text: string): void {
  for (const part of [payload, signature, key, key.slice(0, 16), key.slice(-16)]) expect(text).not.toContain(part);
}

const leaks: readonly (readonly [string, string])[] = [
  ["client URL", `GET /client/hubs/chat?access_token=${token}&x=1`],
  ["opaque token in a query", `/client/?access_token=${key}`],
  ["encoded parameter name", `/client/hubs/chat?access%5Ftoken=${token}`],
  ["URL inside another query", `/r?u=${encodeURIComponent(`http://h/client/hubs/a?access_token=${token}`)}`],
  ["dots percent-encoded", `/r?u=${token.replaceAll(".", "%2E")}`],
  ["Authorization header", `authorization: Bearer ${token}`],
  ["Authorization header with another scheme", `Authorization: SharedAccessSignature sr=x&sig=${key}`],
  ["headers as JSON", JSON.stringify({ host: "h", authorization: `Bearer ${key}` })],
  ["Bearer in a sentence", `Refused Bearer ${key}.`],
  ["connection string", `Endpoint=http://localhost:8080;AccessKey=${key};Version=1.0;`],
  ["connection string in another case", `endpoint=http://localhost:8080;accesskey=${key}`],
  ["encoded connection string", encodeURIComponent(`Endpoint=http://h;AccessKey=${key};`)],
  ["ARM keys", JSON.stringify({ primaryKey: key, secondaryKey: key })],
  ["environment variable", `WEBPUBSUB_PRIMARY_KEY=${key}`],
  ["bare JWT", `unreadable: ${token}`],
  ["JWT glued to a word", `token_${token}`],
  ["reconnection token", `/client/hubs/c?awps_reconnection_token=${key}`],
  ["two tokens", `${token} ${token}`],
];

test.each(leaks)("M-10 H-55 nothing usable is left of: %s", (_, text) => {
  const safe = redactor.redact(text);
  expect(safe).toContain("REDACTED");
  expectClean(safe);
});

test("H-55 event signatures are masked", () => {
  const hex = "0123456789abcdef".repeat(4);
  expect(redactor.redact(`ce-signature: sha256=${hex},sha256=${hex}`)).toBe(
    "ce-signature: sha256=REDACTED,sha256=REDACTED",
  );
});

test.each([
  "Connection count reaches limit",
  "Failed to validate audience. Expected Audiences: http://localhost:8080/client/hubs/chat. Actual Audiences: http://other/.",
  "Abuse protection for 'http://localhost:3000/eventhandler' missing allowed origins: .",
  "The token has expired.",
  "Key 3 of group a.b.c was authorized",
  "",
])("M-52 harmless text stays as it is: %s", (text) => {
  expect(redactor.redact(text)).toBe(text);
});

test("what surrounds a secret stays readable", () => {
  const text = `Endpoint=http://localhost:8080;AccessKey=${key};Version=1.0;`;
  expect(redactor.redact(text)).toBe("Endpoint=http://localhost:8080;AccessKey=REDACTED;Version=1.0;");
  expect(redactor.redact(`/client/hubs/chat?access_token=${token}&x=1`)).toBe(
    "/client/hubs/chat?access_token=REDACTED&x=1",
  );
});

test("M-10 a protected secret is masked wherever it stands, also percent-encoded, until it is replaced", () => {
  const guarded = createRedactor();
  guarded.protect([key, "short"]);
  expect(guarded.redact(`a ${key} b ${encodeURIComponent(key)} short`)).toBe("a REDACTED b REDACTED short");
  guarded.protect([]);
  expect(guarded.redact(`a ${key} b`)).toContain(key);
});

test("a long text is cut after redaction, so that no half secret is left", () => {
  const guarded = createRedactor();
  guarded.protect([key]);
  const safe = guarded.redact(`${"x".repeat(4090)}${key}${"y".repeat(100_000)}`);
  expect(safe.length).toBe(4097);
  expect(safe).not.toContain(key.slice(0, 6));
});
