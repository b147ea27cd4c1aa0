import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = {
  kind: "groupFanOut",
  members: 1000,
  inFlight: 50,
  textLength: 200,
  protocols: ["reliable"],
};
const metric: Metric = { unit: "deliveries/CPU-s", targets: [{ of: "figure", atLeast: 500_000 }] };

/** P3: as P1, but the members are reliable and confirm what they receive. */
export const p3ReliableGroup: Scenario = {
  id: "P3",
  title: "big group, 1,000 reliable members, 50 in flight",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "group-numbered" }, effort),
};
