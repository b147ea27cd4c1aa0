import { describe, expect, test } from "bun:test";
import { createHarness } from "../../tests/support/rest-harness.ts";

const versions = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";

async function errorOf(response: Response) {
  return {
    status: response.status,
    header: response.headers.get("x-ms-error-code"),
    body: (await response.json()) as unknown,
  };
}

describe("health", () => {
  test("R-1 R-2 HEAD and GET answer 200 without token and with any version", async () => {
    const { send, reports } = createHarness();
    for (const line of [
      "HEAD /api/health",
      "GET /api/health",
      "HEAD /api/health?api-version=1999-01-01",
      "GET /api/health/",
    ]) {
      const response = await send(line, { auth: null });
      expect([line, response.status, await response.text()]).toEqual([line, 200, ""]);
    }
    expect(reports.map(({ category }) => category)).toEqual([
      "HealthCheck",
      "HealthCheck",
      "HealthCheck",
      "HealthCheck",
    ]);
  });

  test("sends are 429 with Retry-After while the message quota is used up; everything else works", async () => {
    const { send, recorded } = createHarness({ rest: { throttledForSeconds: () => 7 } });
    const refused = await send("POST /api/hubs/chat/:send", { body: "x", headers: { "content-type": "text/plain" } });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("7");
    expect(refused.headers.get("x-ms-error-code")).toBe("Error.Throttled");
    expect(recorded.length).toBe(0);
    expect((await send("HEAD /api/hubs/chat/users/ann")).status).not.toBe(429);
  });

  test("health is 503 while the service is not ready", async () => {
    const { send } = createHarness({ rest: { isReady: () => false } });
    const head = await send("HEAD /api/health", { auth: null });
    expect([head.status, await head.text()]).toEqual([503, ""]);
    expect((await send("GET /api/health", { auth: null })).status).toBe(503);
  });
});

describe("versions", () => {
  test("R-3 every accepted version and none let a send be accepted", async () => {
    const { send, recorded } = createHarness();
    const previews = ["2021-05-01-preview", "2021-08-01-preview", "2022-10-01-preview"];
    const queries = ["", ...[...versions.split(", "), ...previews].map((version) => `?api-version=${version}`)];
    for (const query of queries) expect((await send(`POST /api/hubs/chat/:send${query}`)).status).toBe(202);
    expect(recorded.length).toBe(queries.length);
  });

  test("R-4 R-5 an unknown, empty, older or repeated version is a 400 about api-version", async () => {
    const { send, recorded } = createHarness();
    const refused = ["2099-01-01", "", "2024-12-1", "2021-01-01", "2024-12-01%20", "2024-12-01&api-version=2024-12-01"];
    for (const version of refused) {
      expect(await errorOf(await send(`POST /api/hubs/chat/:send?api-version=${version}`))).toEqual({
        status: 400,
        header: "Error.BadRequest",
        body: {
          code: "Error.BadRequest",
          message: "The specified API version is not supported.",
          target: "api-version",
        },
      });
    }
    expect(recorded).toEqual([]);
  });

  test("2021-05-01-preview gets 200 from DELETE, later versions 204", async () => {
    const { send } = createHarness();
    const paths = [
      "connections/c",
      "groups/g/connections/c",
      "users/u/groups/g",
      "permissions/sendToGroup/connections/c",
    ];
    for (const path of paths) {
      const url = `DELETE /api/hubs/chat/${path}?targetName=g`;
      expect((await send(`${url}&api-version=2021-05-01-preview`)).status).toBe(200);
      expect((await send(`${url}&api-version=2021-10-01`)).status).toBe(204);
    }
  });
});

