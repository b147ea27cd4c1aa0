import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const bareWorkload = { kind: "restToUser", connections: 16, users: 0, textLength: 200 } as const satisfies Workload;
const workload: Workload = { ...bareWorkload, users: 100 };
const metric: Metric = {
  unit: "requests/CPU-s",
  targets: [
    { of: "figure", atLeast: 15_000 },
    { of: "ratio", atLeast: 0.4 },
  ],
};

/** P6: REST sends to users, a fresh token in each; delivered, beside an HTTP server that only reads and answers. */
export const p6RestToUser: Scenario = {
  id: "P6",
  title: "REST send to user, fresh token each",
  measure: (effort) => measureThroughput({ metric, workload, bareWorkload, baseline: "http-post" }, effort),
};
