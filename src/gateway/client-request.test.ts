import { expect, test } from "bun:test";
import { lastParameter, parseClientRequest } from "./client-request.ts";

test.each([
  ["C-1", "/client/hubs/Chat", "", "chat", false],
  ["C-1", "/client/hubs/chat/", "", "chat", false],
  ["C-1", "/CLIENT/HUBS/c%5B1%5D", "", "c[1]", false],
  ["C-2", "/client/", "hub=Chat&access_token=x", "chat", true],
  ["C-2", "/client", "HUB=chat", "chat", true],
])("%s %s?%s names hub %s", (...[, path, query, hub, hubInQuery]) => {
  expect(parseClientRequest({ path, query })).toMatchObject({ ok: true, value: { hub, hubInQuery } });
});

test.each([
  ["/client", ""],
  ["/client/", "hub="],
  ["/client/hubs", ""],
  ["/client/hubs/", ""],
  ["/client/hubs/1bad", ""],
  ["/client/hubs/%zz", ""],
  ["/client/hubs/a%2Fb", ""],
  [`/client/hubs/${"a".repeat(129)}`, ""],
])("C-13 M-38 %s?%s is answered 400", (path, query) => {
  expect(parseClientRequest({ path, query })).toEqual({ ok: false, status: 400, body: "Invalid value of 'hub'." });
});

test.each([
  "/",
  "",
  "/clients/hubs/h",
  "/client/hub/h",
  "/client/hubs/h/x",
  "/client/hubs/h//",
  "/client//hubs/h",
  "//client/hubs/h",
])("%p is no client endpoint", (path) => {
  expect(parseClientRequest({ path, query: "hub=h" })).toEqual({ ok: false, status: 404, body: "" });
});

test("C-4 the last parameter that is not empty counts, its name in any case", () => {
  const parsed = parseClientRequest({
    path: "/client/hubs/h",
    query: "access_token=a&ACCESS_TOKEN=b%20c&Access_Token=",
  });
  if (!parsed.ok) throw new Error("not parsed");
  expect(lastParameter(parsed.value.parameters, "access_token")).toBe("b c");
  expect(lastParameter(parsed.value.parameters, "other")).toBeNull();
});
