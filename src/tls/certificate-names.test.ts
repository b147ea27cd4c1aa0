import { expect, test } from "bun:test";
import { namesKey, parseCertificateName, parseSubjectAltName } from "./certificate-names.ts";

test("host names, wildcards and addresses are read in their comparable form", () => {
  expect(parseCertificateName("PubSub.Example.com")).toEqual({ kind: "dns", value: "pubsub.example.com" });
  expect(parseCertificateName("*.example.com")).toEqual({ kind: "dns", value: "*.example.com" });
  expect(parseCertificateName("my_host-1")).toEqual({ kind: "dns", value: "my_host-1" });
  expect(parseCertificateName("10.0.0.5")).toEqual({ kind: "ip", value: "10.0.0.5" });
  for (const text of ["::1", "[::1]", "0:0:0:0:0:0:0:1"])
    expect(parseCertificateName(text)).toEqual({ kind: "ip", value: "::1" });
  expect(parseCertificateName("2001:DB8::0:1")).toEqual({ kind: "ip", value: "2001:db8::1" });
});

test("other texts are no names", () => {
  for (const text of [
    "",
    "a b",
    "a:8080",
    "https://a",
    "a..b",
    ".a",
    "a.",
    "*",
    "a.*.b",
    "a,b",
    "é.example",
    "fe80::1%eth0",
    "-a",
    "a".repeat(254),
  ]) {
    expect(parseCertificateName(text)).toBeNull();
  }
});

test("names of a certificate compare as a set", () => {
  const names = parseSubjectAltName("DNS:localhost, IP Address:0:0:0:0:0:0:0:1, email:a@b, DNS:a.example");
  const wanted = ["a.example", "::1", "localhost", "localhost"].flatMap((text) => parseCertificateName(text) ?? []);
  expect(namesKey(names)).toBe(namesKey(wanted));
  expect(parseSubjectAltName(undefined)).toEqual([]);
});
