import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "connectStorm", concurrent: 32 };
const metric: Metric = { unit: "connects/CPU-s", targets: [{ of: "figure", atLeast: 3000 }] };

/** P9: clients connect with a token, get their first frame and leave. */
export const p9ConnectStorm: Scenario = {
  id: "P9",
  title: "connect storm with token check",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "accept", generators: 2 }, effort),
};
