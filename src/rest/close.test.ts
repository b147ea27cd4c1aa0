import { expect, test } from "bun:test";
import { createHarness } from "../../tests/support/rest-harness.ts";

async function close(line: string) {
  const { send, recorded } = createHarness();
  const response = await send(line.replace(" ", " /api/hubs/chat/"));
  return { status: response.status, body: await response.text(), request: recorded[0]?.args[0] };
}

test("R-84 R-87 every close answers 204 without a body", async () => {
  const paths = ["POST :closeConnections", "POST groups/g/:closeConnections", "POST users/u/:closeConnections"];
  for (const line of [...paths, "DELETE connections/c"]) {
    const { status, body } = await close(line);
    expect([line, status, body]).toEqual([line, 204, ""]);
  }
});

test("R-85 the scope and the exclusions are exactly those of the request", async () => {
  const query = "?excluded=a&excluded=b,c&reason=r";
  const base = { hub: "chat", excluded: new Set(["a", "b,c"]), reason: "r" };
  const group = { kind: "group", group: "G" };
  const user = { kind: "user", user: "U" };
  expect((await close(`POST :closeConnections${query}`)).request).toEqual({ ...base, target: { kind: "hub" } });
  expect((await close(`POST groups/G/:closeConnections${query}`)).request).toEqual({ ...base, target: group });
  expect((await close(`POST users/U/:closeConnections${query}`)).request).toEqual({ ...base, target: user });
  const connection = { kind: "connection", id: "c" };
  expect((await close(`DELETE connections/c${query}`)).request).toEqual({
    ...base,
    excluded: null,
    target: connection,
  });
});

test("R-83 a long Unicode reason is handed over whole; an empty one is none", async () => {
  const reason = "é€😀 &=+%".repeat(30);
  expect((await close(`DELETE connections/c?reason=${encodeURIComponent(reason)}`)).request).toMatchObject({ reason });
  expect((await close("DELETE connections/c?reason=")).request).toMatchObject({ reason: "" });
  expect((await close("POST :closeConnections")).request).toMatchObject({ reason: "", excluded: null });
});
