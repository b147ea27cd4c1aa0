import type { Workload } from "../load/job.ts";
import type { Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "groupFanOut", members: 1000, inFlight: 1, textLength: 200, isReliable: false };

/** P2: a client publishes to a big group, one message in flight. */
export const p2SingleMessage: Scenario = {
  id: "P2",
  title: "big group, 1,000 members, 1 in flight",
  unit: "deliveries/CPU-s",
  targets: [{ of: "ratio", atLeast: 0.85 }],
  measure: (effort) => measureThroughput({ workload, baseline: "group-send" }, effort),
};
