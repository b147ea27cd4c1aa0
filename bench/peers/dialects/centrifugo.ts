import { textFrame } from "../../load/client.ts";
import { type Dialect, emptyTally, plainUpgrade, type Scanner } from "../load/dialect.ts";
import { code } from "./kind-scanner.ts";

const lineFeed = 10;
const push = code("p");
const reply = code("i");

/**
 * Centrifugo's JSON protocol: one message per line, several lines in a WebSocket message. `{"id":…` answers a command,
 * `{"push":…` is a delivery, `{}` a ping and its answer. Every publication is answered.
 */
export const centrifugo: Dialect = {
  upgrade: ({ port }) => plainUpgrade(port, "/connection/websocket", null),
  greetings: ({ group }) => [
    { frame: textFrame({ id: 1, connect: {} }), answers: 1 },
    ...(group === null ? [] : [{ frame: textFrame({ id: 2, subscribe: { channel: group } }), answers: 1 }]),
  ],
  scanner,
  publish: ({ group, text, id }) => textFrame({ id: id + 2, publish: { channel: group, data: text } }),
  pong: textFrame({}),
};

function scanner(): Scanner {
  const tally = emptyTally();
  /** Length of the current line so far, and its third byte, the first letter of its first name. */
  let length = 0;
  let letter = 0;
  const lineEnded = (): void => {
    if (length === 0) return;
    if (length <= 2) tally.pings += 1;
    else if (letter === push) tally.deliveries += 1;
    else if (letter === reply) tally.answers += 1;
    else throw new Error("a message of an unknown type");
    length = 0;
  };
  return {
    tally,
    payload(data, from, to) {
      const piece = data.subarray(from, to); // or the search for a line end would run through all that has come
      let at = 0;
      while (at < piece.length) {
        const found = piece.indexOf(lineFeed, at);
        const end = found < 0 ? piece.length : found;
        if (length <= 2 && length + end - at > 2) letter = piece[at + 2 - length] ?? 0;
        length += end - at;
        if (found >= 0) lineEnded();
        at = end + 1;
      }
    },
    messageEnded: lineEnded,
  };
}
