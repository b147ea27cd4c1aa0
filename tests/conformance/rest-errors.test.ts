import { afterAll, beforeAll, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { exchange, signedHead } from "../support/exchange.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectProblem } from "../support/rest-answers.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

test("R-37 an error is a top-level object, and its code also a header", async () => {
  const api = hubApi(server, freshName("hub"));
  const answers: readonly (readonly [number, HttpResponse])[] = [
    [400, await api("POST", "/:send?messageTtlSeconds=-1", { body: "x" })],
    [400, await api("GET", "/groups/g/connections?top=0")],
    [401, await api("POST", "/:send", { body: "x", token: "x.y.z" })],
    [404, await api("PUT", "/users/nobody/groups/g")],
    [404, await api("PUT", "/permissions/sendToGroup/connections/missing?targetName=g")],
  ];
  for (const [status, answer] of answers) {
    expect(answer.status).toBe(status);
    const { code, message, ...more } = answer.json as Record<string, string>;
    expect(code).toMatch(/^(?:Error|Info)(?:\.[A-Z][A-Za-z]+)+$/);
    expect(message).toMatch(/./);
    expect(["", "target"]).toContain(Object.keys(more).join());
    expect(answer.header("x-ms-error-code")).toBe(code ?? "");
    expect(answer.header("content-type")).toBe("application/json; charset=utf-8");
  }
});

test("R-37 the caller's request id comes back", async () => {
  const headers = { "x-ms-client-request-id": "7e0f9a4e-0000-4000-8000-000000000001" };
  const api = hubApi(server, freshName("hub"));
  for (const answer of [
    await api("POST", "/:send", { body: "x", headers }),
    await api("PUT", "/users/nobody/groups/g", { headers }),
  ]) {
    expect(answer.header("x-ms-client-request-id")).toBe(headers["x-ms-client-request-id"]);
  }
});

test("R-38 errors of HEAD requests have no body", async () => {
  const hub = freshName("hub");
  for (const [path, status] of [
    [`/api/hubs/${hub}/connections/missing`, 404],
    [`/api/hubs/${hub}/permissions/sendToGroup/connections/missing`, 400],
    [`/api/hubs/has-hyphen/users/u`, 400],
    [`/api/hubs/${hub}/users/u?api-version=no`, 400],
    [`/api/hubs/${hub}/unknown`, 404],
  ] as const) {
    const answer = await exchange(server, `${signedHead(server, "HEAD", path)}\r\n`);
    expect(answer).toStartWith(`HTTP/1.1 ${status} `);
    expect(answer.slice(answer.indexOf("\r\n\r\n"))).toBe("\r\n\r\n");
  }
});

test("R-39 adding an unknown connection to a group answers 404 in the documented words", async () => {
  const api = hubApi(server, freshName("hub"));
  for (const [segment, id] of [
    ["missing", "missing"],
    ["a%20b%22%60", 'a b"`'],
  ] as const) {
    expectProblem(await api("PUT", `/groups/g/connections/${segment}`), 404, {
      code: "Error.Connection.NotExisted",
      message: `Connection \`${id}\` is not found.`,
      target: "Connection",
    });
  }
});

test("R-40 the SDK surfaces that error with status and code", async () => {
  const sdk = new WebPubSubServiceClient(server.connectionString, freshName("hub"), { allowInsecureConnection: true });
  const error: unknown = await sdk
    .group("g")
    .addConnection("missing")
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    name: "RestError",
    statusCode: 404,
    code: "Error.Connection.NotExisted",
    message: expect.stringContaining("Connection `missing` is not found.") as unknown,
  });
});
