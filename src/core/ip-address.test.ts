import { expect, test } from "bun:test";
import { isInRange, parseIpAddress, parseIpRange } from "./ip-address.ts";

const matches = (range: string, address: string): boolean => {
  const parsedRange = parseIpRange(range);
  const parsedAddress = parseIpAddress(address);
  if (parsedRange === null || parsedAddress === null) throw new Error(`unreadable: ${range} or ${address}`);
  return isInRange(parsedAddress, parsedRange);
};

test("an address is read in every notation sockets and headers use", () => {
  expect(parseIpAddress("127.0.0.1")).toEqual([127, 0, 0, 1]);
  expect(parseIpAddress("::1")).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(parseIpAddress("[2001:db8::7]")).toEqual([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  expect(parseIpAddress("fe80::1%eth0")?.slice(0, 2)).toEqual([0xfe, 0x80]);
  expect(parseIpAddress("1:2:3:4:5:6:7:8")?.length).toBe(16);
  expect(parseIpAddress("64:ff9b::192.0.2.33")?.slice(12)).toEqual([192, 0, 2, 33]);
});

test("an IPv4-mapped IPv6 address is the IPv4 address", () => {
  expect(parseIpAddress("::ffff:10.1.2.3")).toEqual([10, 1, 2, 3]);
  expect(parseIpAddress("::ffff:0a01:0203")).toEqual([10, 1, 2, 3]);
  expect(matches("10.0.0.0/8", "::ffff:10.9.9.9")).toBe(true);
  expect(matches("::ffff:10.0.0.0/104", "10.9.9.9")).toBe(true);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "010.0.0.1",
  "1.2.3.4:80",
  " 1.2.3.4",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::1",
  "1.2.3.4::",
  "::1.2.3",
  "localhost",
  "[::1",
  "1:".repeat(60),
])("text %j is not an address", (text) => {
  expect(parseIpAddress(text)).toBeNull();
});

test.each([
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/08",
  "10.0.0.0/-1",
  "10.0/8",
  "::/129",
  "AzureCloud",
  "10.0.0.0/8/8",
  "10.0.0.0/8 ",
])("M-32 text %j is not a range", (text) => {
  expect(parseIpRange(text)).toBeNull();
});

test("a range compares only its leading bits, at every prefix length", () => {
  for (let prefix = 0; prefix <= 32; prefix += 1) {
    const lastInside = 2 ** (32 - prefix) - 1;
    const text = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
    expect(matches(`0.0.0.0/${prefix}`, text(lastInside))).toBe(true);
    if (prefix > 0) expect(matches(`0.0.0.0/${prefix}`, text(lastInside + 1))).toBe(false);
  }
});

test("a range holds only addresses of its own family", () => {
  expect(matches("0.0.0.0/0", "2001::1")).toBe(false);
  expect(matches("::/0", "8.8.8.8")).toBe(false);
  expect(matches("2603::/8", "26ff::1")).toBe(true);
});

test("bits right of the prefix are ignored and a single address is a range of one", () => {
  expect(matches("10.1.2.3/8", "10.200.0.1")).toBe(true);
  expect(matches("10.1.2.3", "10.1.2.3")).toBe(true);
  expect(matches("10.1.2.3", "10.1.2.4")).toBe(false);
});
