import type { ConnectionId } from "./names.ts";
import type { Clock } from "./ports.ts";

/** A request of a client that was refused. */
export interface RecentError {
  readonly timeMs: number;
  readonly name: string;
  readonly message: string;
}

/** Ours: together at most some megabytes, even if clients choose the longest names to be refused with. */
const maxConnections = 256;
const maxErrors = 10;

/**
 * The last refusals of the connections that were refused last, so that an operator finds them without having watched. It is
 * one table for all: a field would cost every connection that does nothing wrong (P10). Costs nothing but when a request is
 * refused; knows connections by id and keeps none alive.
 */
export class RecentErrors {
  readonly #clock: Clock;
  readonly #byConnection = new Map<ConnectionId, RecentError[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers a refusal. */
  note(id: ConnectionId, name: string, message: string): void {
    const errors = this.#byConnection.get(id) ?? [];
    errors.push({ timeMs: this.#clock.now(), name, message });
    if (errors.length > maxErrors) errors.shift();
    // Whoever was refused last is last in the map, so that the first can be forgotten.
    this.#byConnection.delete(id);
    this.#byConnection.set(id, errors);
    const oldest = this.#byConnection.keys().next();
    if (this.#byConnection.size > maxConnections && oldest.done !== true) this.#byConnection.delete(oldest.value);
  }

  /** What is remembered of a connection, the latest first. */
  of(id: ConnectionId): readonly RecentError[] {
    return [...(this.#byConnection.get(id) ?? [])].reverse();
  }
}
