/**
 * Counts complete WebSocket frames in a byte stream from a server, however it is cut into chunks. Payloads are skipped
 * unseen: looking at them would make the generator slower than the server.
 */
export class FrameCounter {
  #rest = 0;
  #header: Buffer | null = null;

  /** Number of frames that ended in this chunk. Throws on a close frame: nobody asked for one while frames are counted. */
  push(chunk: Buffer): number {
    const data = this.#header === null ? chunk : Buffer.concat([this.#header, chunk]);
    this.#header = null;
    const length = data.length;
    let count = 0;
    let at = this.#rest;
    if (at > length) {
      this.#rest = at - length;
      return 0;
    }
    if (at > 0) count += 1;
    this.#rest = 0;
    while (at < length) {
      const end = frameEnd(data, at);
      if (end === null) {
        this.#header = Buffer.from(data.subarray(at));
        return count;
      }
      if (end > length) {
        this.#rest = end - length;
        return count;
      }
      count += 1;
      at = end;
    }
    return count;
  }
}

const closeOpcode = 8;

/** Where the frame that starts at `at` ends; null when its header is not complete yet. */
function frameEnd(data: Buffer, at: number): number | null {
  const left = data.length - at;
  if (left < 2) return null;
  if (((data[at] ?? 0) & 15) === closeOpcode) throw new Error("the server closed a connection under load");
  const short = (data[at + 1] ?? 0) & 127;
  if (short < 126) return at + 2 + short;
  if (short === 126) return left < 4 ? null : at + 4 + data.readUInt16BE(at + 2);
  return left < 10 ? null : at + 10 + Number(data.readBigUInt64BE(at + 2));
}
