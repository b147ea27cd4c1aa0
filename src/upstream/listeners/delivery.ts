import type { Clock, Scheduler } from "../../core/ports.ts";
import type { ListenerEvent } from "./event.ts";
import { type EventSink, reasonOf, type SendFailure } from "./sink.ts";

/** Why events of a listener did not arrive. `dropped`: never handed to the sink. */
export type LossKind = "dropped" | "failed";

/** What a delivery tells about itself. Cheap; never throws. */
export interface DeliveryReports {
  sent(events: readonly ListenerEvent[]): void;
  /** Called for every loss; `reason` completes "… because". */
  lost(kind: LossKind, count: number, reason: string): void;
  /** The sink cannot be reached; called for every attempt. */
  unavailable(reason: string, retryMs: number): void;
  /** It takes events again. */
  recovered(): void;
}

/** Bounds of one delivery. */
export interface DeliveryLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxBatchEvents: number;
  readonly maxBatchBytes: number;
  /** One attempt, connecting included. */
  readonly sendTimeoutMs: number;
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
}

/** Queue and back-off of event-handlers 13; batches and the time of an attempt are ours. */
export const deliveryLimits: DeliveryLimits = {
  maxEvents: 10_000,
  maxBytes: 67_108_864,
  maxBatchEvents: 500,
  maxBatchBytes: 1_048_576,
  sendTimeoutMs: 30_000,
  minRetryMs: 1000,
  maxRetryMs: 60_000,
};

export interface DeliveryOptions {
  readonly sink: EventSink;
  readonly limits: DeliveryLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly reports: DeliveryReports;
}

/** Ours: a client library that hangs while closing is left to itself. */
const closeTimeoutMs = 5000;

/**
 * The bounded queue in front of one sink, and what empties it: one batch at a time, each with everything that gathered
 * meanwhile, so that nothing waits while the sink is idle.
 *
 * `add` never waits: over the bound the new event is dropped (event-handlers 13). What the sink may have taken is not sent
 * again (at most once); what it surely has not taken waits with a growing pause. Events being sent count as queued.
 */
