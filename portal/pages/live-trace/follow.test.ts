import { expect, test } from "bun:test";
import type { TraceLine } from "../../api/live-trace.ts";
import { fits, follow } from "./follow.ts";

let lastId = 0;
const line = (event: string, context: TraceLine["context"]): TraceLine => {
  lastId += 1;
  return {
    id: lastId,
    time: "2026-01-02T03:04:05.678Z",
    event,
    level: "information",
    message: `${event} happened`,
    context,
  };
};

test("the lines of one message are put in order; its recipients stand apart", () => {
  const lines = [
    line("MessagePublished", { traceId: "a", elapsed: 0.2, recipients: 2 }),
    line("MessageReceived", { traceId: "a", elapsed: 0, connectionId: "c1" }),
    line("MessageReceived", { traceId: "b", elapsed: 0 }),
    line("MessageDelivered", {
      traceId: "a",
      connectionId: "c2",
      userId: "ann",
      stage: "written",
      queued: 0.3,
      elapsed: 0.4,
    }),
    line("MessageDelayed", { traceId: "a", connectionId: "c3", stage: "waiting", elapsed: 0.5 }),
    line("ConnectionStarted", {}),
  ];
  const followed = follow(lines, "a");
  expect(followed.steps.map(({ line: { event }, elapsed }) => [event, elapsed])).toEqual([
    ["MessageReceived", 0],
    ["MessagePublished", 0.2],
  ]);
  expect(followed.deliveries).toMatchObject([
    { connectionId: "c2", userId: "ann", stage: "written", queued: 0.3, elapsed: 0.4 },
    { connectionId: "c3", userId: null, stage: "waiting", queued: null, elapsed: 0.5 },
  ]);
  expect(followed.recipients).toBe(2);
  expect(follow(lines, "b").recipients).toBeNull();
});

test("a keyword is looked for in event, message and every column, in any case", () => {
  const one = line("GroupJoined", { hub: "Chat", statusCode: 204 });
  expect(["", "groupjoined", "HAPPENED", "chat", "204"].map((keyword) => fits(one, keyword))).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(fits(one, "room")).toBe(false);
});
