import { expect, test } from "bun:test";
import { checkUrlTemplate, checkUserEventPattern, insertTemplateSecrets } from "./url-template.ts";

test.each([
  "http://localhost:3000/eventhandler/{event}",
  "https://app.example.com/hooks/{HUB}/{Event}?code=k1&h={hub}",
  "https://[::1]:8443/x",
  "https://app.example.com",
  "https://bücher.example/{event}?next=../x",
  "https://app.example.com?e={event}",
  "tunnel:///eventhandler",
  "tunnel:///{hub}/{event}",
])("E-4 the template %s is accepted", (template) => {
  expect(checkUrlTemplate(template)).toBeNull();
});

test.each([
  ["https://{hub}.example.com/x", "must not have a placeholder in the host"],
  ["https://app.example.com:{event}/x", "must not have a placeholder in the host"],
  ["ftp://app.example.com/{event}", "must be an absolute http, https or tunnel:/// URL"],
  ["/relative/{event}", "must be an absolute http, https or tunnel:/// URL"],
  ["tunnel://host/x", "must be an absolute http, https or tunnel:/// URL"],
  ["http:///{event}", "must be an absolute http, https or tunnel:/// URL"],
  ["http://app example/", "must not contain white space or control characters"],
  ["http://a b@c/", "must not contain white space or control characters"],
  ["http://:80/", "must be an absolute http, https or tunnel:/// URL"],
  ["http://\t/{event}", "must not contain white space or control characters"],
  [" http://a/", "must be an absolute http, https or tunnel:/// URL"],
  ["https://a/{user}", "has the unknown placeholder {user}; only {hub} and {event} exist"],
  ["https://a/{ hub }", "has the unknown placeholder { hub }; only {hub} and {event} exist"],
  ["https://a/{}", "has the unknown placeholder {}; only {hub} and {event} exist"],
  ["https://a/{event", "has an unbalanced brace"],
  ["https://a/{{event}}", "has an unbalanced brace"],
  ["https://user:pass@a/{event}", "must not contain a user name or password"],
  ["https://a/{event}#x", "must not have a fragment"],
  ["https://a/é", "must have a percent-encoded path and query"],
  ["https://a/x?y=é", "must have a percent-encoded path and query"],
  ["https://a/../{event}", "must not have . or .. as a path segment"],
  ["https://a/%2e%2E/b", "must not have . or .. as a path segment"],
  [
    "https://a/?c={@Microsoft.KeyVault(SecretUri=https://v/s)}",
    "Key Vault references are not supported; use {@Env(NAME)} or {@File(path)}",
  ],
])("E-4 M-19 the template %s is refused", (template, message) => {
  expect(checkUrlTemplate(template)).toBe(message);
});

test("secrets are inserted as written, unknown ones stay", () => {
  const read = ({ kind, name }: { kind: string; name: string }) => (name === "nothing" ? null : `<${kind} ${name}>`);
  expect(insertTemplateSecrets("https://a/{event}?c={@Env(CODE)}&d={@file( /run/d )}", read)).toBe(
    "https://a/{event}?c=<env CODE>&d=<file /run/d>",
  );
  expect(insertTemplateSecrets("https://a/?c={@Env(nothing)}", read)).toBe("https://a/?c={@Env(nothing)}");
});

test("E-6 with globs each item is a pattern that can be used", () => {
  expect(checkUserEventPattern("a\\*, b.**", true)).toBeNull();
  for (const pattern of ["a\\b", "a, ******", "???a???"])
    expect(checkUserEventPattern(pattern, true)).toBe("has an item that is no pattern as in wildcard group roles");
});

test("E-6 wildcards inside an item and negation are refused, globs only on request", () => {
  for (const pattern of ["room.*", "a,*", "a?", "a\\*"]) {
    expect(checkUserEventPattern(pattern, false)).toContain("compat.globEventPatterns");
    expect(checkUserEventPattern(pattern, true)).toBeNull();
  }
  for (const globs of [false, true])
    expect(checkUserEventPattern("!a", globs)).toBe("must not contain !, patterns cannot be negated");
  for (const pattern of ["", "*", " * ", "a", "a, b.c,d-e_f"]) expect(checkUserEventPattern(pattern, false)).toBeNull();
});
