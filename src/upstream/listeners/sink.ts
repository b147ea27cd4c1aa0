import type { ListenerEvent } from "./event.ts";

/**
 * What became of events of a batch that were not taken.
 *
 * - `unavailable`: the other side took none of them; they may be sent again.
 * - `refused`: it does not take them, now or later.
 * - `refusedTogether`: it took none of them as a batch; one at a time it might.
 * - `unknown`: it may have taken them; sending them again could make two of one.
 */
export interface SendFailure {
  readonly kind: "unavailable" | "refused" | "refusedTogether" | "unknown";
  readonly events: readonly ListenerEvent[];
  /** Completes "… because"; never holds a credential. */
  readonly reason: string;
}

/**
 * The other side of one event listener: a broker or a server that takes events and never answers with any.
 *
 * `send` connects where needed and resolves when the other side has confirmed everything it will; an
 * empty list: all is taken. A rejection counts as `unknown` for the whole batch. Events of one connection arrive in the order of the batch. When `signal` is aborted nobody
 * waits any longer: the sink drops the connection it was using, and a later `send` opens a new one. Calls do not overlap.
 * `close` gives up what is under way and may be called at any time, once.
 */
export interface EventSink {
  /** Kind and place for messages, such as `Kafka broker:9092`; holds no credential. */
  readonly name: string;
  send(batch: readonly ListenerEvent[], signal: AbortSignal): Promise<readonly SendFailure[]>;
  close(): Promise<void>;
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error.message === "" ? error.name : error.message;
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}

/** Ends a connection that is given up while nobody waits; how it ends is of no interest. */
export function giveUp(closing: Promise<unknown>): void {
  void closing.catch(() => undefined);
}
