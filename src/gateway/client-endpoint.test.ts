import { expect, test } from "bun:test";
import { FakeSink } from "../../tests/support/fakes/sink.ts";
import { type HarnessOptions, ServiceHarness } from "../../tests/support/service-harness.ts";
import { type Claims, signToken } from "../../tests/support/tokens.ts";
import { createAccessKeys } from "../auth/access-keys.ts";
import { createAudienceValidator } from "../auth/audience.ts";
import type { ConnectOutcome, UpgradeDecision } from "../core/ports.ts";
import { createIdSource } from "../server/ids.ts";
import { createClientEndpoint } from "./client-endpoint.ts";

const primary = "primary-key-0123456789abcdef0123456789abcdef";
const secondary = "secondary-key-0123456789abcdef0123456789ab";
const json = "json.webpubsub.azure.v1";

interface Handshake {
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isUpgrade?: boolean;
  /** Claims of a token in the query; null: none. */
  readonly token?: Claims | null;
  readonly key?: string;
}

function setUp(
  options: HarnessOptions & { readonly anonymous?: boolean; readonly allowedOrigins?: readonly string[] } = {},
) {
  const harness = new ServiceHarness(options);
  const { anonymous = false, allowedOrigins = [] } = options;
  const switches = { isTakingClients: true, throttledFor: 0 };
  const audience = createAudienceValidator({ publicEndpoints: [], pathBase: "", validateHost: true });
  const endpoint = createClientEndpoint({
    ...harness.executor,
    ids: createIdSource(harness.nodeId),
    reconnectionTokens: harness.tokens,
    telemetry: harness.telemetry,
    settings: () => ({
      tokenKeys: createAccessKeys({ primary, secondary }).all,
      audience,
      clockSkewSeconds: 300,
      hub: () => ({ anonymous, allowedOrigins }),
    }),
    acceptsClients: () => switches.isTakingClients,
    throttledForSeconds: () => switches.throttledFor,
  });
  const now = harness.clock.now() / 1000;
  const shake = (handshake: Handshake = {}): Promise<UpgradeDecision> => {
    const claims = { aud: "http://example.test/client/hubs/h", exp: now + 3600, ...handshake.token };
    const token =
      handshake.token === null ? "" : `access_token=${signToken(claims, { key: handshake.key ?? primary })}`;
    return endpoint.upgrade({
      path: handshake.path ?? "/client/hubs/h",
      query: [handshake.query ?? "", token].filter((part) => part !== "").join("&"),
      headers: new Headers(handshake.headers ?? {}),
      caller: {
        address: "127.0.0.1",
        scheme: "http",
        host: "example.test:80",
        audienceHosts: ["example.test"],
        certificate: null,
      },
      isUpgrade: handshake.isUpgrade ?? true,
      signal: new AbortController().signal,
    });
  };
  return { harness, shake, switches, now };
}

async function status(decision: Promise<UpgradeDecision>): Promise<number> {
  const decided = await decision;
  return decided.accept ? 101 : decided.status;
}

/** Opens the socket of an accepted handshake and returns its first frame. */
function open(
  harness: ServiceHarness,
  decision: UpgradeDecision,
): { readonly first: unknown; readonly sink: FakeSink } {
  if (!decision.accept) throw new Error(`refused with ${decision.status}`);
  const sink = new FakeSink();
  sink.events = decision.open(sink);
  harness.scheduler.settle();
  const [first] = sink.frames;
  return { first: first === undefined ? null : JSON.parse(String(first)), sink };
}

test("C-1 C-8 a token of either key opens a connection with its user and groups", async () => {
  const { harness, shake } = setUp();
  for (const key of [primary, secondary]) {
    const decision = await shake({
      key,
      token: { sub: "u", "webpubsub.group": ["a", "b"] },
      headers: { "sec-websocket-protocol": json },
    });
    expect(decision).toMatchObject({ accept: true, subprotocol: json });
    expect(open(harness, decision).first).toMatchObject({ type: "system", event: "connected", userId: "u" });
  }
  expect(harness.telemetry.opened.map(({ userId, subprotocol }) => [String(userId), subprotocol])).toEqual([
    ["u", json],
    ["u", json],
  ]);
  expect(harness.telemetry.handshakes).toEqual([101, 101]);
});

test("C-3 a bearer token is taken from the header", async () => {
  const { shake, now } = setUp();
  const token = signToken({ aud: "http://example.test/client/hubs/h", exp: now + 60 }, { key: primary });
  expect(await status(shake({ token: null, headers: { authorization: `bearer ${token}` } }))).toBe(101);
});

