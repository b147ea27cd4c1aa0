// `npm run bench:peers`: scenarios of docs/spec/performance.md beside other servers; see peers/README.md.
import { relative } from "node:path";
import { peers } from "./peers/catalogue.ts";
import { readPeerOptions } from "./peers/options.ts";
import { peerScenarios } from "./peers/scenarios.ts";
import { type Contestant, measureAll } from "./peers/side-by-side.ts";
import { type Measured, peerTable } from "./peers/table.ts";
import { circumstances, saveAs } from "./report.ts";

/** Exit code: 0 measured; 1 a peer that is there could not be measured; 2 the command line is wrong. */
async function run(): Promise<number> {
  const options = readPeerOptions(process.argv.slice(2), {
    scenarios: peerScenarios.map(({ id }) => id),
    peers: peers.map(({ name }) => name),
  });
  if (!options.ok) {
    console.error(`bench:peers: ${options.problem}`);
    return 2;
  }
  if (process.platform !== "linux") {
    console.error("bench:peers: CPU time and memory of the servers are read from /proc, so this needs Linux");
    return 1;
  }
  const about = circumstances(options.isShort);
  const { cpu, cores, memoryGiB } = about.machine;
  console.log(`Bun ${about.bun}, commit ${about.commit ?? "unknown"}, ${cores} × ${cpu}, ${memoryGiB} GiB`);
  const contestants: Contestant[] = [];
  const missing: { readonly name: string; readonly problem: string }[] = [];
  for (const peer of peers.filter(({ name }) => options.peers.includes(name))) {
    const installed = await peer.install();
    if ("problem" in installed) missing.push({ name: peer.name, problem: installed.problem });
    else contestants.push({ peer, installed });
  }
  const measured: Measured[] = [];
  for (const scenario of peerScenarios.filter(({ id }) => options.scenarios.includes(id))) {
    console.log(`${scenario.id} ${scenario.title} …`);
    measured.push({ scenario, results: await measureAll(scenario, contestants, options.effort) });
  }
  const absent = missing.map(({ name, problem }) => `not measured: ${name}: ${problem}`);
  const file = saveAs(about, "-peers", {
    missing,
    versions: Object.fromEntries(contestants.map(({ peer, installed }) => [peer.name, installed.version])),
    scenarios: measured.map(({ scenario, results }) => ({ ...scenario, results: Object.fromEntries(results) })),
  });
  console.log(["", peerTable(contestants, measured), ...absent, "", relative(process.cwd(), file)].join("\n"));
  return measured.some(({ results }) => results.values().some((result) => "problem" in result)) ? 1 : 0;
}

// An exit, unlike a signal, takes the servers and generators along.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.exitCode = await run();
