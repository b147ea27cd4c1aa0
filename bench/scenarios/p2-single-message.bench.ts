import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "groupFanOut", members: 1000, inFlight: 1, textLength: 200, protocols: ["json"] };
const metric: Metric = { unit: "deliveries/CPU-s", targets: [{ of: "ratio", atLeast: 0.85 }] };

/** P2: a client publishes to a big group, one message in flight. */
export const p2SingleMessage: Scenario = {
  id: "P2",
  title: "big group, 1,000 members, 1 in flight",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "group-send" }, effort),
};
