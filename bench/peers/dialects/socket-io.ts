import { clientFrame } from "../../load/client.ts";
import { type Dialect, emptyTally, plainUpgrade, type Scanner } from "../load/dialect.ts";
import { code } from "./kind-scanner.ts";

const open = code("0");
const ping = code("2");
const message = code("4");
const connected = code("0");
const event = code("2");
const ack = code("3");

/**
 * Socket.IO 5 over Engine.IO 4, WebSocket from the first request on: `0{…}` greets, `40` connects to the namespace,
 * `42[…]` is an event, `43…` answers one that carried a number, `2` is a ping.
 */
export const socketIo: Dialect = {
  upgrade: ({ port }) => plainUpgrade(port, "/socket.io/?EIO=4&transport=websocket", null),
  greetings: ({ group }) => [
    { frame: null, answers: 1 },
    { frame: packet("40"), answers: 1 },
    ...(group === null ? [] : [{ frame: packet(`420${JSON.stringify(["join", group])}`), answers: 1 }]),
  ],
  scanner,
  publish: ({ group, text, id, isAcknowledged }) =>
    packet(`42${isAcknowledged ? id : ""}${JSON.stringify(["publish", group, text])}`),
  pong: packet("3"),
};

/** One packet per frame; its first two characters tell what it is. */
function scanner(): Scanner {
  const tally = emptyTally();
  let first = 0;
  let second = 0;
  let seen = 0;
  return {
    tally,
    payload(data, from, to) {
      for (let at = from; at < to && seen < 2; at++) {
        if (seen === 0) first = data[at] ?? 0;
        else second = data[at] ?? 0;
        seen += 1;
      }
    },
    messageEnded() {
      if (first === message && second === event) tally.deliveries += 1;
      else if (first === open || (first === message && (second === connected || second === ack))) tally.answers += 1;
      else if (first === ping) tally.pings += 1;
      else throw new Error(`a packet of an unknown type: ${String.fromCharCode(first, second)}`);
      seen = 0;
    },
  };
}

function packet(text: string): Buffer {
  return clientFrame(0x81, Buffer.from(text));
}
