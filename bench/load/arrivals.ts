import type { LatencyLog } from "./latency-log.ts";
import type { RawSocket } from "./raw-socket.ts";

/**
 * Tells how long messages took without looking into them: one publisher's messages keep their order, so the n-th frame
 * of a member is the n-th message. Watches some of the members; the others would only make the generator slower.
 */
export class Arrivals {
  readonly #log: LatencyLog;
  readonly #received = new Map<RawSocket, number>();
  #dueAt: number[] = [];

  constructor(log: LatencyLog) {
    this.#log = log;
  }

  watch(members: readonly RawSocket[]): void {
    for (const member of members) this.#received.set(member, 0);
  }

  /** Forgets what was sent; nothing may be under way. */
  reset(): void {
    this.#dueAt = [];
    this.watch([...this.#received.keys()]);
  }

  sent(dueAt: number): void {
    this.#dueAt.push(dueAt);
  }

  received(frames: number, member: RawSocket): void {
    const before = this.#received.get(member);
    if (before === undefined) return;
    const now = performance.now();
    this.#received.set(member, before + frames);
    for (const dueAt of this.#dueAt.slice(before, before + frames)) this.#log.received(dueAt, now);
  }
}
