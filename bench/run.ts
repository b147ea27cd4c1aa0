// `npm run bench`: measures the scenarios of docs/spec/performance.md; see docs/benchmarks.md.
import { relative } from "node:path";
import { readOptions } from "./options.ts";
import { circumstances, type Row, rowOf, save, table } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { p1BigGroup } from "./scenarios/p1-big-group.bench.ts";
import { p2SingleMessage } from "./scenarios/p2-single-message.bench.ts";
import { p3ReliableGroup } from "./scenarios/p3-reliable-group.bench.ts";
import { p4MixedGroup } from "./scenarios/p4-mixed-group.bench.ts";
import { p5SmallGroups } from "./scenarios/p5-small-groups.bench.ts";
import { p6RestToUser } from "./scenarios/p6-rest-to-user.bench.ts";
import { p7RestBroadcast } from "./scenarios/p7-rest-broadcast.bench.ts";
import { p8EventEcho } from "./scenarios/p8-event-echo.bench.ts";
import { p9ConnectStorm } from "./scenarios/p9-connect-storm.bench.ts";
import { p10IdleMemory } from "./scenarios/p10-idle-memory.bench.ts";
import { p11IdleLatency } from "./scenarios/p11-idle-latency.bench.ts";
import { p12Growth } from "./scenarios/p12-growth.bench.ts";

const scenarios: readonly Scenario[] = [
  p1BigGroup,
  p2SingleMessage,
  p3ReliableGroup,
  p4MixedGroup,
  p5SmallGroups,
  p6RestToUser,
  p7RestBroadcast,
  p8EventEcho,
  p9ConnectStorm,
  p10IdleMemory,
  p11IdleLatency,
  p12Growth,
];

/** Exit code: 0 measured, whatever the verdicts; 1 a scenario could not be measured; 2 the command line is wrong. */
async function run(): Promise<number> {
  const options = readOptions(
    process.argv.slice(2),
    scenarios.map(({ id }) => id),
  );
  if (!options.ok) {
    console.error(`bench: ${options.problem}`);
    return 2;
  }
  if (process.platform !== "linux") {
    console.error("bench: CPU time and memory of the server are read from /proc, so this needs Linux");
    return 1;
  }
  const about = circumstances(options.isShort);
  const { cpu, cores, memoryGiB } = about.machine;
  const machine = `${cores} × ${cpu}, ${memoryGiB} GiB, load ${about.loadBefore.toFixed(1)} before`;
  console.log(`Bun ${about.bun}, commit ${about.commit ?? "unknown"}, ${machine}`);
  const rows: Row[] = [];
  let failures = 0;
  for (const scenario of scenarios) {
    if (options.only !== null && !options.only.includes(scenario.id)) continue;
    console.log(`${scenario.id} ${scenario.title} …`);
    try {
      const outcomes = await scenario.measure(options.effort);
      rows.push(...outcomes.map((outcome) => rowOf(scenario, outcome)));
    } catch (error) {
      failures += 1;
      console.error(`bench: ${scenario.id} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (rows.length > 0) console.log(`\n${table(rows)}\n\n${relative(process.cwd(), save(about, rows))}`);
  return failures === 0 ? 0 : 1;
}

// An exit, unlike a signal, takes the servers and generators along.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.exitCode = await run();
