import type { Workload } from "../load/job.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { measureThroughput } from "../throughput.ts";

const workload = {
  kind: "smallGroups",
  groups: 100,
  members: 10,
  textLength: 100,
  isDelivered: true,
} as const satisfies Workload;
const bareWorkload: Workload = { ...workload, isDelivered: false };
const metric: Metric = {
  unit: "inbound/CPU-s",
  targets: [
    { of: "figure", atLeast: 60_000 },
    { of: "ratio", atLeast: 0.5 },
  ],
};
/** A bare server outruns one. */
const generators = 2;
const besideDelivery: Metric = { unit: "inbound/CPU-s, bare delivers too", targets: [] };

/**
 * P5: the members of small groups publish with ack ids; each message is acked and delivered to ten. The baseline of the
 * target parses and acks only; a second one delivers as well, which tells what of the difference is ours.
 */
export const p5SmallGroups: Scenario = {
  id: "P5",
  title: "small groups, 100 of 10 members, acked messages",
  measure: async (effort) => [
    ...(await measureThroughput({ metric, workload, bareWorkload, baseline: "ack", generators }, effort)),
    ...(await measureThroughput({ metric: besideDelivery, workload, baseline: "ack-and-deliver", generators }, effort)),
  ],
};
