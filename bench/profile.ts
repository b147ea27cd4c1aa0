// `npm run bench:profile -- P6 [--seconds 8]`: where the CPU time of the service goes in a scenario; see docs/benchmarks.md.
import { parseArgs } from "node:util";
import { allocationsOf } from "./profile/allocations.ts";
import { type Cost, costsOf } from "./profile/costs.ts";
import { recordProfile } from "./profile/record.ts";
import type { Scenario } from "./scenario.ts";
import { p1BigGroup } from "./scenarios/p1-big-group.bench.ts";
import { p3ReliableGroup } from "./scenarios/p3-reliable-group.bench.ts";
import { p5SmallGroups } from "./scenarios/p5-small-groups.bench.ts";
import { p6RestToUser } from "./scenarios/p6-rest-to-user.bench.ts";
import { p8EventEcho } from "./scenarios/p8-event-echo.bench.ts";
import { p9ConnectStorm } from "./scenarios/p9-connect-storm.bench.ts";

const scenarios: readonly Scenario[] = [
  p1BigGroup,
  p3ReliableGroup,
  p5SmallGroups,
  p6RestToUser,
  p8EventEcho,
  p9ConnectStorm,
];
const shownCosts = 25;
const shownTypes = 15;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string", default: "8" } },
  });
  const [id = ""] = positionals;
  const workload = scenarios.find((scenario) => scenario.id === id.toUpperCase())?.workload;
  const runMs = Number(values.seconds) * 1000;
  if (workload === undefined || !(runMs > 0)) {
    console.error(`one of ${scenarios.map((scenario) => scenario.id).join(", ")}, and --seconds above 0`);
    return 2;
  }
  const { microseconds, objects } = await allocationsOf(workload, runMs / 2);
  console.log(`${microseconds.toFixed(2)} µs of server CPU each, without the profiler`);
  const types = objects.slice(0, shownTypes).map(([type, each]) => `${type} ${each.toFixed(2)}`);
  console.log(`new objects each: ${types.join(", ")}`);
  const { profile, stretch } = await recordProfile(workload, runMs);
  const { self, inclusive } = costsOf(profile, stretch);
  print("self", self);
  print("inclusive", inclusive);
  return 0;
}

function print(title: string, costs: readonly Cost[]): void {
  console.log(`\n${title}`);
  for (const { part, name, place } of costs.slice(0, shownCosts)) {
    console.log(`${(part * 100).toFixed(1).padStart(5)} %  ${name.padEnd(28)} ${place}`.trimEnd());
  }
}

// An exit, unlike a signal, takes the server and the generator along.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.exit(await main());
