import { expect, test } from "bun:test";
import { checkOrigin, checkPublicEndpoint, formatListenUrl, isLoopbackHost, parseListenUrl } from "./urls.ts";

test.each([
  ["http://localhost:8080", { scheme: "http", hostname: "localhost", port: 8080 }],
  ["https://0.0.0.0:8443/", { scheme: "https", hostname: "0.0.0.0", port: 8443 }],
  ["HTTP://*:80", { scheme: "http", hostname: "0.0.0.0", port: 80 }],
  ["http://+:8080", { scheme: "http", hostname: "0.0.0.0", port: 8080 }],
  ["https://[::1]", { scheme: "https", hostname: "::1", port: 443 }],
  ["http://127.0.0.1:0", { scheme: "http", hostname: "127.0.0.1", port: 0 }],
] as const)("the listen URL %s", (raw, address) => {
  expect(parseListenUrl(raw)).toEqual(address);
});

test.each([
  "localhost:8080",
  "ws://localhost",
  "http://localhost:8080/x",
  "http://a?b",
  "http://u@a",
  "http://a:70000",
  "http://",
  "",
])("the listen URL %j is refused", (raw) => {
  expect(typeof parseListenUrl(raw)).toBe("string");
});

test("an IPv6 listener is written with brackets", () => {
  expect(formatListenUrl({ scheme: "http", hostname: "::1", port: 8080 })).toBe("http://[::1]:8080");
});

test("loopback hosts", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "::1", "[::1]"])
    expect(isLoopbackHost(host)).toBe(true);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.example.com"])
    expect(isLoopbackHost(host)).toBe(false);
});

test("public endpoints have no query, origins no path", () => {
  expect(checkPublicEndpoint("https://pubsub.example.com/base")).toBeNull();
  for (const raw of ["pubsub.example.com", "https://a?x", "https://a#", "wss://a", "https://u:p@a"])
    expect(checkPublicEndpoint(raw)).not.toBeNull();
  for (const raw of ["*", "https://app.example.com", "http://localhost:3000", "https://App.example.com:443"])
    expect(checkOrigin(raw)).toBeNull();
  for (const raw of ["app.example.com", "https://a/", "https://a/x", "https://*.example.com:x", "null", ""])
    expect(checkOrigin(raw)).not.toBeNull();
});
