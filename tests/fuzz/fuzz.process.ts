// `npm run fuzz -- [--seconds 60] [--seed N] [--only NAME]`: attacks every decoder, or one, with new inputs. What it finds
// goes into the corpus, and the exit code is 1.
import { parseArgs } from "node:util";
import { attack } from "./attack.ts";
import { keepInput } from "./corpus.ts";
import { requiredMs } from "./judge.ts";
import type { FuzzTarget } from "./target.ts";
import { fuzzTargets } from "./targets.ts";

async function fuzz(target: FuzzTarget, seed: number, ms: number): Promise<boolean> {
  const start = performance.now();
  const { tried, kinds, finding, input } = await attack(target, { seed, inputs: 2 ** 32, ms, maxMs: requiredMs });
  const took = ((performance.now() - start) / 1000).toFixed(1);
  const outcomes = Object.entries(kinds).toSorted(([, one], [, other]) => other - one);
  console.log(`${target.name}: seed ${seed}, ${tried} inputs in ${took} s`);
  console.log(`  ${outcomes.map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  if (finding === null || input === null) return true;
  console.log(`  input ${finding.index} ${finding.problem}\n  kept in ${await keepInput(target, input)}`);
  return false;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
  });
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  const targets = fuzzTargets.filter(({ name }) => values.only === undefined || values.only === name);
  if (!(seconds > 0) || !Number.isInteger(seed) || targets.length === 0) {
    const names = fuzzTargets.map(({ name }) => name).join("|");
    console.error(`npm run fuzz -- [--seconds 60] [--seed N] [--only ${names}]`);
    return 2;
  }
  const passed: boolean[] = [];
  for (const target of targets) passed.push(await fuzz(target, seed, (seconds * 1000) / targets.length));
  return passed.every(Boolean) ? 0 : 1;
}

process.exit(await main());
