// `npm run check [-- GATE…]`: every gate, two at a time, one line each. Exits 1 if any of them fails.
import { canaryGate, type Gate, gates, root } from "./gates.ts";
import { run, seconds } from "./run.ts";

const lanes = 2;
const longestLine = 400;

/** Runs one gate, prints its line, and its output where it failed. */
async function pass(gate: Gate): Promise<boolean> {
  const { exitCode, output, ms } = await run(gate.command(root), { cwd: root });
  const files = gate.files(output, root);
  const problem = exitCode !== 0 ? `exit code ${exitCode}` : files === 0 ? "it looked at no file" : null;
  console.log(
    `${gate.name.padEnd(9)} ${problem === null ? "ok    " : "FAILED"} ${seconds(ms).padStart(7)}  ${files} files`,
  );
  if (problem !== null) {
    const lines = (gate.brief?.(output) ?? output).split("\n").map((line) => line.slice(0, longestLine));
    console.log(`\n${lines.join("\n")}\n${gate.name}: ${problem}\n`);
  }
  return problem === null;
}

async function check(wanted: readonly string[]): Promise<number> {
  const all = [canaryGate, ...gates];
  const unknown = wanted.filter((name) => !all.some((gate) => gate.name === name));
  if (unknown.length > 0) {
    console.error(`no gate ${unknown.join(", ")}; there are ${all.map((gate) => gate.name).join(", ")}`);
    return 1;
  }
  const start = performance.now();
  const queue = wanted.length === 0 ? all : all.filter((gate) => wanted.includes(gate.name));
  const failed: string[] = [];
  const waiting = queue.values();
  const lane = async (): Promise<void> => {
    for (const gate of waiting) if (!(await pass(gate))) failed.push(gate.name);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const outcome = failed.length === 0 ? "ok" : `FAILED: ${failed.join(", ")}`;
  console.log(`${"check".padEnd(9)} ${outcome} (${seconds(performance.now() - start)})`);
  return failed.length === 0 ? 0 : 1;
}

process.exit(await check(process.argv.slice(2)));
