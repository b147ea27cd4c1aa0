import { expect, test } from "bun:test";
import { answersArrive, ServiceHarness, type TestClient } from "../../tests/support/service-harness.ts";
import type { UserEventOutcome } from "./ports.ts";

const anyText: unknown = expect.any(String);
const invoke = (invocationId: string, more: object = {}): object => ({
  type: "invoke",
  invocationId,
  target: "event",
  event: "calc",
  dataType: "json",
  data: { x: 2 },
  ...more,
});
const failed = (invocationId: string, name: string): object => ({
  type: "invokeResponse",
  invocationId,
  success: false,
  error: { name, message: anyText },
});
const replied = (source: string): UserEventOutcome => ({
  kind: "handled",
  reply: { payload: { kind: "json", source }, metadata: null },
});

function connected(options: ConstructorParameters<typeof ServiceHarness>[0] = {}): {
  readonly harness: ServiceHarness;
  readonly client: TestClient;
} {
  const harness = new ServiceHarness(options);
  return { harness, client: harness.connect() };
}

test("C-95 the handler's reply is the response, and later requests do not wait for it", async () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  expect(client.request({ type: "ping" })).toEqual([{ type: "pong" }]);
  const [pending] = harness.upstream.pending;
  expect(pending?.event).toMatchObject({ event: "calc", payload: { kind: "json", source: '{"x":2}' } });
  pending?.answer(replied("4"));
  await answersArrive();
  expect(client.received()).toEqual([
    { type: "invokeResponse", invocationId: "1", success: true, dataType: "json", data: 4 },
  ]);
});

test("C-95 a handler with nothing to say", async () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  harness.upstream.pending[0]?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect(client.received()).toEqual([{ type: "invokeResponse", invocationId: "1", success: true }]);
});

test.each([
  ["failed", "InternalServerError"],
  ["unhandled", "NotFound"],
] as const)("C-95 a handler that is %s", async (kind, name) => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  harness.upstream.pending[0]?.answer({ kind });
  await answersArrive();
  expect([client.received(), client.connection.isOpen]).toEqual([[failed("1", name)], true]);
});

test("C-95 an id that is pending, one too many, and a malformed one are refused", () => {
  const { client } = connected({ limits: { pendingInvocations: 1 } });
  client.send(invoke("1"));
  expect(client.request(invoke("1"))).toEqual([failed("1", "Duplicate")]);
  expect(client.request(invoke("2"))).toEqual([failed("2", "BadRequest")]);
  expect(client.request(invoke("1", { target: "group" }))).toEqual([failed("1", "BadRequest")]);
});

test("C-95 a cancelled invocation is called off and answers nothing; its id is free again", async () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  const [first] = harness.upstream.pending;
  client.send({ type: "cancelInvocation", invocationId: "1" });
  client.send({ type: "cancelInvocation", invocationId: "unknown" });
  expect(first?.signal.aborted).toBe(true);
  client.send(invoke("1"));
  first?.answer(replied('"late"'));
  harness.upstream.pending[1]?.answer(replied('"new"'));
  await answersArrive();
  expect(client.received()).toMatchObject([{ invocationId: "1", data: "new" }]);
});

test("C-95 an invocation that still waits behind an event can be cancelled", async () => {
  const { harness, client } = connected();
  client.send({ type: "event", event: "slow", data: 1 });
  client.send(invoke("1"));
  client.send({ type: "cancelInvocation", invocationId: "1" });
  harness.upstream.pending[0]?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect([harness.upstream.pending.length, client.received()]).toEqual([1, []]);
});

test("C-95 what is pending when the connection ends is called off", () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  client.sink.abort();
  expect(harness.upstream.pending[0]?.signal.aborted).toBe(true);
});

test("C-95 invocations that wait are bounded by the length of their data as well", async () => {
  const { harness, client } = connected({ limits: { inboundQueue: { messages: 1000, bytes: 10 } } });
  const small = { dataType: "text", data: "123456" };
  client.send(invoke("1", small));
  expect(client.request(invoke("2", small))).toEqual([failed("2", "BadRequest")]);
  harness.upstream.pending[0]?.answer({ kind: "handled", reply: null });
  await answersArrive();
  client.received();
  expect(client.request(invoke("2", small))).toEqual([]);
  client.send({ type: "cancelInvocation", invocationId: "2" });
  expect(client.request(invoke("3", small))).toEqual([]);
});

test("C-95 a reply of metadata alone has no data type", async () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  const reply = { payload: { kind: "text", text: "" }, metadata: [["k", "v"]] } as const;
  harness.upstream.pending[0]?.answer({ kind: "handled", reply });
  await answersArrive();
  expect(client.received()).toEqual([{ type: "invokeResponse", invocationId: "1", success: true }]);
});

test("C-95 an id that is pending and waiting again is cancelled as both", async () => {
  const { harness, client } = connected();
  client.send(invoke("1"));
  client.send({ type: "event", event: "slow", data: 1 });
  client.send(invoke("1"));
  client.send({ type: "cancelInvocation", invocationId: "1" });
  expect(harness.upstream.pending[0]?.signal.aborted).toBe(true);
  harness.upstream.pending[1]?.answer({ kind: "handled", reply: null });
  await answersArrive();
  expect([harness.upstream.pending.length, client.received()]).toEqual([2, []]);
});
