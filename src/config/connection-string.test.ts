import { expect, test } from "bun:test";
import { formatConnectionString, parseConnectionString } from "./connection-string.ts";

const key = "k".repeat(40);
const endpointOf = (text: string) => {
  const parsed = parseConnectionString(text);
  return parsed.ok ? parsed.value.endpoint : parsed.message;
};

test("M-1 a connection string has no blanks and no slash after the host", () => {
  const text = formatConnectionString({ endpoint: "http://localhost:8080/", accessKey: key });
  expect(text).toBe(`Endpoint=http://localhost:8080;AccessKey=${key};Version=1.0;`);
});

test("M-9 names in any case and order, blanks around both, unknown names and `=` in values", () => {
  const parsed = parseConnectionString(
    ` version = 1.0 ; ACCESSKEY = ab+/=${key}= ; Foo=1; endpoint = https://a.example.com/ ;;`,
  );
  expect(parsed).toEqual({ ok: true, value: { endpoint: "https://a.example.com", accessKey: `ab+/=${key}=` } });
});

test.each([
  ["Endpoint=https://a;AccessKey=x;accesskey=y", "has accesskey twice"],
  ["Endpoint=https://a", "has no AccessKey"],
  ["Endpoint=https://a;AccessKey=", "has no AccessKey"],
  [`AccessKey=${key}`, "has no Endpoint"],
  [`Endpoint=ftp://a;AccessKey=${key}`, "has an Endpoint that is not an http or https URL"],
  [`Endpoint=https://a;AccessKey=${key};Port=0`, "has a Port that is not a number from 1 to 65535"],
  [`Endpoint=https://a;AccessKey=${key};Port=65536`, "has a Port that is not a number from 1 to 65535"],
  ["", "is not a connection string (Endpoint=…;AccessKey=…;)"],
  ["garbage", "is not a connection string (Endpoint=…;AccessKey=…;)"],
])("M-9 %j is refused without repeating a value", (text, message) => {
  expect(parseConnectionString(text)).toEqual({ ok: false, message });
});

test("Port replaces the port, a base path is kept, an endpoint without scheme is http", () => {
  expect(endpointOf(`Endpoint=http://h:1;Port=8080;AccessKey=${key}`)).toBe("http://h:8080");
  expect(endpointOf(`Endpoint=https://h/base/path/;AccessKey=${key}`)).toBe("https://h/base/path");
  expect(endpointOf(`Endpoint=h.example.com;AccessKey=${key}`)).toBe("http://h.example.com");
  expect(endpointOf(`Endpoint=HTTPS://H.example.com:443;AccessKey=${key}`)).toBe("https://h.example.com");
});
