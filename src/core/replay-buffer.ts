import type { Frame } from "./outbound.ts";

interface Kept {
  /** The shared encoded message, without the number: the same object for all recipients of a fan-out. */
  readonly frame: Frame;
  readonly expiresAt: number | null;
}

/** Bounds of one replay buffer (client-protocols 8.3). */
export interface ReplayLimits {
  readonly messages: number;
  readonly bytes: number;
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
  #kept: (Kept | null)[] = [];
  /** Number of the first entry of `#kept`; entries before `#head` are released already. */
  #first = 1;
  #head = 0;
  #next = 1;
  #live = 0;
  #size = 0;

  constructor(totals: ReplayTotals) {
    this.#totals = totals;
  }

  /** Messages that wait for confirmation. */
  get length(): number {
    return this.#live;
  }

  /** Keeps a message and returns its number; null when that would exceed the bounds, keeping nothing (C-81). */
  add(
    message: { readonly frame: Frame; readonly expiresAt: number | null },
    limits: ReplayLimits,
    now: number,
  ): number | null {
    const size = message.frame.length;
    if (this.#live >= limits.messages || this.#size + size > limits.bytes) {
      // What has expired would not be sent again anyway.
      this.#dropExpired(now);
      if (this.#live >= limits.messages || this.#size + size > limits.bytes) return null;
    }
    this.#kept.push(message);
    this.#count(1, size);
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  /** Forgets everything up to and including a number; a larger one than was ever given releases all (C-73). */
  release(upTo: number): void {
    while (this.#head < this.#kept.length && this.#first + this.#head <= upTo) {
      this.#forget(this.#head);
      this.#head += 1;
    }
    // Moving the rest down on every confirmation would cost more than the place it saves.
    if (this.#head < 64 || this.#head * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#first += this.#head;
    this.#head = 0;
  }

  /** Calls back with every unconfirmed message in order, leaving out what has expired. */
  replay(now: number, send: (frame: Frame, sequenceId: number, expiresAt: number | null) => void): void {
    this.#dropExpired(now);
    for (const [index, kept] of this.#kept.entries()) {
      if (kept !== null) send(kept.frame, this.#first + index, kept.expiresAt);
    }
  }

  /** Forgets everything: the logical connection is over. */
  clear(): void {
    for (let index = this.#head; index < this.#kept.length; index++) this.#forget(index);
    this.#first += this.#kept.length;
    this.#kept = [];
    this.#head = 0;
  }

  #dropExpired(now: number): void {
    for (let index = this.#head; index < this.#kept.length; index++) {
      const expiresAt = this.#kept[index]?.expiresAt ?? null;
      if (expiresAt !== null && expiresAt <= now) this.#forget(index);
    }
  }

  #forget(index: number): void {
    const kept = this.#kept[index] ?? null;
    if (kept === null) return;
    this.#kept[index] = null;
    this.#count(-1, -kept.frame.length);
  }

  #count(messages: number, size: number): void {
    this.#live += messages;
    this.#size += size;
    this.#totals.messages += messages;
    this.#totals.bytes += size;
  }
}
