import type { Frame } from "../../../src/core/outbound.ts";
import type { FrameSink, SocketEvents } from "../../../src/core/ports.ts";

export type SinkEnd = { readonly code: number; readonly reason: string } | "aborted";

/**
 * A socket that records. Like the runtime's, it reports `closed` from inside `close` and `abort`, takes frames up to a
 * capacity, and ignores calls once it is closed.
 */
export class FakeSink implements FrameSink {
  /** Every frame ever taken, in order. */
  readonly frames: Frame[] = [];
  /** How many frames each write took. */
  readonly writes: number[] = [];
  pings = 0;
  /** Frames that are taken before the socket is full. */
  capacity = Number.POSITIVE_INFINITY;
  bufferedBytes = 0;
  ended: SinkEnd | null = null;
  events: Pick<SocketEvents, "drained" | "closed"> | null = null;
  /** Called inside `write`, before anything is taken. */
  onWrite: (() => void) | null = null;

  write(frames: readonly Frame[]): number {
    this.onWrite?.();
    if (this.ended !== null) return frames.length;
    const taken = Math.min(frames.length, this.capacity);
    this.frames.push(...frames.slice(0, taken));
    this.writes.push(taken);
    this.capacity -= taken;
    return taken;
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number, reason: string): void {
    this.#end({ code, reason }, code, reason);
  }

  abort(): void {
    this.#end("aborted", 1006, "");
  }

  /** The socket has room for so many frames again. */
  drain(capacity = Number.POSITIVE_INFINITY): void {
    this.capacity = capacity;
    this.events?.drained();
  }

  #end(ended: SinkEnd, code: number, reason: string): void {
    if (this.ended !== null) return;
    this.ended = ended;
    this.events?.closed(code, reason);
  }
}
