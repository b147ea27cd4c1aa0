import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import type { ConnectionFacts, DeliveryStep } from "../core/ports.ts";
import type { Publication } from "../core/publication.ts";
import { createMessageLines, type PathSink } from "./message-lines.ts";
import type { ResourceRecord } from "./resource-logs.ts";

function setUp({ isWatched = true } = {}) {
  let now = 1000;
  const [records, paths]: [ResourceRecord[], ResourceRecord[]] = [[], []];
  const asked: boolean[] = [];
  let leftOut = 0;
  const sink: PathSink = {
    wants: () => isWatched,
    write: (record) => void paths.push(record),
    follow(_to, isBeyond) {
      asked.push(isBeyond);
      if (isBeyond) return null;
      return { write: (record) => void paths.push(record), leftOut: () => void (leftOut += 1) };
    },
    capturesBodies: false,
  };
  const lines = createMessageLines({
    records: { wants: () => true, write: (record) => void records.push(record) },
    paths: sink,
    now: () => now,
  });
  const elapse = (ms: number) => {
    now += ms;
  };
  return { lines, records, paths, asked, elapse, leftOut: () => leftOut };
}

const facts = (id: string): ConnectionFacts => ({
  hub: named.hub("chat"),
  id: named.connection(id),
  userId: named.user("ann"),
  subprotocol: null,
  callerAddress: "192.0.2.7",
});

const publication: Publication = {
  hub: named.hub("chat"),
  target: { kind: "hub" },
  payload: { kind: "text", text: "the payload" },
  metadata: null,
  from: { kind: "server" },
  excluded: null,
  filter: null,
  stream: null,
  expiresAt: null,
  trace: { id: "t1", receivedAt: 1000 },
};

const step = (fields: Partial<DeliveryStep>): DeliveryStep => ({
  stage: "written",
  queuedAt: 1001.2345678,
  queueLength: 0,
  bufferedBytes: 0,
  sequenceId: null,
  ...fields,
});

test("the first 100 recipients of a message are followed without being asked for", () => {
  const { lines, asked, records } = setUp();
  const recipients = Array.from({ length: 150 }, (_unused, index) => facts(`c${index}`));
  expect(lines.published(publication, recipients).map(({ recipient }) => recipient.id)).toEqual(
    recipients.slice(0, 100).map(({ id }) => id),
  );
  expect(asked).toEqual(recipients.map((_recipient, index) => index >= 100));
  expect(records).toHaveLength(1);
  expect(records[0]?.properties).toMatchObject({ recipients: 150, traceId: "t1", elapsed: 0 });
});

test.each([
  [step({}), "MessageDelivered", { stage: "written" }, "The message was written to the socket."],
  [
    step({ bufferedBytes: 7, sequenceId: 3 }),
    "MessageDelivered",
    { stage: "written", bufferedBytes: 7, sequenceId: 3 },
    "The message was written to the socket, which still has to send 7 bytes.",
  ],
  [
    step({ stage: "waiting", queueLength: 2 }),
    "MessageDelayed",
    { stage: "waiting", queueLength: 2 },
    "The message waits: the socket is full, and 2 messages are in the queue.",
  ],
  [
    step({ stage: "kept" }),
    "MessageDelayed",
    { stage: "kept" },
    "The message is kept: the client is away, and gets it when it comes back.",
  ],
  [step({ stage: "expired" }), "MessageLost", { stage: "expired" }, "The message expired while it waited."],
  [step({ stage: "lost" }), "MessageLost", { stage: "lost" }, "The connection ended before the message was written."],
  [
    step({ stage: "refused" }),
    "MessageLost",
    { stage: "refused" },
    "The queue of the connection is full, and the connection ends.",
  ],
])("the step %p is a line", (told, operationName, ...[properties, message]) => {
  const { lines, paths, elapse, leftOut } = setUp();
  const [followed] = lines.published(publication, [facts("c1")]);
  elapse(12.3456789);
  followed?.told(told);
  expect(paths).toEqual([
    {
      category: "MessagingLogs",
      operationName,
      level: operationName === "MessageDelivered" || told.stage === "kept" ? "Informational" : "Warning",
      callerIpAddress: "192.0.2.7",
      properties: {
        message,
        hub: "chat",
        connectionId: "c1",
        userId: "ann",
        traceId: "t1",
        queued: 1.235,
        elapsed: 12.346,
        ...properties,
      },
    },
  ]);
  followed?.leftOut();
  expect(leftOut()).toBe(1);
});

test("what the resource log alone wants is the publication, and no path", () => {
  const { lines, records, paths, asked } = setUp({ isWatched: false });
  const trace = lines.arrived();
  expect(trace.id).toMatch(/^[0-9a-f]{32}$/);
  lines.received(trace, { from: facts("c1"), kind: "sendToGroup", name: "g", size: 1 });
  expect(lines.published(publication, [facts("c1")])).toEqual([]);
  expect(lines.answered(trace, facts("c1"))).toBeNull();
  expect([records.length, paths.length, asked.length]).toEqual([1, 0, 0]);
});

test.each([
  ["sendToAll", null, "REST sent a message to the whole hub (length 9)."],
  ["sendToGroup", "g", "REST sent a message to group 'g' (length 9)."],
  ["sendToUser", "u", "REST sent a message to user 'u' (length 9)."],
  ["sendToConnection", "c", "REST sent a message to connection 'c' (length 9)."],
  ["event", "e", "REST sent the event 'e' (length 9)."],
  ["invoke", "e", "REST sent an invocation of 'e' (length 9)."],
  ["stream", "s", "REST sent a part of stream 's' (length 9)."],
] as const)("the receipt of %s", (kind, name, message) => {
  const { lines, paths } = setUp();
  const from = { id: null, hub: "chat", callerAddress: "192.0.2.7" };
  lines.received({ id: "t1", receivedAt: 1000 }, { from, kind, name, size: 9 });
  expect(paths).toEqual([
    {
      category: "MessagingLogs",
      operationName: "MessageReceived",
      level: "Informational",
      callerIpAddress: "192.0.2.7",
      properties: { message, hub: "chat", kind, size: 9, traceId: "t1", elapsed: 0 },
    },
  ]);
});
