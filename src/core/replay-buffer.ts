import type { Frame } from "./outbound.ts";
import { frameOf, isTimed, type WaitingFrame, waitingFrame } from "./waiting-frame.ts";

/** Bounds of one replay buffer (client-protocols 8.3). */
export interface ReplayLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** What bounds a message that is to be kept; read only when needed. */
export interface ReplayBounds {
  readonly replay: ReplayLimits;
  now(): number;
}

/** What all replay buffers of a service hold together, for the metrics. */
export interface ReplayTotals {
  messages: number;
  bytes: number;
}

/**
 * The data messages a reliable client has not confirmed, in order. Numbers them 1, 2, 3 … for the life of the logical
 * connection; a replayed message keeps its number and its bytes (C-71, C-72). Holds references to shared frames, no copies.
 */
export class ReplayBuffer {
  readonly #totals: ReplayTotals;
  /** The shared messages, encoded without their numbers, in the order of these; those before `#head` are released already. */
  #kept: (WaitingFrame | null)[] = [];
  /** Their numbers, beside them: an object per message and recipient was the greatest cost of a delivery (P3). */
  #ids: number[] = [];
  #head = 0;
  #next = 1;
  #size = 0;

  constructor(totals: ReplayTotals) {
    this.#totals = totals;
  }

  /** Messages that wait for confirmation. */
  get length(): number {
    return this.#kept.length - this.#head;
  }

  /** Their size as the bounds count it: characters of text, bytes otherwise. */
  get size(): number {
    return this.#size;
  }

  /** The number that was given last; 0: none was. */
  get last(): number {
    return this.#next - 1;
  }

  /** Keeps a message and returns its number; null when that would exceed the bounds, keeping nothing (C-81). */
  add(frame: Frame, expiresAt: number | null, bounds: ReplayBounds): number | null {
    if (!this.#hasRoom(frame, bounds.replay)) {
      // What has expired would not be sent again anyway.
      this.#dropExpired(bounds.now());
      if (!this.#hasRoom(frame, bounds.replay)) return null;
    }
    const id = this.#next;
    this.#next += 1;
    this.#kept.push(waitingFrame(frame, expiresAt));
    this.#ids.push(id);
    this.#count(1, frame.length);
    return id;
  }

  /** Forgets everything up to and including a number; a larger one than was ever given releases all (C-73). */
  release(upTo: number): void {
    for (; this.#head < this.#kept.length; this.#head++) {
      const kept = this.#kept[this.#head] ?? null;
      if (kept === null || (this.#ids[this.#head] ?? 0) > upTo) break;
      this.#kept[this.#head] = null;
      this.#count(-1, -frameOf(kept).length);
    }
    // Moving the rest down on every confirmation would cost more than the place it saves.
    if (this.#head < 64 || this.#head * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#ids = this.#ids.slice(this.#head);
    this.#head = 0;
  }

  /** Calls back with every unconfirmed message in order, leaving out what has expired. */
  replay(now: number, send: (frame: Frame, sequenceId: number, expiresAt: number | null) => void): void {
    this.#dropExpired(now);
    for (const [at, kept] of this.#kept.entries()) {
      if (kept !== null) send(frameOf(kept), this.#ids[at] ?? 0, isTimed(kept) ? kept.expiresAt : null);
    }
  }

  /** Forgets everything: the logical connection is over. */
  clear(): void {
    this.#count(-this.length, -this.#size);
    this.#kept = [];
    this.#ids = [];
    this.#head = 0;
  }

  #hasRoom(frame: Frame, limits: ReplayLimits): boolean {
    return this.length < limits.messages && this.#size + frame.length <= limits.bytes;
  }

  /** Leaves no holes: a client that never confirms must not collect them. */
  #dropExpired(now: number): void {
    const kept: WaitingFrame[] = [];
    const ids: number[] = [];
    for (const [at, each] of this.#kept.entries()) {
      if (each === null) continue;
      if (isTimed(each) && each.expiresAt <= now) {
        this.#count(-1, -each.frame.length);
      } else {
        kept.push(each);
        ids.push(this.#ids[at] ?? 0);
      }
    }
    this.#kept = kept;
    this.#ids = ids;
    this.#head = 0;
  }

  #count(messages: number, size: number): void {
    this.#size += size;
    this.#totals.messages += messages;
    this.#totals.bytes += size;
  }
}