test("C-5 no token is refused, unless the hub takes anonymous clients", async () => {
  expect(await setUp().shake({ token: null })).toMatchObject({ accept: false, status: 401 });
  const { harness, shake } = setUp({ anonymous: true });
  open(harness, await shake({ token: null }));
  expect(harness.telemetry.opened).toMatchObject([{ userId: null }]);
});

test.each<[string, Handshake]>([
  ["a wrong key", { key: "another-key-0123456789abcdef0123456789abcdef" }],
  ["an audience of another hub", { token: { aud: "http://example.test/client/hubs/other" } }],
  ["an audience of another host", { token: { aud: "http://other.test/client/hubs/h" } }],
  ["no expiry", { token: { exp: undefined } }],
  ["a token that expired", { token: { exp: 1 } }],
])("C-6 %s is refused with 401, also by a hub for anonymous clients", async (_name, handshake) => {
  expect(await status(setUp().shake(handshake))).toBe(401);
  expect(await status(setUp({ anonymous: true }).shake(handshake))).toBe(401);
});

test("C-13 C-14 C-67 bad requests are refused before anybody is asked", async () => {
  const { harness, shake } = setUp({ limits: { maxConnections: 1 } });
  harness.upstream.onConnect = () => Promise.reject(new Error("not asked"));
  expect(await status(shake({ isUpgrade: false }))).toBe(400);
  expect(await status(shake({ path: "/client/hubs/1bad" }))).toBe(400);
  expect(await status(shake({ path: "/client/nothing" }))).toBe(404);
  const group = await shake({ token: { "webpubsub.group": ["a", " "] } });
  expect(group).toEqual({ accept: false, status: 400, body: "The token contains an invalid group name." });
  expect(await status(shake({ query: "webpubsub_mode=nope" }))).toBe(400);
  expect(harness.service.reserve()).toBe(true);
});

test("C-21 a single unsupported subprotocol is echoed, and the client is a simple one", async () => {
  const { harness, shake } = setUp();
  const decision = await shake({ headers: { "sec-websocket-protocol": "custom" } });
  expect(decision).toMatchObject({ accept: true, subprotocol: "custom" });
  expect(open(harness, decision).first).toBeNull();
  expect(harness.telemetry.opened).toMatchObject([{ subprotocol: "custom" }]);
});

test("C-16 a refusal of the connect handler goes to the client, and nothing else happened", async () => {
  const { harness, shake } = setUp({ limits: { maxConnections: 1 } });
  harness.upstream.onConnect = () => Promise.resolve({ kind: "refused", status: 403, body: "" });
  expect(await shake()).toEqual({ accept: false, status: 403, body: "" });
  expect([harness.upstream.notified, harness.service.reserve()]).toEqual([[], true]);
});

const accepted: Extract<ConnectOutcome, { kind: "accepted" }> = {
  kind: "accepted",
  userId: undefined,
  roles: undefined,
  groups: undefined,
  subprotocol: undefined,
};

test("C-18 E-38 the connect handler replaces what it mentions and nothing else", async () => {
  const { harness, shake } = setUp();
  const token = { sub: "u", role: ["webpubsub.sendToGroup"], "webpubsub.group": ["g"] };
  const headers = { "sec-websocket-protocol": json };
  const openWith = async (
    outcome: Partial<typeof accepted>,
  ): Promise<{ readonly user: string | null; readonly mayPublish: boolean; readonly members: number }> => {
    harness.upstream.onConnect = () => Promise.resolve({ ...accepted, ...outcome });
    const { sink } = open(harness, await shake({ token, headers }));
    const connection = harness.telemetry.opened.at(-1);
    sink.frames.length = 0;
    harness.connectFree().send({ type: "sendToGroup", group: "g", dataType: "text", data: "x" });
    harness.scheduler.settle();
    return { user: connection?.userId ?? null, mayPublish: outcome.roles === undefined, members: sink.frames.length };
  };
  expect(await openWith({})).toEqual({ user: "u", mayPublish: true, members: 1 });
  expect(await openWith({ userId: "x", roles: [], groups: [] })).toMatchObject({ user: "x", members: 0 });
  expect(await openWith({ userId: "" })).toMatchObject({ user: null, members: 1 });
});

test("C-22 E-41 a chosen subprotocol must be one that was offered", async () => {
  const { harness, shake } = setUp({ limits: { maxConnections: 1 } });
  harness.upstream.onConnect = () => Promise.resolve({ ...accepted, subprotocol: "custom", userId: "final" });
  expect(await status(shake({ headers: { "sec-websocket-protocol": json } }))).toBe(500);
  expect(harness.upstream.notified).toHaveLength(1);
  expect(harness.upstream.eventIds).toEqual([1]);
  expect(harness.upstream.sources).toMatchObject([{ userId: "final", subprotocol: null }]);
  const decision = await shake({ headers: { "sec-websocket-protocol": `${json}, custom` } });
  expect(decision).toMatchObject({ accept: true, subprotocol: "custom" });
  expect(open(harness, decision).first).toBeNull();
});

