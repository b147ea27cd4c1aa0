import { expect, test } from "bun:test";
import { resolveCaller } from "./caller.ts";

const settings = { isTrustedProxy: (address: string) => address.startsWith("10.") };
const certificate = { thumbprint: "ab", content: "pem" };
const caller = (headers: Record<string, string>, address = "10.0.0.1", isSecure = false) =>
  resolveCaller(new Headers({ host: "inner:8080", ...headers }), { address, isSecure, certificate }, settings);

test("M-33 M-39 forwarding headers of a peer that is not trusted are ignored", () => {
  for (const headers of [
    { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https", "x-forwarded-host": "evil", "x-forwarded-port": "1" },
    { forwarded: "for=1.2.3.4;proto=https;host=evil" },
  ]) {
    expect(caller(headers, "203.0.113.9")).toEqual({
      address: "203.0.113.9",
      scheme: "http",
      host: "inner:8080",
      audienceHosts: ["inner:8080"],
      certificate,
    });
  }
});

test("M-35 the certificate of a trusted proxy is not the client's", () => {
  expect(caller({}).certificate).toBeNull();
  expect(caller({}, "203.0.113.9").certificate).toEqual(certificate);
});

test("M-33 without forwarding headers a trusted peer is the caller", () => {
  expect(caller({}, "10.0.0.1", true)).toMatchObject({
    address: "10.0.0.1",
    scheme: "https",
    host: "inner:8080",
    audienceHosts: ["inner:8080"],
  });
});

test.each<[string, Record<string, string>, object]>([
  [
    "one proxy",
    { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "HTTPS", "x-forwarded-host": "pub" },
    { address: "1.2.3.4", scheme: "https", host: "pub" },
  ],
  ["a port of its own", { "x-forwarded-host": "pub", "x-forwarded-port": "8443" }, { host: "pub:8443" }],
  ["a default port", { "x-forwarded-host": "pub", "x-forwarded-port": "443" }, { host: "pub" }],
  ["a host with port", { "x-forwarded-host": "pub:1", "x-forwarded-port": "2" }, { host: "pub:1" }],
  ["a port that is none", { "x-forwarded-host": "pub", "x-forwarded-port": "x" }, { host: "pub" }],
  ["an unknown scheme", { "x-forwarded-proto": "ftp" }, { scheme: "http" }],
  ["an address with port", { "x-forwarded-for": "1.2.3.4:99" }, { address: "1.2.3.4" }],
  ["an IPv6 address", { "x-forwarded-for": "2001:db8::1" }, { address: "2001:db8::1" }],
  ["an IPv6 address with port", { "x-forwarded-for": "[2001:db8::1]:99" }, { address: "2001:db8::1" }],
  [
    "two proxies",
    { "x-forwarded-for": "1.2.3.4, 10.0.0.2", "x-forwarded-host": "pub" },
    { address: "1.2.3.4", host: "pub" },
  ],
  ["proxies only", { "x-forwarded-for": "10.0.0.3, 10.0.0.2" }, { address: "10.0.0.3" }],
  [
    "RFC 7239",
    { forwarded: 'for="[2001:db8::1]:99";proto=https;host="pub:1"' },
    { address: "2001:db8::1", scheme: "https", host: "pub:1" },
  ],
  [
    "RFC 7239 without address",
    { forwarded: "proto=https;host=pub" },
    { address: "10.0.0.1", scheme: "https", host: "pub" },
  ],
  ["both kinds", { forwarded: "for=1.1.1.1", "x-forwarded-for": "2.2.2.2" }, { address: "1.1.1.1" }],
])("M-33 a trusted proxy is believed: %s", (_name, headers, expected) => {
  expect(caller(headers)).toMatchObject(expected);
});

test.each<[string, Record<string, string>]>([
  [
    "X-Forwarded",
    { "x-forwarded-for": "6.6.6.6, 1.2.3.4", "x-forwarded-proto": "http, https", "x-forwarded-host": "evil, pub" },
  ],
  [
    "X-Forwarded of two proxies",
    {
      "x-forwarded-for": "6.6.6.6, 1.2.3.4, 10.0.0.2",
      "x-forwarded-proto": "http, https, http",
      "x-forwarded-host": "evil, pub, inner",
    },
  ],
  ["Forwarded", { forwarded: "for=6.6.6.6;proto=http;host=evil, for=1.2.3.4;proto=https;host=pub" }],
  [
    "Forwarded of two proxies",
    { forwarded: "for=6.6.6.6;host=evil, for=1.2.3.4;proto=https;host=pub, for=10.0.0.2;host=inner" },
  ],
])("M-33 M-39 what a client wrote before the proxy is not believed: %s", (_name, headers) => {
  expect(caller(headers)).toMatchObject({
    address: "1.2.3.4",
    scheme: "https",
    host: "pub",
    audienceHosts: ["inner:8080", "pub"],
  });
});
