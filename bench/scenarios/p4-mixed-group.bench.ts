import { compareLatency } from "../latency.ts";
import type { Workload } from "../load/job.ts";
import type { Effort, Outcome, Scenario, Target } from "../scenario.ts";
import { type Comparison, startSides } from "../sides.ts";
import { compareThroughput } from "../throughput.ts";

const members = 1000;
const workload: Workload = {
  kind: "groupFanOut",
  members,
  inFlight: 50,
  textLength: 2048,
  protocols: ["json", "protobuf", "simple"],
};
const comparison: Comparison = { workload, baseline: "group-mixed" };
const throughputTargets: readonly Target[] = [{ of: "figure", atLeast: 250_000 }];
/** Parts of the maximum at which delays are measured, and what is demanded there. */
const paces: readonly { readonly percent: number; readonly targets: readonly Target[] }[] = [
  { percent: 25, targets: [] },
  { percent: 50, targets: [{ of: "figure", atMost: 100 }] },
  { percent: 75, targets: [] },
];

/** P4: a JSON client publishes 2 KB to a big group, a third of it JSON, protobuf and simple members each. */
export const p4MixedGroup: Scenario = {
  id: "P4",
  title: "big group, 1,000 members of three protocols, 2 KB",
  measure,
};

async function measure(effort: Effort): Promise<readonly Outcome[]> {
  await using cleanup = new AsyncDisposableStack();
  const sides = await startSides(cleanup, comparison, effort);
  const { measurement, perSecond } = await compareThroughput(sides, effort);
  const outcomes: Outcome[] = [{ unit: "deliveries/CPU-s", targets: throughputTargets, ...measurement }];
  for (const { percent, targets } of paces) {
    const pace = (perSecond / members) * (percent / 100);
    const { p99 } = await compareLatency(sides, effort, pace);
    const notes = [`${percent} % are ${Math.round(pace)} messages per second`, ...p99.notes];
    outcomes.push({ unit: `ms, p99 at ${percent} % of the maximum`, targets, ...p99, notes });
  }
  return outcomes;
}
