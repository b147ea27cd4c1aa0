import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload: Workload = { kind: "events", clients: 50, textLength: 200 };
const metric: Metric = { unit: "events/CPU-s", targets: [{ of: "figure", atLeast: 8000 }] };

/** P8: clients send events to an event handler, which answers with the same text. */
export const p8EventEcho: Scenario = {
  id: "P8",
  title: "echo through an event handler, 50 in flight",
  measure: (effort) => measureThroughput({ metric, workload, baseline: "event-round-trip", hasHandler: true }, effort),
};