describe("routing", () => {
  test("R-6 every response lists the published versions", async () => {
    const { send } = createHarness();
    const lines = [
      "POST /api/hubs/chat/:send",
      "POST /api/hubs/1bad/:send",
      "GET /api/hubs/chat/nothing",
      "GET /api/hubs/chat/:send",
    ];
    for (const line of lines) expect((await send(line)).headers.get("api-supported-versions")).toBe(versions);
    expect((await send("HEAD /api/hubs/chat/users/u", { auth: null })).headers.get("api-supported-versions")).toBe(
      versions,
    );
  });

  test("R-7 hub names follow the pattern and are folded to lower case", async () => {
    const { send, recorded } = createHarness();
    for (const hub of ["1bad", "has-hyphen", "a".repeat(129), "%zz", "a%20b"]) {
      expect(await errorOf(await send(`POST /api/hubs/${hub}/:send`))).toEqual({
        status: 400,
        header: "Error.BadRequest",
        body: { code: "Error.BadRequest", message: "Invalid hub name.", target: "Request" },
      });
    }
    expect(recorded).toEqual([]);
    for (const hub of ["a".repeat(128), "Chat%5B1%5D"])
      expect((await send(`POST /api/hubs/${hub}/:send`)).status).toBe(202);
    expect(recorded.map(({ args }) => (args[0] as { hub: string }).hub)).toEqual(["a".repeat(128), "chat[1]"]);
  });

  test("R-13 a wrong method is 405 with Allow, an unknown path 404, both without body", async () => {
    const { send, reports } = createHarness();
    const wrong = await send("PATCH /api/hubs/chat/groups/g/connections/c");
    expect([wrong.status, wrong.headers.get("allow"), await wrong.text()]).toEqual([405, "PUT, DELETE, OPTIONS", ""]);
    expect((await send("GET /api/hubs/chat/:send")).headers.get("allow")).toBe("POST, OPTIONS");
    const unknown = [
      "/api",
      "/api/",
      "/api/hubs",
      "/api/hubs/chat",
      "/api/hubs/chat/groups",
      "/api/hubs/chat/groups//:send",
    ];
    const more = [
      "/api/hubs/chat/:send//",
      "/api/hubs/chat/:other",
      "/api/hubs/chat/chat/rooms/r",
      "/apis/hubs/chat/:send",
      "x/api/health",
      "x",
      "",
    ];
    for (const path of [...unknown, ...more]) {
      const response = await send(`POST ${path}`, { auth: null });
      expect([path, response.status, await response.text()]).toEqual([path, 404, ""]);
    }
    expect(new Set(reports.map(({ category }) => category))).toEqual(new Set(["Uncategorized"]));
  });

  test("R-14 one trailing slash and any case of the literals are tolerated, also an escaped colon", async () => {
    const { send, recorded } = createHarness();
    for (const path of [
      "/api/hubs/chat/:send/",
      "/API/Hubs/chat/:SEND",
      "/api/hubs/chat/%3Asend",
      "/api/hubs/chat/%3asend/",
    ]) {
      expect([path, (await send(`POST ${path}`)).status]).toEqual([path, 202]);
    }
    expect(recorded.length).toBe(4);
  });

  test("R-15 unknown query parameters are ignored and names compare without case", async () => {
    const { send, recorded } = createHarness();
    expect((await send("POST /api/hubs/chat/:send?nothing=1&API-Version=2024-12-01&EXCLUDED=a")).status).toBe(202);
    expect(recorded[0]?.args[0]).toMatchObject({ excluded: new Set(["a"]) });
  });

  test(":invoke is 501 NotImplemented for an owner", async () => {
    const { send } = createHarness();
    expect(
      await errorOf(
        await send("POST /api/hubs/chat/:invoke", { body: "42", headers: { "content-type": "text/plain" } }),
      ),
    ).toEqual({
      status: 501,
      header: "NotImplemented",
      body: { code: "NotImplemented", message: "The operation invoke is not supported.", target: "Request" },
    });
    expect((await send("POST /api/hubs/chat/:invoke", { auth: null })).status).toBe(401);
  });
});

