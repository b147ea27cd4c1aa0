import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "groupFanOut", members: 1000, inFlight: 50, textLength: 200, protocols: ["json"] };
const metric: Metric = {
  unit: "deliveries/CPU-s",
  targets: [
    { of: "ratio", atLeast: 0.7 },
    { of: "figure", atLeast: 1_000_000 },
  ],
};

/** P1: a client publishes to a big group, 50 messages in flight. */
export const p1BigGroup: Scenario = {
  id: "P1",
  title: "big group, 1,000 members, 50 in flight",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "group-outbox" }, effort),
};
