import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "restBroadcast", members: 1000, inFlight: 20, textLength: 200 };
const metric: Metric = { unit: "deliveries/CPU-s", targets: [{ of: "figure", atLeast: 1_000_000 }] };

/** P7: REST broadcasts to a hub of 1,000 clients, 20 requests in flight. */
export const p7RestBroadcast: Scenario = {
  id: "P7",
  title: "REST broadcast to 1,000, 20 in flight",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "http-broadcast" }, effort),
};