test("a client that is gone after the handler said yes is reported as disconnected, with event id 1", async () => {
  const { harness, shake } = setUp({ limits: { maxConnections: 1 } });
  harness.upstream.onConnect = () => Promise.resolve({ ...accepted, userId: "final" });
  const decision = await shake();
  if (decision.accept) decision.abandoned();
  expect(harness.upstream.notified).toHaveLength(1);
  expect(harness.upstream.notified[0]).toMatch(/^disconnected \S+: The connection was lost\.$/);
  expect([harness.upstream.eventIds, harness.service.reserve(), harness.service.connectionCount]).toEqual([
    [1],
    true,
    0,
  ]);
  expect(harness.upstream.sources).toMatchObject([{ userId: "final" }]);
});

test("M-44 a handshake takes a place while its handler thinks, and gives it back", async () => {
  const { harness, shake } = setUp({ limits: { maxConnections: 1 } });
  const gate = Promise.withResolvers<ConnectOutcome>();
  harness.upstream.onConnect = () => gate.promise;
  const first = shake();
  expect(await status(shake())).toBe(429);
  expect(harness.telemetry.logs.map(({ event, fields }) => [event, fields.message])).toEqual([
    ["ConnectionCountLimitReached", "Connection count reaches limit"],
  ]);
  gate.resolve({ kind: "refused", status: 401, body: "" });
  expect(await status(first)).toBe(401);
  harness.upstream.onConnect = null;
  expect(await status(shake())).toBe(101);
});

test("M-61 while the service drains nobody gets in, not even who was being asked about", async () => {
  const { harness, shake, switches } = setUp({ limits: { maxConnections: 1 } });
  const gate = Promise.withResolvers<ConnectOutcome>();
  harness.upstream.onConnect = () => gate.promise;
  const asked = shake();
  switches.isTakingClients = false;
  expect(await status(shake())).toBe(503);
  gate.resolve(accepted);
  expect(await status(asked)).toBe(503);
  expect(harness.upstream.notified).toHaveLength(1);
  expect(harness.upstream.notified[0]).toMatch(/^disconnected \S+: Service is restarting\.$/);
  expect(harness.service.reserve()).toBe(true);
});

test("while the message quota is used up clients are told when to come back", async () => {
  const { shake, switches } = setUp();
  switches.throttledFor = 77;
  expect(await shake()).toEqual({ accept: false, status: 429, body: "", headers: { "Retry-After": "77" } });
});

test("H-54 an origin outside the hub's list is refused, a client without one is not", async () => {
  const { shake } = setUp({ allowedOrigins: ["https://App.test"] });
  expect(await status(shake({ headers: { origin: "https://evil.test" } }))).toBe(403);
  expect(await status(shake({ headers: { origin: "null" } }))).toBe(403);
  expect(await status(shake({ headers: { origin: "https://app.test" } }))).toBe(101);
  expect(await status(shake())).toBe(101);
  expect(await status(setUp({ allowedOrigins: ["*"] }).shake({ headers: { origin: "https://evil.test" } }))).toBe(101);
});

test("H-55 a refused token is logged without the token", async () => {
  const { harness, shake } = setUp();
  await shake({ key: "another-key-0123456789abcdef0123456789abcdef" });
  await shake({ token: { aud: "http://example.test/client/hubs/other" } });
  expect(harness.telemetry.logs.map(({ event }) => event)).toEqual(["ClientTokenRefused", "AudienceRefused"]);
  expect(JSON.stringify(harness.telemetry.logs)).not.toContain("eyJ");
});

test("C-15 clients with the same and with very many roles get exactly theirs", async () => {
  const { harness, shake } = setUp();
  const headers = { "sec-websocket-protocol": json };
  const many = Array.from({ length: 900 }, (_, index) => `webpubsub.joinLeaveGroup.g${index}`);
  for (const role of ["webpubsub.joinLeaveGroup.a", "webpubsub.joinLeaveGroup.a", many, many, []]) {
    const decision = await shake({ token: { role }, headers });
    if (!decision.accept) throw new Error("refused");
    const sink = new FakeSink();
    const session = decision.open(sink);
    for (const [ackId, group] of ["a", "g899", "b"].entries())
      session.frame(JSON.stringify({ type: "joinGroup", group, ackId }));
    harness.scheduler.settle();
    const successes = sink.frames.slice(1).map((frame) => String(frame).includes('"success":true'));
    expect(successes).toEqual([typeof role === "string", role.length === 900, false]);
  }
});
