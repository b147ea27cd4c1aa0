import type { Connection } from "./connection.ts";
import type { Refusal } from "./hub.ts";
import type { DeliveryStep, MessageTrace } from "./message-trace.ts";
import type { Flusher, Outbox, OutboxWatcher } from "./outbox.ts";
import type { Clock, MessageTelemetry, Telemetry } from "./ports.ts";

/** Deliveries that are followed at a time; ours. What slow clients have waiting beyond is told as left out. */
const maxPending = 5000;

interface Pending {
  readonly connection: Connection;
  readonly trace: MessageTrace;
  /** The socket has it once it has taken so many frames. */
  readonly place: number;
  readonly expiresAt: number | null;
  readonly queuedAt: number;
  readonly sequenceId: number | null;
  /** It was told that it waits. */
  isWaiting: boolean;
}

/** A message and who of its recipients is followed. */
export interface Followed {
  readonly trace: MessageTrace;
  readonly expiresAt: number | null;
  readonly recipients: readonly Connection[];
}

/**
 * Finds out when messages reach sockets, by looking at outboxes after each flush: delivering itself knows nothing of it,
 * and without anything to follow nobody looks.
 */
export class DeliveryWatch implements OutboxWatcher {
  readonly #flusher: Flusher;
  readonly #clock: Clock;
  readonly #telemetry: Pick<Telemetry, "messages">;
  readonly #pending = new Map<Outbox, Pending[]>();
  /** Outboxes with something that the next flush decides about. */
  readonly #fresh = new Set<Outbox>();
  #count = 0;

  constructor(flusher: Flusher, parts: { readonly clock: Clock; readonly telemetry: Pick<Telemetry, "messages"> }) {
    this.#flusher = flusher;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
  }

  /** Has a message queued, and follows it to these recipients from then on. */
  follow(
    { trace, expiresAt, recipients }: Followed,
    messages: MessageTelemetry,
    queue: () => readonly Refusal[] | null,
  ): readonly Refusal[] | null {
    const before = recipients.map(({ outbox }) => outbox.end);
    const refused = queue();
    const queuedAt = messages.now();
    for (const [index, connection] of recipients.entries()) {
      const { outbox, replay } = connection;
      const sequenceId = replay === null ? null : replay.last;
      const pending = { connection, trace, place: outbox.end, expiresAt, queuedAt, sequenceId, isWaiting: false };
      if (refused?.some((refusal) => refusal.connection === connection) === true) {
        this.#tell({ ...pending, sequenceId: null }, outbox, "refused");
      } else if (connection.isDetached) this.#tell(pending, outbox, "kept");
      // A format that shows nothing for it had nothing queued; in a full outbox that could as well be an expired frame.
      else if (outbox.end !== before[index] || outbox.isBlocked) this.#add(pending, outbox, messages);
    }
    return refused;
  }

  flushed(): void {
    for (const outbox of this.#fresh) this.#look(outbox);
    this.#rest();
  }

  moved(outbox: Outbox): void {
    this.#look(outbox);
    this.#rest();
  }

  discarded(outbox: Outbox): void {
    this.#look(outbox);
    for (const pending of this.#pending.get(outbox) ?? []) {
      const isKept = pending.connection.isOpen && pending.connection.replay !== null;
      this.#tell(pending, outbox, isKept ? "kept" : "lost");
    }
    this.#keep(outbox, []);
    this.#rest();
  }

  #add(pending: Pending, outbox: Outbox, messages: MessageTelemetry): void {
    if (outbox.length === 0) {
      // There was so much that it was written at once.
      this.#tell(pending, outbox, "written");
      return;
    }
    if (this.#count >= maxPending) {
      messages.deliveryLeftOut(pending.connection);
      return;
    }
    this.#count += 1;
    const known = this.#pending.get(outbox);
    if (known === undefined) this.#pending.set(outbox, [pending]);
    else known.push(pending);
    this.#flusher.watcher = this;
    // A full socket is not part of the next flush.
    if (outbox.isBlocked) this.#wait(pending, outbox);
    else this.#fresh.add(outbox);
  }

  #wait(pending: Pending, outbox: Outbox): void {
    pending.isWaiting = true;
    this.#tell(pending, outbox, "waiting");
  }

  #look(outbox: Outbox): void {
    const { taken, length, isBlocked } = outbox;
    const left: Pending[] = [];
    for (const pending of this.#pending.get(outbox) ?? []) {
      if (taken >= pending.place || length === 0) {
        const isExpired = pending.isWaiting && pending.expiresAt !== null && this.#clock.now() >= pending.expiresAt;
        this.#tell(pending, outbox, isExpired ? "expired" : "written");
        continue;
      }
      left.push(pending);
      if (isBlocked && !pending.isWaiting) this.#wait(pending, outbox);
    }
    this.#keep(outbox, left);
    if (left.every(({ isWaiting }) => isWaiting)) this.#fresh.delete(outbox);
  }

  #keep(outbox: Outbox, left: Pending[]): void {
    this.#count -= (this.#pending.get(outbox)?.length ?? 0) - left.length;
    if (left.length > 0) this.#pending.set(outbox, left);
    else {
      this.#pending.delete(outbox);
      this.#fresh.delete(outbox);
    }
  }

  /** Nobody looks any more when there is nothing to follow, or nobody to tell. */
  #rest(): void {
    if (this.#telemetry.messages === null) {
      this.#pending.clear();
      this.#fresh.clear();
      this.#count = 0;
    }
    if (this.#count === 0) this.#flusher.watcher = null;
  }

  #tell({ connection, trace, queuedAt, sequenceId }: Pending, outbox: Outbox, stage: DeliveryStep["stage"]): void {
    const { bufferedBytes } = connection.sink;
    const step = { stage, queuedAt, queueLength: outbox.length, bufferedBytes, sequenceId };
    this.#telemetry.messages?.delivery(trace, connection, step);
  }
}
