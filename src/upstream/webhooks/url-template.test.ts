import { expect, test } from "bun:test";
import { escapeData, parseUrlTemplate, type UrlTemplate } from "./url-template.ts";

function template(source: string): UrlTemplate {
  const parsed = parseUrlTemplate(source);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

test("E-1 {hub} and {event} are replaced in any case, wherever they stand", () => {
  const parsed = template("http://h.example:81/{HUB}/x/{Event}/{hub}?e={event}");
  expect(parsed.origin).toEqual({
    isSecure: false,
    hostname: "h.example",
    port: 81,
    host: "h.example:81",
    href: "http://h.example:81",
  });
  expect(parsed.resolve("chat", "connect")).toBe("/chat/x/connect/chat?e=connect");
});

test("E-2 values are percent-encoded, the query is kept, values are not expanded again", () => {
  expect(template("https://h/hooks/{hub}/{event}").resolve("chat", "a b/c!")).toBe("/hooks/chat/a%20b%2Fc%21");
  expect(template("https://h/{event}?code=k%201&x=").resolve("chat", "e")).toBe("/e?code=k%201&x=");
  expect(template("https://h/{hub}/{event}").resolve("{event}", "{hub}")).toBe("/%7Bevent%7D/%7Bhub%7D");
  expect(escapeData("!'()*-_.~é\ud800")).toBe("%21%27%28%29%2A-_.~%C3%A9%EF%BF%BD");
});

test("E-2 the path is used exactly as written", () => {
  expect(template("https://h").resolve("a", "b")).toBe("/");
  expect(template("https://h?x=1").resolve("a", "b")).toBe("/?x=1");
  expect(template("https://h/eventhandler").resolve("a", "b")).toBe("/eventhandler");
  expect(template("https://h/a//b/").resolve("a", "b")).toBe("/a//b/");
});

test("T-11 a tunnel has a path and no host", () => {
  const parsed = template("TUNNEL:///eventhandler/{event}?h={hub}");
  expect(parsed.origin).toBeNull();
  expect(parsed.href + parsed.resolve("chat", "a b")).toBe("tunnel:///eventhandler/a%20b?h=chat");
});

test.each(["..", ".", ""])("E-3 the value %p never becomes a path segment", (value) => {
  expect(template("https://h/hooks/{event}").resolve("chat", value)).toBeNull();
  expect(template("https://h/hooks").resolve("chat", value)).toBe("/hooks");
});

test.each([
  ["https://{hub}.example.com/", "must not have a placeholder in the host"],
  ["ftp://h/", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["/relative", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["https://h/#f", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["https://h:99999/", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["tunnel://host/x", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["tunnel:///x#f", "must be an absolute http, https or tunnel:/// URL without fragment"],
  ["tunnel:///{user}", "has the unknown placeholder {user}; only {hub} and {event} exist"],
  ["tunnel:///a/../b", "must not have . or .. as a path segment"],
  ["https://user:secret@h/", "must not contain a user name or password"],
  ["https://h/{user}", "has the unknown placeholder {user}; only {hub} and {event} exist"],
  ["https://h/a b", "must have a percent-encoded path and query"],
  ["https://h/é", "must have a percent-encoded path and query"],
  ["https://h/a/../b", "must not have . or .. as a path segment"],
  ["https://h/%2e%2E/b", "must not have . or .. as a path segment"],
])("E-4 %p is refused", (source, problem) => {
  expect(parseUrlTemplate(source)).toBe(problem);
});
