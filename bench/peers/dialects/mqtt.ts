import { clientFrame } from "../../load/client.ts";
import { type Dialect, emptyTally, plainUpgrade, type Scanner, type Tally } from "../load/dialect.ts";

/** Packet types, the upper half of the first byte. */
const types = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;
const mostPacketIds = 65_535;

/**
 * MQTT 3.1.1 in binary frames, a stream that frames cut anywhere: clean session, no keep-alive, subscriptions of QoS 0.
 * Acknowledged: published with QoS 1.
 */
export const mqtt: Dialect = {
  upgrade: ({ port }) => plainUpgrade(port, "/mqtt", "mqtt"),
  greetings: ({ id, group }) => [
    { frame: packet(0x10, text("MQTT"), Buffer.from([4, 2, 0, 0]), text(`c${id}`)), answers: 1 },
    ...(group === null ? [] : [{ frame: packet(0x82, number(1), text(group), Buffer.from([0])), answers: 1 }]),
  ],
  scanner,
  publish: ({ group, text: content, id, isAcknowledged }) =>
    isAcknowledged
      ? packet(0x32, text(group), number((id % mostPacketIds) + 1), Buffer.from(content))
      : packet(0x30, text(group), Buffer.from(content)),
  pong: null,
};

function scanner(): Scanner {
  const tally = emptyTally();
  let type = 0;
  /** Where in a packet: its first byte, its length, or the rest. */
  let state: "type" | "length" | "rest" = "type";
  let rest = 0;
  let shift = 0;
  const restRead = (bytes: number): void => {
    rest -= bytes;
    if (rest > 0) return;
    tally[kindOf(type)] += 1;
    state = "type";
  };
  return {
    tally,
    payload(data, from, to) {
      let at = from;
      while (at < to) {
        if (state === "rest") {
          const step = Math.min(rest, to - at);
          at += step;
          restRead(step);
          continue;
        }
        const byte = data[at] ?? 0;
        at += 1;
        if (state === "type") {
          type = byte >> 4;
          state = "length";
          rest = 0;
          shift = 0;
          continue;
        }
        rest |= (byte & 127) << shift;
        shift += 7;
        if (byte >= 128) continue;
        state = "rest";
        restRead(0);
      }
    },
    messageEnded() {},
  };
}

function kindOf(type: number): keyof Tally {
  switch (type) {
    case types.publish:
      return "deliveries";
    case types.connack:
    case types.suback:
    case types.puback:
      return "answers";
    default:
      throw new Error(`an MQTT packet of type ${type}`);
  }
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  // Two bytes of length take 16,383: more than any packet here.
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return clientFrame(0x82, Buffer.concat([Buffer.from([first, ...size]), body]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
