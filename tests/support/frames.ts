import { randomBytes } from "node:crypto";

/** Frame types of RFC 6455 by number. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface OutgoingFrame {
  /** One of `opcodes`, or a number the protocol does not have. */
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly fin?: boolean;
  /** Reserved bits RSV1..RSV3 as a number 0..7. */
  readonly rsv?: number;
  /** Default true, as clients must. */
  readonly masked?: boolean;
  /** Length written into the header instead of the payload's own. */
  readonly declaredLength?: number | bigint;
  /** Bytes of the length field; default: the fewest that hold it. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** Encodes one frame exactly as described, valid or not. */
export function encodeFrame(frame: OutgoingFrame): Buffer {
  const payload = Buffer.from(typeof frame.payload === "string" ? Buffer.from(frame.payload) : (frame.payload ?? []));
  const masked = frame.masked ?? true;
  const length = BigInt(frame.declaredLength ?? payload.length);
  const lengthBytes = frame.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode;
  head[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([head, payload]);
  const key = randomBytes(4);
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0);
  return Buffer.concat([head, key, payload]);
}

/** Payload of a close frame; without a code it is empty. */
export function closePayload(code?: number, reason = ""): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code, 0);
  return payload;
}

export interface IncomingFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Buffer;
}

/** Cuts the server's byte stream into frames; throws on what a server must not send (masks, reserved bits, long lengths). */
export class FrameReader {
  #bytes = Buffer.alloc(0);

  push(chunk: Uint8Array): readonly IncomingFrame[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: IncomingFrame[] = [];
    for (;;) {
      const frame = this.#next();
      if (frame === null) return frames;
      frames.push(frame);
    }
  }

  #next(): IncomingFrame | null {
    const bytes = this.#bytes;
    const [first, second] = bytes;
    if (first === undefined || second === undefined) return null;
    if ((first & 0x70) !== 0) throw new Error("the server set a reserved bit");
    if ((second & 0x80) !== 0) throw new Error("the server masked a frame");
    const short = second & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return null;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if ((start === 4 && length < 126) || (start === 10 && length < 65_536))
      throw new Error("the server wasted length bytes");
    if (bytes.length < start + length) return null;
    this.#bytes = bytes.subarray(start + length);
    return {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      payload: Buffer.from(bytes.subarray(start, start + length)),
    };
  }
}
