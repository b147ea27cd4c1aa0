import { compareLatency } from "../latency.ts";
import type { Workload } from "../load/job.ts";
import type { Effort, Outcome, Scenario } from "../scenario.ts";
import { startSides } from "../sides.ts";

const workload: Workload = { kind: "singleMessages", textLength: 200 };

/** P11: how long a message takes from publishing to receiving while nothing else goes on. */
export const p11IdleLatency: Scenario = { id: "P11", title: "idle hub, publish to receive, one at a time", measure };

async function measure(effort: Effort): Promise<readonly Outcome[]> {
  await using cleanup = new AsyncDisposableStack();
  const sides = await startSides(cleanup, { workload, baseline: "group-send" }, effort);
  const { p50, p99 } = await compareLatency(sides, effort);
  return [
    { unit: "ms, p50", targets: [{ of: "figure", atMost: 0.3 }], ...p50 },
    { unit: "ms, p99", targets: [{ of: "figure", atMost: 2 }], ...p99 },
  ];
}
