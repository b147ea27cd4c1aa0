import { measureIdleMemory } from "../memory.ts";
import type { Scenario } from "../scenario.ts";

/** P10: memory of idle JSON clients with a user id and one group. */
export const p10IdleMemory: Scenario = {
  id: "P10",
  title: "idle memory, 15,000 JSON clients",
  measure: async (effort) => [
    {
      unit: "KB/connection",
      targets: [{ of: "figure", atMost: 5 }],
      ...(await measureIdleMemory(15_000, "accept", effort)),
    },
  ],
};
