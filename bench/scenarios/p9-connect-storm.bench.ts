import type { Workload } from "../load/job.ts";
import type { Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "connectStorm", concurrent: 32 };

/** P9: clients connect with a token, get their first frame and leave. */
export const p9ConnectStorm: Scenario = {
  id: "P9",
  title: "connect storm with token check",
  unit: "connects/CPU-s",
  targets: [{ of: "figure", atLeast: 3000 }],
  measure: (effort) => measureThroughput({ workload, baseline: "accept" }, effort),
};