export class Delivery {
  readonly #limits: DeliveryLimits;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #reports: DeliveryReports;
  #sink: EventSink;
  #waiting: ListenerEvent[] = [];
  #bytes = 0;
  #isRunning = false;
  #isClosed = false;
  /** So many of the next events go alone: their batch was refused as a whole. */
  #alone = 0;
  #attempt: AbortController | null = null;
  #retryMs = 0;
  #wake: (() => void) | null = null;
  #whyDown: string | null = null;
  #onIdle: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: DeliveryOptions) {
    this.#sink = options.sink;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#scheduler = options.scheduler;
    this.#reports = options.reports;
  }

  get events(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(event: ListenerEvent): void {
    const { maxEvents, maxBytes } = this.#limits;
    if (this.#closing !== null) {
      this.#reports.lost("dropped", 1, "the listener is closed");
    } else if (this.#waiting.length >= maxEvents || this.#bytes + event.size > maxBytes) {
      const why = this.#whyDown === null ? "it takes events too slowly" : this.#whyDown;
      this.#reports.lost(
        "dropped",
        1,
        `the queue is full (${this.#waiting.length} events, ${this.#bytes} bytes): ${why}`,
      );
    } else {
      this.#waiting.push(event);
      this.#bytes += event.size;
      this.#start();
    }
  }

  /** Goes on with another sink. What is queued is sent there; what is being sent stays with the sink it was given to. */
  replaceSink(sink: EventSink): void {
    const previous = this.#sink;
    this.#sink = sink;
    this.#retryMs = 0;
    this.#alone = 0;
    if (this.#attempt === null) void this.#closeSink(previous);
    this.#wake?.();
  }

  /**
   * Takes no more events, waits until the queue is empty or the deadline is over, then drops what is left and closes the
   * sink. Calling it again returns the same promise.
   */
  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    const giveUpAt = this.#clock.now() + deadlineMs;
    this.#wake?.(); // one more try at once
    if (this.#isRunning) {
      await new Promise<void>((resolve) => {
        const cancel = this.#scheduler.after(deadlineMs, resolve);
        this.#onIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#isClosed = true;
    this.#wake?.();
    this.#attempt?.abort();
    const left = this.#waiting.length;
    if (left > 0) this.#reports.lost("dropped", left, this.#whyDown ?? "the drain time is over");
    this.#waiting = [];
    this.#bytes = 0;
    await this.#closeSink(this.#sink, Math.max(0, giveUpAt - this.#clock.now()));
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // Events of the same turn go together.
    this.#scheduler.afterTurn(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const batch = this.#nextBatch();
      const sink = this.#sink;
      const failures = await this.#send(sink, batch);
      if (sink !== this.#sink) void this.#closeSink(sink);
      if (this.#isClosed) break;
      const reason = this.#settle(batch, failures);
      if (reason === null) {
        if (this.#whyDown !== null) this.#reports.recovered();
        this.#whyDown = null;
        this.#retryMs = 0;
      } else if (sink === this.#sink) await this.#pause(reason);
    }
    this.#isRunning = false;
    this.#onIdle?.();
  }

  /** The first events of the queue, which stay there. */
  #nextBatch(): readonly ListenerEvent[] {
    const { maxBatchEvents, maxBatchBytes } = this.#limits;
    if (this.#alone > 0) return this.#waiting.slice(0, 1);
    let count = 0;
    let bytes = 0;
    for (const { size } of this.#waiting) {
      if (count > 0 && (count >= maxBatchEvents || bytes + size > maxBatchBytes)) break;
      count += 1;
      bytes += size;
    }
    return this.#waiting.slice(0, count);
  }

  async #send(sink: EventSink, batch: readonly ListenerEvent[]): Promise<readonly SendFailure[]> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const late = Promise.withResolvers<readonly SendFailure[]>();
    const cut = (): void => late.resolve([{ kind: "unknown", events: batch, reason: "no answer in time" }]);
    attempt.signal.addEventListener("abort", cut);
    const cancel = this.#scheduler.after(this.#limits.sendTimeoutMs, () => attempt.abort());
    const taken = sink.send(batch, attempt.signal).catch((error: unknown): readonly SendFailure[] => {
      return [{ kind: "unknown", events: batch, reason: reasonOf(error) }];
    });
    const failures = await Promise.race([taken, late.promise]);
    cancel();
    this.#attempt = null;
    return failures;
  }

  /** Takes a batch out of the queue except what is to be sent again; returns why the sink needs a pause, or null. */
  #settle(batch: readonly ListenerEvent[], failures: readonly SendFailure[]): string | null {
    const unsent = new Set<ListenerEvent>();
    const again = new Set<ListenerEvent>();
    let pause: string | null = null;
    for (const { kind, events, reason } of failures) {
      for (const event of events) unsent.add(event);
      if (kind === "unavailable" || kind === "unknown") pause = reason;
      const isSplit = kind === "refusedTogether" && batch.length > 1;
      if (kind === "unavailable" || isSplit) for (const event of events) again.add(event);
      else this.#reports.lost("failed", events.length, reason);
      if (isSplit) this.#alone = events.length + 1;
    }
    if (this.#alone > 0) this.#alone -= 1;
    this.#waiting.splice(0, batch.length, ...batch.filter((event) => again.has(event)));
    for (const event of batch) if (!again.has(event)) this.#bytes -= event.size;
    const sent = unsent.size === 0 ? batch : batch.filter((event) => !unsent.has(event));
    if (sent.length > 0) this.#reports.sent(sent);
    return pause;
  }

  async #pause(reason: string): Promise<void> {
    const { minRetryMs, maxRetryMs } = this.#limits;
    this.#retryMs = Math.min(maxRetryMs, Math.max(minRetryMs, this.#retryMs * 2));
    this.#whyDown = reason;
    this.#reports.unavailable(reason, this.#retryMs);
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#scheduler.after(this.#retryMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = null;
  }

  async #closeSink(sink: EventSink, waitMs = closeTimeoutMs): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#scheduler.after(Math.min(waitMs, closeTimeoutMs), resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      // How a connection that is given up anyway ends is of no interest.
      void sink.close().then(done, done);
    });
  }
}
