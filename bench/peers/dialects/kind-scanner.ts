import { emptyTally, type Scanner, type Tally } from "../load/dialect.ts";

/** What a message is. */
export type Kind = keyof Tally;

/** Which byte of a message tells its kind, and what it says. */
export interface KindByte {
  readonly offset: number;
  /** Throws on what nobody asked for. A message too short to have the byte shows 0. */
  readonly kindOf: (byte: number) => Kind;
}

/** Scanner of a protocol that puts one message into each WebSocket message. */
export function scanKinds({ offset, kindOf }: KindByte): Scanner {
  const tally = emptyTally();
  let seen = 0;
  let byte = 0;
  return {
    tally,
    payload(data, from, to) {
      if (seen <= offset && offset < seen + to - from) byte = data[from + offset - seen] ?? 0;
      seen += to - from;
    },
    messageEnded() {
      tally[kindOf(byte)] += 1;
      seen = 0;
      byte = 0;
    },
  };
}

/** Code of a one-character string. */
export function code(character: string): number {
  return character.charCodeAt(0);
}
