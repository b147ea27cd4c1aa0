import { expect, test } from "bun:test";
import { runRecoverySoak } from "./recovery-soak.ts";

// The long form is `npm run soak:recovery`.
test("H-40 SDK clients on connections that break all the time receive everything once and in order", async () => {
  const { damage, connectionsLost, delivered, reconnects, faults } = await runRecoverySoak({
    clients: 20,
    seconds: 10,
    seed: 40,
  });
  expect(damage).toEqual({ lost: 0, duplicated: 0, reordered: 0, misnumbered: 0 });
  expect(connectionsLost).toBe(0);
  // It was put to the test.
  expect(delivered).toBeGreaterThan(1000);
  expect(reconnects).toBeGreaterThan(10);
  for (const fault of ["fin", "rst", "blackHole", "takeOver"] as const)
    expect([fault, faults[fault] > 0]).toEqual([fault, true]);
});