describe("answers", () => {
  test("R-37 an error is a top-level object whose code is also in the header", async () => {
    const { send } = createHarness();
    const response = await send("POST /api/hubs/chat/:send?messageTtlSeconds=x");
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await errorOf(response)).toEqual({
      status: 400,
      header: "Error.BadRequest",
      body: { code: "Error.BadRequest", message: "Invalid messageTtlSeconds.", target: "Request" },
    });
  });

  test("R-38 errors of HEAD have a code but no body", async () => {
    const { send } = createHarness({ answers: { exists: () => "no" } });
    const cases = [
      ["connections/c", 404, "Warning.Connection.NotExisted"],
      ["groups/g", 404, "Warning.Group.NotExisted"],
      ["users/u", 404, "Warning.User.NotExisted"],
      ["groups/%20", 400, "Error.BadRequest"],
    ] as const;
    for (const [path, status, code] of cases) {
      const response = await send(`HEAD /api/hubs/chat/${path}`);
      expect([response.status, response.headers.get("x-ms-error-code"), await response.text()]).toEqual([
        status,
        code,
        "",
      ]);
      expect(response.headers.get("content-type")).toBeNull();
    }
  });

  test("existence is asked of the subject in the path", async () => {
    const { send, recorded } = createHarness();
    for (const path of ["connections/c%2F1", "groups/G", "users/x+y"]) {
      expect((await send(`HEAD /api/hubs/chat/${path}`)).status).toBe(200);
    }
    expect(recorded.map(({ args }) => args[1])).toEqual([
      { kind: "connection", id: "c/1" },
      { kind: "group", group: "G" },
      { kind: "user", user: "x+y" },
    ]);
  });

  test("the client request id comes back unless it is not printable or too long", async () => {
    const { send } = createHarness();
    const echo = async (id: string) =>
      (await send("POST /api/hubs/chat/:send", { headers: { "x-ms-client-request-id": id } })).headers.get(
        "x-ms-client-request-id",
      );
    expect(await echo("0d1f-42")).toBe("0d1f-42");
    expect(await echo("x".repeat(128))).toBe("x".repeat(128));
    expect(await echo("x".repeat(129))).toBeNull();
    expect(await echo("é")).toBeNull();
  });

  test("what goes wrong unexpectedly is a 500 without details and is logged; other requests go on", async () => {
    let isBroken = true;
    const answers = {
      publish: () => {
        if (isBroken) throw new Error("secret detail");
        return "done" as const;
      },
      exists: () => {
        throw new Error("secret detail");
      },
    };
    const { send, logs, reports } = createHarness({ answers });
    const response = await send("POST /api/hubs/chat/:send");
    const { status, header, body } = await errorOf(response);
    expect([status, header]).toEqual([500, "Error.InternalServerError"]);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect((await send("HEAD /api/hubs/chat/users/u")).status).toBe(500);
    expect(logs.map(({ level, event, fields }) => [level, event, fields["category"]])).toEqual([
      ["error", "RestOperationFailed", "SendToAll"],
      ["error", "RestOperationFailed", "CheckUserExists"],
    ]);
    expect(reports.map(({ statusCode }) => statusCode)).toEqual([500, 500]);
    isBroken = false;
    expect((await send("POST /api/hubs/chat/:send")).status).toBe(202);
  });

  test("a synchronous failure is a 500 as well", async () => {
    const rest = {
      access: () => {
        throw new Error("broken");
      },
    };
    const { send, logs } = createHarness({ rest });
    expect((await send("HEAD /api/hubs/chat/users/u")).status).toBe(500);
    expect(logs.length).toBe(1);
  });

  test("K-6 a cluster that cannot be reached is a 503", async () => {
    const down = () => "down" as const;
    const { send } = createHarness({
      answers: {
        publish: down,
        exists: down,
        changeMembership: down,
        changeMembershipWhere: down,
        permission: down,
        closeConnections: down,
        listMembers: down,
      },
    });
    const lines = [
      "POST :send",
      "HEAD users/u",
      "PUT users/u/groups/g",
      "DELETE users/u/groups",
      "DELETE permissions/1/connections/c?targetName=g",
      "DELETE connections/c",
      "POST :closeConnections",
      "GET groups/g/connections",
    ];
    for (const line of lines) {
      const response = await send(line.replace(" ", " /api/hubs/chat/"));
      expect([line, response.status, response.headers.get("x-ms-error-code")]).toEqual([
        line,
        503,
        "Error.ServiceStopped",
      ]);
    }
    const headers = { "content-type": "application/json" };
    expect((await send("POST /api/hubs/chat/:addToGroups", { headers, body: '{"groups":["g"]}' })).status).toBe(503);
  });
});

describe("reports", () => {
  test("M-51 a request is reported with its route template, method, redacted url, status and duration", async () => {
    const { send, reports } = createHarness();
    await send("PUT /api/hubs/Chat/users/u/groups/g?api-version=2024-12-01&access_token=secret&secret");
    const [report] = reports;
    expect(report).toMatchObject({
      category: "AddUserToGroup",
      routeTemplate: "/api/hubs/{hub}/users/{userId}/groups/{group}",
      httpMethod: "PUT",
      statusCode: 200,
      durationMs: 0,
      hub: "chat",
      callerAddress: "192.0.2.1",
    });
    expect(report?.url()).toBe("/api/hubs/Chat/users/u/groups/g?api-version=2024-12-01&access_token=REDACTED&REDACTED");
  });

  test("M-55 every operation is reported under its own category", async () => {
    const { send, reports } = createHarness();
    const lines = {
      SendToAll: "POST :send",
      SendToConnection: "POST connections/c/:send",
      SendToGroup: "POST groups/g/:send",
      SendToUser: "POST users/u/:send",
      GenerateClientToken: "POST :generateToken",
      AddConnectionsToGroups: "POST :addToGroups",
      RemoveConnectionsFromGroups: "POST :removeFromGroups",
      CloseAllConnections: "POST :closeConnections",
      CloseGroupConnections: "POST groups/g/:closeConnections",
      CloseUserConnections: "POST users/u/:closeConnections",
      CloseConnection: "DELETE connections/c",
      CheckConnectionExists: "HEAD connections/c",
      CheckGroupExists: "HEAD groups/g",
      CheckUserExists: "HEAD users/u",
      ListConnectionsInGroup: "GET groups/g/connections",
      AddConnectionToGroup: "PUT groups/g/connections/c",
      RemoveConnectionFromGroup: "DELETE groups/g/connections/c",
      RemoveConnectionFromAllGroups: "DELETE connections/c/groups",
      AddUserToGroup: "PUT users/u/groups/g",
      RemoveUserFromGroup: "DELETE users/u/groups/g",
      RemoveUserFromAllGroups: "DELETE users/u/groups",
      GrantPermission: "PUT permissions/sendToGroup/connections/c",
      RevokePermission: "DELETE permissions/sendToGroup/connections/c",
      CheckPermission: "HEAD permissions/sendToGroup/connections/c",
      Invoke: "POST :invoke",
    };
    for (const line of Object.values(lines)) await send(line.replace(" ", " /api/hubs/chat/"));
    expect(reports.map(({ category }) => String(category))).toEqual(Object.keys(lines));
  });
});
