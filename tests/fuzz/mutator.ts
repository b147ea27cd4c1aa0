import { SeededRandom } from "../support/seeded-random.ts";

/** Length of the longest input: no client can send more (C-62). */
const maxInputBytes = 2 ** 20;
/** What a blow-up stays below, all but one in `bigEvery`: a big input takes the time of thousands of small ones. */
const usualBytes = 4096;
const bigEvery = 500;

/** What inputs are made of. */
export interface Material {
  /** Not empty, at least one of them with a word. */
  readonly seeds: readonly Uint8Array[];
  /** Big seeds, each used once in a while; may be empty. */
  readonly bigSeeds: readonly Uint8Array[];
  /** Not empty. */
  readonly dictionary: readonly Uint8Array[];
  /** Whether the format is text; half of the inputs then have nothing but other words. */
  readonly isText: boolean;
}

/**
 * The `index`th input of a run: a seed after a few random edits. Nothing but its arguments decides what it is, so that a
 * finding is described by two numbers. At most 1 MiB long.
 */
export function inputAt(material: Material, seed: number, index: number): Uint8Array {
  const random = new SeededRandom(Math.imul(seed, 0x9e3779b1) + index);
  const isBig = material.bigSeeds.length > 0 && oneIn(random, bigEvery);
  let input = random.pick(isBig ? material.bigSeeds : material.seeds);
  const edits = material.isText && oneIn(random, 2) ? wordEdits : byteEdits;
  // One edit half of the time, two a quarter of it: an input with many is soon nothing but malformed.
  do input = random.pick(edits)(input, random, material);
  while (oneIn(random, 2));
  return input.subarray(0, maxInputBytes);
}

type Edit = (input: Uint8Array, random: SeededRandom, material: Material) => Uint8Array;

const flipBit: Edit = (input, random) => {
  const at = below(random, input.length);
  return replace(input, [at, at + 1], Uint8Array.of((input[at] ?? 0) ^ (1 << below(random, 8))));
};

const setByte: Edit = (input, random) => {
  const at = below(random, input.length);
  const interesting = [0x00, 0x01, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xff, below(random, 256)];
  return replace(input, [at, at + 1], Uint8Array.of(random.pick(interesting)));
};

const insertToken: Edit = (input, random, { dictionary }) => {
  const at = below(random, input.length + 1);
  return replace(input, [at, at], random.pick(dictionary));
};

const overwriteWithToken: Edit = (input, random, { dictionary }) =>
  replace(input, part(input, random), random.pick(dictionary));

/** Swaps a string or a word for another: text stays well-formed more often than not. */
const replaceWord: Edit = (input, random, { dictionary, seeds }) => {
  const word = randomWord(input, random);
  for (;;) {
    const other = random.pick(oneIn(random, 3) ? seeds : dictionary);
    const [from, to] = randomWord(other, random);
    if (from < to) return replace(input, word, other.subarray(from, to));
  }
};

const insertBehindWord: Edit = (input, random, { dictionary }) => {
  const [, end] = randomWord(input, random);
  return replace(input, [end, end], random.pick(dictionary));
};

function randomWord(input: Uint8Array, random: SeededRandom): readonly [number, number] {
  const text = Buffer.from(input.buffer, input.byteOffset, Math.min(input.length, usualBytes)).toString("latin1");
  const words = Array.from(text.matchAll(/"(?:[^"\\]|\\.)*"|[\w.+-]+|\{\}|\[\]/g));
  const { index, 0: word } = words[below(random, words.length)] ?? { index: 0, 0: "" };
  return [index, index + word.length];
}

const removePart: Edit = (input, random) => replace(input, part(input, random), new Uint8Array());

const truncate: Edit = (input, random) => input.subarray(0, below(random, input.length + 1));

const swapTail: Edit = (input, random, { seeds }) => {
  const other = random.pick(seeds);
  const from = below(random, other.length + 1);
  return replace(input, [below(random, input.length + 1), input.length], other.subarray(from));
};

const insertPartOfOther: Edit = (input, random, { seeds }) => {
  const other = random.pick(seeds);
  const [from, to] = part(other, random);
  const at = below(random, input.length + 1);
  return replace(input, [at, at], other.subarray(from, to));
};

/** Lengths are where decoders go wrong, and where one of them may take longer than it should. */
const repeatPart: Edit = (input, random) => {
  const [from, to] = part(input, random);
  const room = oneIn(random, bigEvery) ? maxInputBytes : usualBytes;
  const times = below(random, Math.floor(room / Math.max(1, to - from)) + 1);
  const repeated = new Uint8Array((to - from) * times);
  for (let at = 0; at < repeated.length; at += to - from) repeated.set(input.subarray(from, to), at);
  return replace(input, [from, to], repeated);
};

const wordEdits: readonly Edit[] = [replaceWord, replaceWord, replaceWord, replaceWord, replaceWord, insertBehindWord];
// Some of them twice: they get past a decoder's first look more often than bits do.
const byteEdits: readonly Edit[] = [
  flipBit,
  setByte,
  insertToken,
  insertToken,
  overwriteWithToken,
  overwriteWithToken,
  removePart,
  truncate,
  swapTail,
  insertPartOfOther,
  insertPartOfOther,
  repeatPart,
];

function replace(input: Uint8Array, [from, to]: readonly [number, number], by: Uint8Array): Uint8Array {
  const result = new Uint8Array(from + by.length + Math.max(0, input.length - to));
  result.set(input.subarray(0, from));
  result.set(by, from);
  result.set(input.subarray(to), from + by.length);
  return result;
}

/** Offsets of a random part, short ones more often than long ones. */
function part(input: Uint8Array, random: SeededRandom): readonly [number, number] {
  const from = below(random, input.length + 1);
  const longest = oneIn(random, 4) ? input.length : 16;
  return [from, Math.min(input.length, from + below(random, longest + 1))];
}

/** A whole number from 0; 0 if there is none below. */
function below(random: SeededRandom, bound: number): number {
  return Math.floor(random.next() * bound);
}

function oneIn(random: SeededRandom, count: number): boolean {
  return random.next() * count < 1;
}
