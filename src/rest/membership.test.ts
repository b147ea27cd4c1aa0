import { describe, expect, test } from "bun:test";
import { type Answers, createHarness, type TestRequest } from "../../tests/support/rest-harness.ts";

async function call(line: string, answers: Answers = {}, init: TestRequest = {}) {
  const { send, recorded } = createHarness({ answers });
  const response = await send(line.replace(" ", " /api/hubs/chat/"), init);
  return {
    status: response.status,
    body: await response.text(),
    header: response.headers.get("x-ms-error-code"),
    recorded,
  };
}

const unknown: Answers = { changeMembership: () => "unknown" };

describe("one connection or user", () => {
  test("each path becomes one membership change", async () => {
    const connection = { kind: "connection", id: "c" };
    const user = { kind: "user", user: "u" };
    const cases = [
      ["PUT groups/g/connections/c", 200, { change: "add", subject: connection, group: "g" }],
      ["DELETE groups/g/connections/c", 204, { change: "remove", subject: connection, group: "g" }],
      ["DELETE connections/c/groups", 204, { change: "remove", subject: connection, group: null }],
      ["PUT users/u/groups/g", 200, { change: "add", subject: user, group: "g" }],
      ["DELETE users/u/groups/g", 204, { change: "remove", subject: user, group: "g" }],
      ["DELETE users/u/groups", 204, { change: "remove", subject: user, group: null }],
    ] as const;
    for (const [line, status, request] of cases) {
      const answer = await call(line);
      expect([line, answer.status, answer.body]).toEqual([line, status, ""]);
      expect(answer.recorded).toEqual([{ name: "changeMembership", args: [{ hub: "chat", ...request }] }]);
    }
  });

  test("R-39 adding an unknown connection is the documented 404", async () => {
    const { status, header, body } = await call("PUT groups/g/connections/missing", unknown);
    expect([status, header]).toEqual([404, "Error.Connection.NotExisted"]);
    expect(JSON.parse(body)).toEqual({
      code: "Error.Connection.NotExisted",
      message: "Connection `missing` is not found.",
      target: "Connection",
    });
  });

  test("R-68 adding a user without connections is a 404", async () => {
    const { status, header, body } = await call("PUT users/u/groups/g", unknown);
    expect([status, header]).toEqual([404, "Error.User.NotExisted"]);
    expect(JSON.parse(body)).toMatchObject({ target: "User" });
  });

  test("R-65 R-66 R-69 removing what is unknown is 204", async () => {
    const lines = ["groups/g/connections/c", "connections/c/groups", "users/u/groups/g", "users/u/groups"];
    for (const path of lines) expect((await call(`DELETE ${path}`, unknown)).status).toBe(204);
  });

  test("invalid names are refused before anything changes", async () => {
    const cases = {
      "PUT groups/%20/connections/c": "Invalid group name.",
      "PUT groups/g/connections/%20": "Invalid connection ID.",
      "DELETE connections/%20/groups": "Invalid connection ID.",
      "PUT users/%20/groups/g": "Invalid user ID.",
      "DELETE users/u/groups/%20": "Invalid group name.",
    };
    for (const [line, message] of Object.entries(cases)) {
      const { status, body, recorded } = await call(line);
      expect([line, status, recorded]).toEqual([line, 400, []]);
      expect(JSON.parse(body)).toEqual({ code: "Error.BadRequest", message, target: "Request" });
    }
  });
});

describe("all connections that a filter selects", () => {
  const json = { "content-type": "application/json" };
  const bulk = (body: string, headers: Readonly<Record<string, string>> = json) =>
    call("POST :addToGroups", {}, { headers, body });

  test("R-70 R-71 groups and filter are handed over; no filter means everybody", async () => {
    const filtered = await call(
      "POST :removeFromGroups",
      {},
      { headers: json, body: `{"groups":["a","B","a"],"FILTER":"'x' in groups"}` },
    );
    expect([filtered.status, filtered.body]).toEqual([200, ""]);
    expect(filtered.recorded[0]?.args[0]).toMatchObject({
      hub: "chat",
      change: "remove",
      groups: ["a", "B"],
      filter: { text: "'x' in groups" },
    });
    for (const body of [
      '{"groups":["g"]}',
      '{"groups":["g"],"filter":null}',
      '{"GROUPS":["g"],"Filter":"","other":1}',
    ]) {
      expect((await bulk(body)).recorded[0]?.args[0]).toEqual({
        hub: "chat",
        change: "add",
        groups: ["g"],
        filter: null,
      });
    }
  });

  test("R-72 missing, empty and invalid groups are refused and nothing changes", async () => {
    const none = "A nonempty list of valid group names is required.";
    const invalid = "The request body is not a valid groups request.";
    const cases = {
      "{}": none,
      '{"groups":null}': none,
      '{"groups":[]}': none,
      '{"groups":["g"," "]}': none,
      '{"groups":["g",null]}': none,
      [`{"groups":["${"g".repeat(1025)}"]}`]: none,
      '{"groups":"g"}': invalid,
      '{"groups":["g",1]}': invalid,
      '{"groups":["g"],"filter":1}': invalid,
      "[]": invalid,
      null: invalid,
      "{": invalid,
      "": invalid,
    };
    for (const [body, message] of Object.entries(cases)) {
      const answer = await bulk(body);
      expect([body, answer.status, answer.recorded]).toEqual([body, 400, []]);
      expect(JSON.parse(answer.body)).toEqual({ code: "Error.BadRequest", message, target: "Request" });
    }
  });

  test("R-74 other content types are 415, an invalid filter 400", async () => {
    for (const headers of [
      { "content-type": "text/plain" },
      {},
      { "content-type": "application/json; charset=klingon" },
    ]) {
      expect((await bulk('{"groups":["g"]}', headers)).status).toBe(415);
    }
    const { status, body } = await bulk('{"groups":["g"],"filter":"invalid filter"}');
    expect(status).toBe(400);
    expect((JSON.parse(body) as { message: string }).message).toStartWith("Invalid syntax for 'invalid filter'");
    expect((await bulk("x", { ...json, "content-length": "1048577" })).status).toBe(400);
  });

  test("R-100 a chain of 300 clauses is accepted in a body", async () => {
    const filter = Array.from({ length: 300 }, (_, index) => `'g${index}' in groups`).join(" or ");
    expect((await bulk(JSON.stringify({ groups: ["g"], filter }))).status).toBe(200);
  });
});
