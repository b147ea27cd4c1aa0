import type { Frame } from "./outbound.ts";
import type { Clock, FrameSink, Scheduler } from "./ports.ts";
import { frameOf, isTimed, type WaitingFrame, waitingFrame } from "./waiting-frame.ts";

/** Frames or characters after which an outbox that is not blocked writes at once instead of at the end of the turn. */
const eagerFrames = 256;
const eagerSize = 262_144;

/** How long one slice of a flush may keep the event loop; half of what H-61 allows. */
const sliceMs = 10;
const outboxesPerClockCheck = 64;

/** Bounds of one outbox while its socket is full. */
export interface OutboxLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Told what became of outboxes while somebody follows messages. Must not throw, and must not push. */
export interface OutboxWatcher {
  /** Outboxes were flushed, all of this turn or a part of them. */
  flushed(): void;
  /** An outbox whose socket was full wrote what its socket takes now. */
  moved(outbox: Outbox): void;
  /** An outbox is about to forget what waits in it. */
  discarded(outbox: Outbox): void;
}

/**
 * Writes every outbox that got frames, once per event-loop turn (performance.md section 2). A long flush yields to the
 * event loop in slices; outboxes keep their order, each frame keeps its place in its outbox.
 */
export class Flusher {
  readonly #scheduler: Scheduler;
  readonly clock: Clock;
  /** Null, nearly always: nobody follows messages. Asked once per flush, not per message. */
  watcher: OutboxWatcher | null = null;
  #dirty: Outbox[] = [];
  #next = 0;
  #scheduled = false;
  readonly #spare: WaitingFrame[][] = [];
  readonly #flush = (): void => this.#run();

  constructor(scheduler: Scheduler, clock: Clock) {
    this.#scheduler = scheduler;
    this.clock = clock;
  }

  /** Registers an outbox for the flush at the end of this turn. */
  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#scheduler.afterTurn(this.#flush);
  }

  /** An empty array to queue in; idle outboxes own none, which is what keeps them small. */
  borrow(): WaitingFrame[] {
    return this.#spare.pop() ?? [];
  }

  /** Takes an array back. */
  giveBack(entries: WaitingFrame[]): void {
    entries.length = 0;
    if (this.#spare.length < 1024) this.#spare.push(entries);
  }

  #run(): void {
    const started = this.clock.now();
    const dirty = this.#dirty;
    try {
      while (this.#next < dirty.length) {
        const outbox = dirty[this.#next];
        this.#next += 1;
        outbox?.flush();
        if (this.#next % outboxesPerClockCheck === 0 && this.clock.now() - started >= sliceMs) break;
      }
    } finally {
      // Also after an exception: one broken socket must not silence all others.
      this.#rest();
      this.watcher?.flushed();
    }
  }

  /** Forgets what was flushed, so that the list stays short under endless load, and goes on later with what was not. */
  #rest(): void {
    if (this.#next < this.#dirty.length) {
      this.#dirty.splice(0, this.#next);
      this.#scheduler.afterTurn(this.#flush);
    } else {
      this.#dirty = [];
      this.#scheduled = false;
    }
    this.#next = 0;
  }
}

/**
 * The frames on their way to one connection: everything sent to it goes through here, in order. Bounded while the socket
 * is full; a full outbox refuses, and its connection is then closed (C-94, H-35).
 */
export class Outbox {
  readonly #flusher: Flusher;
  readonly #sink: FrameSink;
  #entries: WaitingFrame[] | null = null;
  #size = 0;
  #taken = 0;
  #timed = false;
  #blocked = false;
  #queued = false;
  #closing: { readonly code: number; readonly reason: string } | null = null;

  constructor(flusher: Flusher, sink: FrameSink) {
    this.#flusher = flusher;
    this.#sink = sink;
  }

  /** Frames that wait. */
  get length(): number {
    return this.#entries === null ? 0 : this.#entries.length;
  }

  /** Their size as the bounds count it: characters of text, bytes otherwise. */
  get size(): number {
    return this.#size;
  }

  /** Frames that the socket has taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** The value of `taken` once everything that waits now is taken; less when something expires before that. */
  get end(): number {
    return this.#taken + this.length;
  }

  /** Whether the socket is full. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /**
   * Queues a frame for the end of this turn; `expiresAt` drops it if it still waits by then. Returns false, queueing
   * nothing, when the socket is full and the bounds are reached. Frames pushed after `close` vanish.
   */
  push(frame: Frame, expiresAt: number | null, limits: OutboxLimits): boolean {
    if (this.#closing !== null) return true;
    const entries = (this.#entries ??= this.#flusher.borrow());
    const size = this.#size + frame.length;
    if (this.#blocked && (entries.length >= limits.messages || size + this.#sink.bufferedBytes > limits.bytes)) {
      // What has expired no longer counts: a slow link is what the TTL is for.
      if (!this.#dropExpired(entries)) return false;
      return this.push(frame, expiresAt, limits);
    }
    this.#size = size;
    entries.push(waitingFrame(frame, expiresAt));
    if (expiresAt !== null) this.#timed = true;
    if (this.#blocked) return true;
    if (entries.length >= eagerFrames || size >= eagerSize) {
      this.flush();
    } else if (!this.#queued) {
      this.#queued = true;
      this.#flusher.add(this);
    }
    return true;
  }

  /** Writes what waits, as far as the socket takes it. */
  flush(): void {
    this.#queued = false;
    const entries = this.#entries;
    if (entries === null || this.#blocked) return;
    if (this.#timed) this.#dropExpired(entries);
    const frames = this.#timed ? entries.map(frameOf) : (entries as Frame[]);
    const taken = this.#sink.write(frames);
    this.#taken += taken;
    // The socket may have closed, and this outbox been discarded, inside the write.
    if (this.#entries !== entries) return;
    if (taken < entries.length) {
      this.#blocked = true;
      for (let index = 0; index < taken; index++) this.#size -= frames[index]?.length ?? 0;
      entries.splice(0, taken);
      return;
    }
    this.#release(entries);
    if (this.#closing !== null) this.#sink.close(this.#closing.code, this.#closing.reason);
  }

  /** The socket takes frames again. */
  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.flush();
    this.#flusher.watcher?.moved(this);
  }

  /** Closes the socket behind everything queued so far; later frames are dropped. */
  close(code: number, reason: string): void {
    if (this.#closing !== null) return;
    this.#closing = { code, reason };
    // While the socket is full there always are entries, which go first.
    if (this.#entries !== null) this.flush();
    else this.#sink.close(code, reason);
  }

  /** Forgets everything that waits: the socket is gone. */
  discard(): void {
    this.#closing ??= { code: 1006, reason: "" };
    this.#flusher.watcher?.discarded(this);
    if (this.#entries !== null) this.#release(this.#entries);
  }

  #release(entries: WaitingFrame[]): void {
    this.#entries = null;
    this.#size = 0;
    this.#timed = false;
    this.#flusher.giveBack(entries);
  }

  /** Removes expired entries; returns whether there was any. */
  #dropExpired(entries: WaitingFrame[]): boolean {
    if (!this.#timed) return false;
    const now = this.#flusher.clock.now();
    let kept = 0;
    let size = 0;
    for (const entry of entries) {
      if (isTimed(entry) && entry.expiresAt <= now) continue;
      entries[kept] = entry;
      kept += 1;
      size += frameOf(entry).length;
    }
    const dropped = kept < entries.length;
    entries.length = kept;
    this.#size = size;
    return dropped;
  }
}
