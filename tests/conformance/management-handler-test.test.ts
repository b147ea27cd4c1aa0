import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectJson } from "../support/clients.ts";
import { type Answer, type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { successAck, textEvent } from "../support/events.ts";
import { freePort } from "../support/free-port.ts";
import { adminJson, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { tempDir } from "../support/temp.ts";
import { openTunnel } from "../support/tunnel.ts";

interface Tested {
  readonly outcome: string;
  readonly message: string;
  readonly request: { readonly method: string; readonly url: string; readonly headers: Record<string, string> } | null;
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
  } | null;
  readonly durationMs: number;
}

const code = "the-code/of the handler";
const bearer = "token-of-the-handler-0123456789";

describe.skipIf(isForeign)("a test of an event handler", () => {
  let server: Server;
  let handler: EventHandler;
  let urlTemplate: string;
  const own = { systemEvents: ["connect"], auth: { type: "Bearer", token: bearer } };
  beforeAll(async () => {
    handler = await startEventHandler();
    const file = join(tempDir(), "code");
    writeFileSync(file, encodeURIComponent(code));
    urlTemplate = `${handler.url}/hooks/{hub}/{event}?code={@File(${file})}`;
    server = await startServer({
      // Without a public endpoint nothing is validated ahead, so that what arrives is of the test.
      service: adminSettings,
      upstream: { retryDelaysSeconds: [] },
      hubs: {
        Own: {
          eventHandlers: [
            { urlTemplate: "http://nobody.invalid/", ...own },
            { urlTemplate, ...own },
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  const ask = (hub: string, json: unknown) =>
    adminJson(server, { method: "POST", path: `/admin/hubs/${encodeURIComponent(hub)}/testEventHandler`, json });
  const tested = async (hub: string, json: unknown): Promise<Tested> => {
    const { status, body } = await ask(hub, json);
    expect([status, body]).toEqual([200, expect.objectContaining({ outcome: expect.any(String) as unknown })]);
    return body as Tested;
  };
  const given = (answer: Answer, path = "/hooks/{hub}/{event}") => {
    handler.answerValidation(answer);
    return { properties: { urlTemplate: `${handler.url}${path}` } };
  };
  const validation = () => handler.validations.take({ what: "a validation" });

  test("E-13 H-55 shows exactly what was asked and answered, secrets masked, and asks nothing else", async () => {
    const escaped = encodeURIComponent(code);
    handler.answerValidation({
      status: 201,
      headers: [
        ["webhook-allowed-origin", "other.example"],
        ["WebHook-Allowed-Origin", "127.0.0.1:8080"],
        ["X-Echo", `${bearer} ${escaped}`],
      ],
      body: `<b>é</b> ${bearer} ${code} ${escaped} ${server.primaryKey} ${adminSettings.adminListen.token}`,
    });
    const result = await tested("OWN", { index: 1 });
    const request = await validation();
    expect([request.method, request.url]).toEqual(["OPTIONS", `/hooks/own/validate?code=${escaped}`]);
    expect(Object.entries(result.request?.headers ?? {})).toEqual(
      request.headers.map(([name, value]) => [name, value]),
    );
    expect(result).toMatchObject({
      outcome: "allowed",
      message: "The handler answered 201 and takes events.",
      request: { method: "OPTIONS", url: `${handler.url}/hooks/own/validate?code=(secret)` },
      response: {
        status: 201,
        headers: { "webhook-allowed-origin": "other.example, 127.0.0.1:8080", "X-Echo": "(secret) (secret)" },
        body: "<b>é</b> (secret) (secret) (secret) (secret) (secret)",
      },
    });
    expect(result.request?.headers).toMatchObject({
      "WebHook-Request-Origin": "127.0.0.1",
      "ce-awpsversion": "1.0",
    });
    expect(JSON.stringify(result.request)).not.toMatch(/authorization/i);
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
    expect(handler.validations.untaken).toEqual([]);
    for (const secret of [bearer, escaped, code]) expect(server.output()).not.toContain(secret);
  });

  test.each([
    ["401", { status: 401, headers: [["WebHook-Allowed-Origin", "*"]], body: "who are you?" }, ["refused", 401]],
    ["500", { status: 500 }, ["refused", 500]],
    ["no header", { status: 200 }, ["refused", 200]],
    ["another origin", { headers: [["WebHook-Allowed-Origin", "other.example"]] }, ["refused", 200]],
    ["everybody", { headers: [["WebHook-Allowed-Origin", "*"]] }, ["allowed", 200]],
    ["not HTTP", { write: (_response, socket) => void socket.end("hello\r\n\r\n") }, ["invalidResponse", null]],
    ["nothing", { write: (_response, socket) => void socket.destroy() }, ["unreachable", null]],
  ] satisfies [string, Answer, [string, number | null]][])(
    "E-14 a handler that answers %s",
    async (_what, answer, [outcome, status]) => {
      const result = await tested(freshName("hub"), given(answer));
      await validation();
      expect(result.outcome).toBe(outcome);
      expect(result.message).toMatch(/^The handler .+\.$/);
      expect(result.response?.status ?? null).toBe(status);
    },
  );

  test("E-15 404 to OPTIONS lets GET decide, which is what is shown; a long body is cut", async () => {
    handler.answerValidation(({ method }) =>
      method === "OPTIONS" ? { status: 404 } : { status: 403, body: `${"é".repeat(1500)}` },
    );
    const result = await tested(freshName("hub"), { properties: { urlTemplate: `${handler.url}/x` } });
    expect([(await validation()).method, (await validation()).method]).toEqual(["OPTIONS", "GET"]);
    expect(result).toMatchObject({ outcome: "refused", request: { method: "GET" }, response: { status: 403 } });
    expect(result.response?.body).toBe("é".repeat(1024));
  });

  test("E-16 what it finds is never kept: neither a failure nor a success counts for events", async () => {
    const hub = freshName("hub");
    const path = `/admin/hubs/${hub}`;
    const denied = { status: 403 };
    const allowed = { headers: [["WebHook-Allowed-Origin", "*"]] } as const;
    handler.answerValidation(denied);
    const properties = { eventHandlers: [handler.settings({ systemEvents: [] })] };
    expect((await adminJson(server, { method: "PUT", path, json: { properties } })).status).toBe(201);
    expect((await tested(hub, { index: 0 })).outcome).toBe("refused");
    await validation();
    handler.answerValidation(allowed);
    const client = await connectJson(server, { hub });
    expect(await client.ask(textEvent("ev"))).toEqual(successAck);
    expect((await validation()).url).toBe(`/hooks/${hub}/validate`);
    // A success of a test does not spare events their own validation.
    const other = freshName("hub");
    expect((await tested(other, { properties: properties.eventHandlers[0] })).outcome).toBe("allowed");
    await validation();
    const otherPath = `/admin/hubs/${other}`;
    await adminJson(server, { method: "PUT", path: otherPath, json: { properties } });
    expect(await (await connectJson(server, { hub: other })).ask(textEvent("ev"))).toEqual(successAck);
    expect((await validation()).url).toBe(`/hooks/${other}/validate`);
  });

  test("nobody there, a name nobody has, and the time it took", async () => {
    const closed = await tested("h", { properties: { urlTemplate: `http://127.0.0.1:${await freePort()}/` } });
    expect(closed).toMatchObject({ outcome: "unreachable", response: null });
    expect(closed.message).toContain("ECONNREFUSED");
    expect(await tested("own", { index: 0 })).toMatchObject({ outcome: "unreachable", response: null });
  });

  test("H-53 addresses that are never called are not called for a test", async () => {
    const properties = { urlTemplate: "http://169.254.169.254/latest/meta-data" };
    expect(await tested("h", { properties })).toMatchObject({
      outcome: "blocked",
      message: "The handler did not answer: link-local, metadata and multicast addresses are never called.",
      response: null,
    });
  });

  test("M-19 the handler of all hubs is asked as one of the hub named default, and a name is escaped", async () => {
    handler.answerValidation({ status: 204 });
    const json = given({ status: 204 });
    await tested("*", json);
    expect((await validation()).url).toBe("/hooks/default/validate");
    await tested("a[1],`b", json);
    expect((await validation()).url).toBe(`/hooks/${encodeURIComponent("a[1],`b")}/validate`);
  });

  test("T-19 of a tunnel it says whether one is connected, and what becomes of events otherwise", async () => {
    const hub = freshName("hub");
    const properties = { urlTemplate: "tunnel:///eventhandler/{event}" };
    const absent = await tested(hub, { properties });
    expect(absent).toMatchObject({ outcome: "noTunnel", request: null, response: null });
    expect(absent.message).toBe(`No application is connected by tunnel for hub ${hub}, so events fail.`);
    handler.answerValidation({ headers: [["WebHook-Allowed-Origin", "*"]] });
    const instead = { properties: { ...properties, whenNoTunnel: `${handler.url}/instead` } };
    const elsewhere = await tested(hub, instead);
    await validation();
    expect(elsewhere).toMatchObject({ outcome: "allowed", request: { url: `${handler.url}/instead` } });
    expect(elsewhere.message).toContain("whenNoTunnel");
    await openTunnel(server, { hub });
    expect(await tested(hub, instead)).toMatchObject({ outcome: "tunnelConnected", request: null });
  });

  test("what is given is checked as a change of the hub is, and changes nothing", async () => {
    const before = await adminJson(server, { path: "/admin/hubs" });
    for (const [json, target] of [
      [{ properties: { urlTemplate: "nonsense" } }, "hubs.h.eventHandlers[0].urlTemplate"],
      [{ properties: {} }, "hubs.h.eventHandlers[0].urlTemplate"],
      [{ properties: "x" }, "hubs.h.eventHandlers[0]"],
      [{ properties: { urlTemplate: "http://a.example/", wrong: 1 } }, "hubs.h.eventHandlers[0].wrong"],
      [{ properties: { urlTemplate: "http://a.example/{@Env(PATH)}" } }, "hubs.h.eventHandlers[0]"],
      [{ properties: { urlTemplate: "http://a.example/{@File(/etc/hostname)}" } }, "hubs.h.eventHandlers[0]"],
    ] as const) {
      const answer = await ask("h", json);
      expect(answer).toMatchObject({ status: 400, body: { error: { details: [{ target }] } } });
    }
    for (const json of [undefined, {}, [], "x", { index: 0, properties: {} }, { index: 0, other: 1 }])
      expect(await ask("h", json)).toMatchObject({ status: 400, body: { error: { code: "BadRequest" } } });
    for (const index of [2, -1, 0.5, "0", null]) expect((await ask("own", { index })).status).toBe(404);
    expect((await ask("no-hub", { index: 0 })).status).toBe(400);
    expect((await adminJson(server, { path: "/admin/hubs/h/testEventHandler" })).status).toBe(405);
    expect(await adminJson(server, { path: "/admin/hubs" })).toEqual(before);
    expect(handler.validations.untaken).toEqual([]);
  });

  test("M-10 what was shown masked can be tested as it is, and goes nowhere else", async () => {
    const { body } = await adminJson(server, { path: "/admin/hubs/own" });
    const [, shown] = (body as { properties: { eventHandlers: Record<string, unknown>[] } }).properties.eventHandlers;
    handler.answerValidation({ headers: [["WebHook-Allowed-Origin", "*"]] });
    expect((await tested("own", { properties: { ...shown, userEventPattern: "x" } })).outcome).toBe("allowed");
    expect((await validation()).url).toContain(encodeURIComponent(code));
    const moved = { ...shown, urlTemplate: String(shown?.["urlTemplate"]).replace("/hooks/", "/elsewhere/") };
    expect((await ask("own", { properties: moved })).status).toBe(400);
  });
});

test("H-53 the target policy of the service holds for tests", async () => {
  const server = await startServer({
    service: { ...adminSettings, publicEndpoints: ["http://pubsub.example.com:8080"] },
    auth: { audience: { validateHost: false } },
    upstream: { targets: { allowLoopback: false, allowedHosts: ["localhost", "127.0.0.1"] } },
  });
  try {
    for (const [host, reason] of [
      ["127.0.0.1", "loopback addresses are not allowed"],
      ["localhost", "loopback addresses are not allowed"],
      ["a.example", "not in the list of allowed hosts"],
    ] as const) {
      const json = { properties: { urlTemplate: `http://${host}:${await freePort()}/` } };
      const { body } = await adminJson(server, { method: "POST", path: "/admin/hubs/h/testEventHandler", json });
      const headers = { "WebHook-Request-Origin": "pubsub.example.com" };
      expect(body).toMatchObject({ outcome: "blocked", request: { headers } });
      expect((body as Tested).message).toContain(reason);
    }
  } finally {
    await server.stop();
  }
});
