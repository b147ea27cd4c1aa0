import { frameEnd, isPing } from "../../load/frame-counter.ts";
import type { Scanner } from "./dialect.ts";

/** Cuts a byte stream from a server into WebSocket frames and hands the payloads of data frames to a scanner. */
export class FrameReader {
  readonly #scanner: Scanner;
  #header: Buffer | null = null;
  /** Bytes of the current frame's payload that have not come yet. */
  #left = 0;
  #isControl = false;
  #isFinal = true;
  #pings = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  /** WebSocket pings so far; each wants a pong. */
  get pings(): number {
    return this.#pings;
  }

  /** Reads the next bytes. Throws on a close frame: nobody asked for one. */
  push(chunk: Buffer): void {
    const data = this.#header === null ? chunk : Buffer.concat([this.#header, chunk]);
    this.#header = null;
    const { length } = data;
    let at = 0;
    if (this.#left > 0) at = this.#read(data, 0, this.#left);
    while (at < length) {
      const end = frameEnd(data, at);
      if (end === null) {
        this.#header = Buffer.from(data.subarray(at)); // the runtime may use the chunk again
        return;
      }
      const first = data[at] ?? 0;
      if (isPing(first)) this.#pings += 1;
      this.#isControl = (first & 8) !== 0;
      this.#isFinal = (first & 0x80) !== 0;
      at = this.#read(data, at + headerLength(data[at + 1] ?? 0), end);
    }
  }

  /** Reads payload from `from` to `end`, which may lie behind the data; returns where the data or the payload ends. */
  #read(data: Buffer, from: number, end: number): number {
    const to = Math.min(end, data.length);
    this.#left = end - to;
    if (this.#isControl) return to;
    this.#scanner.payload(data, from, to);
    if (this.#left === 0 && this.#isFinal) this.#scanner.messageEnded();
    return to;
  }
}

/** Servers do not mask. */
function headerLength(second: number): number {
  const short = second & 127;
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}
