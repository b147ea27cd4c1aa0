import { expect, test } from "bun:test";
import { attack } from "./attack.ts";
import { generatedSeeds, readCorpus } from "./corpus.ts";
import { judge, patientMs } from "./judge.ts";
import { fuzzTargets } from "./targets.ts";

/** The same inputs in every run; `npm run fuzz` tries others. */
const seed = 1;
const inputs = 20_000;

for (const target of fuzzTargets) {
  test(`H-13 ${target.name}: every input of the corpus is taken or refused`, async () => {
    const corpus = [...(await readCorpus(target)), ...generatedSeeds(target)];
    const found = corpus.map(({ name, bytes }) => [name, judge(target, bytes, patientMs).problem]);
    expect(found.filter(([, problem]) => problem !== null)).toEqual([]);
    expect(corpus.length).toBeGreaterThan(20);
  });

  test(`H-13 ${target.name}: ${inputs} inputs around the corpus are taken or refused`, async () => {
    const options = { seed, inputs, ms: Number.POSITIVE_INFINITY, maxMs: patientMs };
    const { tried, kinds, finding, input } = await attack(target, options);
    const base64 = input === null ? "" : input.subarray(0, 1000).toBase64();
    expect({ finding, base64 }, `${target.name}, seed ${seed}`).toEqual({ finding: null, base64: "" });
    expect(tried).toBe(inputs);
    // Inputs that never got past the first byte would find nothing behind it.
    for (const kind of target.kinds) expect([kind, (kinds[kind] ?? 0) > 0]).toEqual([kind, true]);
  });
}
