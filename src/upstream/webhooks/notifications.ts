/** One notification waiting to be sent. */
export interface Notification {
  /** Sends it. `sent` lets the next one of the connection start, `done` frees its place; both are called exactly once. */
  start(sent: () => void, done: () => void): void;
  /** It was dropped and will not be started. */
  dropped(): void;
  /** Whether it waits until no user event of the connection is running (`disconnected`). */
  readonly waitsForEvents: boolean;
}

/**
 * The notifications of one connection: they start one after another, each when the one before was sent.
 * Created with `createLane`; only `NotificationQueue` changes it.
 */
export interface Lane {
  /** Queued or being sent; the next one has to wait. */
  current: Notification | null;
  /** Behind `current`, in order; null while there never was one. */
  parked: Set<Notification> | null;
  runningEvents: number;
}

export function createLane(): Lane {
  return { current: null, parked: null, runningEvents: 0 };
}

/**
 * The notifications of one hub: bounded, started in the order in which their turn came, at most `maxStarted` at a time. Over the bound the
 * oldest one that has not started is dropped.
 */
export class NotificationQueue {
  readonly #limits: { readonly maxWaiting: number; readonly maxStarted: number };
  /** Everything not started, in order of arrival. */
  readonly #waiting = new Map<Notification, Lane>();
  /** The part of it whose turn it is in its lane. */
  readonly #ready = new Set<Notification>();
  #started = 0;

  constructor(limits: { readonly maxWaiting: number; readonly maxStarted: number }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size + this.#started;
  }

  add(lane: Lane, notification: Notification): void {
    this.#waiting.set(notification, lane);
    lane.parked ??= new Set();
    lane.parked.add(notification);
    this.#promote(lane);
    this.#pump();
    if (this.#waiting.size > this.#limits.maxWaiting) this.#dropOldest();
  }

  /** The last running user event of a connection has finished. */
  eventsFinished(lane: Lane): void {
    this.#promote(lane);
    this.#pump();
  }

  /** Drops everything that has not started. */
  clear(): void {
    while (this.#waiting.size > 0) this.#dropOldest();
  }

  /** Makes the first parked notification of a lane ready, if it is its turn. */
  #promote(lane: Lane): void {
    if (lane.current !== null || lane.parked === null) return;
    const [next] = lane.parked;
    if (next === undefined || (next.waitsForEvents && lane.runningEvents > 0)) return;
    lane.parked.delete(next);
    lane.current = next;
    this.#ready.add(next);
  }

  #pump(): void {
    for (const notification of this.#ready) {
      if (this.#started >= this.#limits.maxStarted) return;
      this.#start(notification);
    }
  }

  #start(notification: Notification): void {
    const lane = this.#waiting.get(notification);
    this.#ready.delete(notification);
    this.#waiting.delete(notification);
    this.#started += 1;
    notification.start(
      () => {
        if (lane !== undefined) this.#leave(lane, notification);
        this.#pump();
      },
      () => {
        this.#started -= 1;
        this.#pump();
      },
    );
  }

  #leave(lane: Lane, notification: Notification): void {
    if (lane.current === notification) lane.current = null;
    this.#promote(lane);
  }

  #dropOldest(): void {
    const oldest = this.#waiting.entries().next();
    if (oldest.done === true) return;
    const [notification, lane] = oldest.value;
    this.#waiting.delete(notification);
    this.#ready.delete(notification);
    lane.parked?.delete(notification);
    this.#leave(lane, notification);
    notification.dropped();
  }
}
