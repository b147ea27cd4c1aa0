/** What a client received, in order: group, `<sender> <number>`, and the sequence id. */
export type Receipt = readonly [group: string, text: string, sequenceId: number];

/** How far what was received is from what was sent. */
export interface Damage {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Messages whose sequence id was not the one after the last. */
  readonly misnumbered: number;
}

/**
 * Holds what one client received against how many messages each sender sent to each of its groups, by `<group> <sender>`:
 * 1 to n each, in this order (H-40). A message nobody sent throws.
 */
export function judge(receipts: readonly Receipt[], sent: ReadonlyMap<string, number>): Damage {
  const seen = new Map<string, Set<number>>();
  const largest = new Map<string, number>();
  let duplicated = 0;
  let reordered = 0;
  let misnumbered = 0;
  for (const [at, [group, text, sequenceId]] of receipts.entries()) {
    const [sender = "", digits] = text.split(" ");
    const stream = `${group} ${sender}`;
    const number = Number(digits);
    if (!(number >= 1 && number <= (sent.get(stream) ?? 0))) throw new Error(`nobody sent ${text} to ${group}`);
    if (sequenceId !== at + 1) misnumbered += 1;
    const numbers = seen.getOrInsertComputed(stream, () => new Set());
    const before = largest.get(stream) ?? 0;
    if (numbers.has(number)) duplicated += 1;
    else if (number < before) reordered += 1;
    numbers.add(number);
    largest.set(stream, Math.max(before, number));
  }
  let lost = 0;
  for (const [stream, count] of sent) lost += count - (seen.get(stream)?.size ?? 0);
  return { lost, duplicated, reordered, misnumbered };
}

export function sum(damages: readonly Damage[]): Damage {
  const total = { lost: 0, duplicated: 0, reordered: 0, misnumbered: 0 };
  for (const damage of damages) {
    for (const kind of ["lost", "duplicated", "reordered", "misnumbered"] as const) total[kind] += damage[kind];
  }
  return total;
}
