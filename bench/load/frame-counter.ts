/**
 * Counts complete WebSocket frames in a byte stream from a server, however it is cut into chunks. Payloads are skipped
 * unseen: looking at them would make the generator slower than the server.
 */
export class FrameCounter {
  #rest = 0;
  #isPing = false;
  #isShort = false;
  #header: Buffer | null = null;
  #pings = 0;
  #shorts = 0;

  /** Pings so far; each wants an answer. */
  get pings(): number {
    return this.#pings;
  }

  /** Data frames so far with less than 126 bytes: acks, where messages are longer. */
  get shorts(): number {
    return this.#shorts;
  }

  /** Number of data frames that ended in this chunk. Throws on a close frame: nobody asked for one. */
  push(chunk: Buffer): number {
    const data = this.#header === null ? chunk : Buffer.concat([this.#header, chunk]);
    this.#header = null;
    const { length } = data;
    let at = this.#rest;
    let count = 0;
    if (at > 0 && at <= length) count += this.#ended();
    while (at < length) {
      const end = frameEnd(data, at);
      if (end === null) {
        this.#header = Buffer.from(data.subarray(at)); // the runtime may use the chunk again
        at = length;
        break;
      }
      this.#isPing = isPing(data[at] ?? 0);
      this.#isShort = (data[at + 1] ?? 0) < 126;
      at = end;
      if (at <= length) count += this.#ended();
    }
    this.#rest = at - length;
    return count;
  }

  #ended(): number {
    if (this.#isPing) {
      this.#pings += 1;
      return 0;
    }
    if (this.#isShort) this.#shorts += 1;
    return 1;
  }
}

const closeOpcode = 8;
const pingOpcode = 9;

/** Whether a frame that starts with this byte is a ping. Throws on a close frame. */
export function isPing(first: number): boolean {
  const opcode = first & 15;
  if (opcode === closeOpcode) throw new Error("the server closed a connection under load");
  return opcode === pingOpcode;
}

/** Where the frame that starts at `at` ends; null when its header is not complete yet. */
export function frameEnd(data: Buffer, at: number): number | null {
  const left = data.length - at;
  if (left < 2) return null;
  const short = (data[at + 1] ?? 0) & 127;
  if (short < 126) return at + 2 + short;
  if (short === 126) return left < 4 ? null : at + 4 + data.readUInt16BE(at + 2);
  return left < 10 ? null : at + 10 + Number(data.readBigUInt64BE(at + 2));
}
