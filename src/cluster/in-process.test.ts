import { expect, test } from "bun:test";
import { named } from "../../tests/support/named.ts";
import { ServiceHarness } from "../../tests/support/service-harness.ts";
import { createInProcessBackplane } from "./in-process.ts";

test("K-5 a single node has nobody to tell, and nobody else owns a connection", async () => {
  const backplane = createInProcessBackplane();
  const command = { kind: "exists", hub: named.hub("h"), subject: { kind: "group", group: named.group("g") } } as const;
  expect(backplane.publish(new ServiceHarness().publication())).toBe("done");
  expect(await backplane.ask("othernod", command)).toEqual({ kind: "outcome", outcome: "unknown" });
  expect(await backplane.askAll(command)).toEqual([]);
});
