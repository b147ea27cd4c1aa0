import { expect, test } from "bun:test";
import { createHarness, type HarnessOptions } from "../../tests/support/rest-harness.ts";

async function call(line: string, options: HarnessOptions = {}) {
  const { send, recorded } = createHarness(options);
  const [method = "", path = ""] = line.split(" ");
  const response = await send(`${method} /api/hubs/chat/permissions/${path}`);
  const body = await response.text();
  return { status: response.status, body, header: response.headers.get("x-ms-error-code"), recorded };
}

const one = "sendToGroup/connections/c?targetName=g";

test("R-88 grant is 200, revoke 204, check 200 or 404", async () => {
  const cases = { PUT: ["grant", 200], DELETE: ["revoke", 204], HEAD: ["check", 200] } as const;
  for (const [method, [change, status]] of Object.entries(cases)) {
    const answer = await call(`${method} ${one}`);
    expect([method, answer.status, answer.body]).toEqual([method, status, ""]);
    const request = { hub: "chat", change, id: "c", action: "sendToGroup", group: "g" };
    expect(answer.recorded).toEqual([{ name: "permission", args: [request] }]);
  }
  const denied = await call(`HEAD ${one}`, { answers: { permission: () => "denied" } });
  expect([denied.status, denied.header, denied.body]).toEqual([404, "Info.Connection.NotExisted", ""]);
});

test("R-89 names of permissions compare without case and may be numbers", async () => {
  const names = {
    sendtogroup: "sendToGroup",
    JOINLEAVEGROUP: "joinLeaveGroup",
    "1": "sendToGroup",
    "2": "joinLeaveGroup",
  };
  for (const [name, action] of Object.entries(names)) {
    expect((await call(`PUT ${name}/connections/c?targetName=g`)).recorded[0]?.args[0]).toMatchObject({ action });
  }
  for (const name of ["unknown", "0", "3", "sendToGroup,joinLeaveGroup", "01", "%20"]) {
    const { status, recorded } = await call(`PUT ${name}/connections/c?targetName=g`);
    expect([name, status, recorded]).toEqual([name, 400, []]);
  }
});

test("R-90 targetName is required and taken literally", async () => {
  for (const query of ["", "?targetName=", "?targetName=%20", `?targetName=${"g".repeat(1025)}`]) {
    const { status, recorded } = await call(`PUT sendToGroup/connections/c${query}`);
    expect([status, recorded]).toEqual([400, []]);
  }
  for (const [raw, group] of [
    ["*", "*"],
    ["room.*", "room.*"],
    ["+room+", " room "],
  ] as const) {
    expect((await call(`PUT 1/connections/c?targetName=${raw}`)).recorded[0]?.args[0]).toMatchObject({ group });
  }
});

test("R-90 with the switch an omitted targetName means all groups, an empty one stays invalid", async () => {
  const options = { rest: { compat: { keepEncodedSlash: false, permissionWithoutTargetMeansAll: true } } };
  expect((await call("PUT 1/connections/c", options)).recorded[0]?.args[0]).toMatchObject({ group: null });
  expect((await call("PUT 1/connections/c?targetName=", options)).status).toBe(400);
});

test("R-91 grant and check of an unknown connection are 404, revoke is 204", async () => {
  const options: HarnessOptions = { answers: { permission: () => "unknown" } };
  const granted = await call(`PUT ${one}`, options);
  expect([granted.status, JSON.parse(granted.body)]).toEqual([
    404,
    { code: "Info.Connection.NotExisted", message: "Connection `c` is not found.", target: "Connection" },
  ]);
  expect((await call(`HEAD ${one}`, options)).status).toBe(404);
  expect((await call(`DELETE ${one}`, options)).status).toBe(204);
});

test("R-93 too many rules are a 409", async () => {
  for (const method of ["PUT", "DELETE"]) {
    const { status, header, body } = await call(`${method} ${one}`, { answers: { permission: () => "conflict" } });
    expect([status, header]).toEqual([409, "Error.Connection.Conflict"]);
    expect(JSON.parse(body)).toMatchObject({ target: "Connection" });
  }
});
