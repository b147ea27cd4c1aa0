import { type GrowthComparison, measureGrowth } from "../growth.ts";
import type { Scenario, Target } from "../scenario.ts";

const targets: readonly Target[] = [{ of: "figure", atMost: 1.25 }];

const deliveries: GrowthComparison = {
  metric: { unit: "dearest/cheapest delivery", targets },
  baseline: "group-outbox",
  sizes: [100, 1000, 10_000],
  of: "members",
  workload: (members) => ({ kind: "groupFanOut", members, inFlight: 50, textLength: 200, protocols: ["json"] }),
};

const memberships: GrowthComparison = {
  metric: { unit: "dearest/cheapest join or leave", targets },
  baseline: "membership",
  sizes: [1000, 100_000, 1_000_000],
  of: "groups",
  workload: (groups) => ({ kind: "memberships", groups }),
};

/** P12: whether a delivery, and a join or leave, cost the same however big everything is. */
export const p12Growth: Scenario = {
  id: "P12",
  title: "growth, 100 to 10,000 members, 1,000 to 1,000,000 groups",
  measure: async (effort) => [
    ...(await measureGrowth(deliveries, effort)),
    ...(await measureGrowth(memberships, effort)),
  ],
};
