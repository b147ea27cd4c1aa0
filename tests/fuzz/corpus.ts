import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FuzzTarget } from "./target.ts";

/** Something to start from. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const folderOf = (target: FuzzTarget): string => join(import.meta.dirname, "corpus", target.corpusFolder);

/** The files of a target's corpus in the order of their names. */
export async function readCorpus(target: FuzzTarget): Promise<readonly Seed[]> {
  const files = (await readdir(folderOf(target))).filter((file) => file.endsWith(`.${target.extension}`));
  return await Promise.all(
    files.toSorted().map(async (name) => ({ name, bytes: await Bun.file(join(folderOf(target), name)).bytes() })),
  );
}

/** The seeds that are made rather than kept. */
export function generatedSeeds(target: FuzzTarget): readonly Seed[] {
  return Object.entries(target.generated).map(([name, make]) => ({ name, bytes: make() }));
}

/** Adds an input to the corpus, where the ordinary tests try it from now on; returns its path. */
export async function keepInput(target: FuzzTarget, bytes: Uint8Array): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 12);
  const path = join(folderOf(target), `found-${hash}.${target.extension}`);
  await writeFile(path, bytes);
  return path;
}
