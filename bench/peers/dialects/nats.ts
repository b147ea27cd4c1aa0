import { clientFrame } from "../../load/client.ts";
import { type Dialect, emptyTally, plainUpgrade, type Scanner } from "../load/dialect.ts";
import { code } from "./kind-scanner.ts";

/** The first two letters tell the server's verbs apart. */
const verbs = { message: "MS", ok: "+O", ping: "PI", pong: "PO", info: "IN" } as const;
const lineFeed = 10;
const space = code(" ");
const zero = code("0");
const nine = code("9");

/**
 * The NATS protocol in binary frames, a stream that frames cut anywhere. Acknowledged: a `verbose` connection, on which
 * the server says `+OK` to everything it has taken.
 */
export const nats: Dialect = {
  upgrade: ({ port }) => plainUpgrade(port, "/", null),
  greetings: ({ group, isAcknowledged }) => {
    const options = {
      verbose: isAcknowledged,
      pedantic: false,
      echo: true,
      headers: false,
      lang: "bench",
      version: "1",
    };
    const subscribe = group === null ? [] : [`SUB ${group} 1`];
    const oks = isAcknowledged ? 1 + subscribe.length : 0;
    return [{ frame: frame(`CONNECT ${JSON.stringify(options)}`, ...subscribe, "PING"), answers: oks + 1 }];
  },
  scanner,
  publish: ({ group, text }) => frame(`PUB ${group} ${Buffer.byteLength(text)}`, text),
  pong: frame("PONG"),
};

function scanner(): Scanner {
  const tally = emptyTally();
  /** Bytes of a message's content still to come, its line end among them. */
  let content = 0;
  /** Position in a line. */
  let column = 0;
  let verb = 0;
  /** Number behind the last space of a line: a message's size. */
  let size = 0;
  const lineEnded = (): void => {
    switch (verb) {
      case pair(verbs.message):
        content = size + 2;
        break;
      case pair(verbs.ok):
      case pair(verbs.pong):
        tally.answers += 1;
        break;
      case pair(verbs.ping):
        tally.pings += 1;
        break;
      case pair(verbs.info): // first of all, and whenever the server likes
        break;
      default:
        throw new Error("the server reported an error");
    }
    column = 0;
  };
  return {
    tally,
    payload(data, from, to) {
      let at = from;
      while (at < to) {
        if (content > 0) {
          const step = Math.min(content, to - at);
          content -= step;
          at += step;
          if (content === 0) tally.deliveries += 1;
          continue;
        }
        const byte = data[at] ?? 0;
        at += 1;
        column += 1;
        if (column === 1) verb = byte << 8;
        else if (column === 2) verb |= byte;
        else if (byte === space) size = 0;
        else if (byte >= zero && byte <= nine) size = size * 10 + byte - zero;
        else if (byte === lineFeed) lineEnded();
      }
    },
    messageEnded() {},
  };
}

function pair(letters: string): number {
  return (letters.charCodeAt(0) << 8) | letters.charCodeAt(1);
}

function frame(...lines: readonly string[]): Buffer {
  return clientFrame(0x82, Buffer.from(lines.map((line) => `${line}\r\n`).join("")));
}
