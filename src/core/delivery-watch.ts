import type { Connection } from "./connection.ts";
import type { Refusal } from "./hub.ts";
import type { DeliveryStep, FollowedDelivery } from "./message-trace.ts";
import type { Flusher, Outbox, OutboxWatcher } from "./outbox.ts";
import type { Clock, Telemetry } from "./ports.ts";

/** Deliveries that are followed at a time; ours. What slow clients have waiting beyond is told as left out. */
const maxPending = 20_000;

interface Pending {
  readonly delivery: FollowedDelivery<Connection>;
  /** The socket has it once it has taken so many frames. */
  readonly place: number;
  readonly expiresAt: number | null;
  readonly queuedAt: number;
  readonly sequenceId: number | null;
  /** It was told that it waits. */
  isWaiting: boolean;
}

/**
 * Finds out when messages reach sockets, by looking at outboxes after each flush: delivering itself knows nothing of it,
 * and without anything to follow nobody looks.
 */
export class DeliveryWatch implements OutboxWatcher {
  readonly #flusher: Flusher;
  readonly #clock: Clock;
  /** Null: nobody watches any more. The clock is that of `DeliveryStep`. */
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
    deliveries: readonly FollowedDelivery<Connection>[],
    expiresAt: number | null,
    queue: () => readonly Refusal[] | null,
  ): readonly Refusal[] | null {
    if (deliveries.length === 0) return queue();
    const before = deliveries.map(({ recipient }) => recipient.outbox.end);
    const refused = queue();
    const queuedAt = this.#telemetry.messages?.now() ?? 0;
    for (const [index, delivery] of deliveries.entries()) {
      const connection = delivery.recipient;
      const { outbox, replay } = connection;
      const sequenceId = replay === null ? null : replay.last;
      const pending = { delivery, place: outbox.end, expiresAt, queuedAt, sequenceId, isWaiting: false };
      if (refused?.some((refusal) => refusal.connection === connection) === true) {
        this.#tell({ ...pending, sequenceId: null }, outbox, "refused");
      } else if (connection.isDetached) this.#tell(pending, outbox, "kept");
      // A format that shows nothing for it had nothing queued; in a full outbox that could as well be an expired frame.
      else if (outbox.end !== before[index] || outbox.isBlocked) this.#add(pending, outbox);
    }
    return refused;
  }

  flushed(): void {
    if (this.#isGivenUp()) return;
    for (const outbox of this.#fresh) this.#look(outbox);
    this.#rest();
  }

  moved(outbox: Outbox): void {
    if (this.#isGivenUp()) return;
    this.#look(outbox);
    this.#rest();
  }

  discarded(outbox: Outbox): void {
    if (this.#isGivenUp()) return;
    this.#look(outbox);
    for (const pending of this.#pending.get(outbox) ?? []) {
      const { isOpen, replay } = pending.delivery.recipient;
      const isKept = isOpen && replay !== null;
      this.#tell(pending, outbox, isKept ? "kept" : "lost");
    }
    this.#keep(outbox, []);
    this.#rest();
  }

  #add(pending: Pending, outbox: Outbox): void {
    if (outbox.length === 0) {
      // There was so much that it was written at once.
      this.#tell(pending, outbox, "written");
      return;
    }
    if (this.#count >= maxPending) {
      pending.delivery.leftOut();
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

  /** Forgets everything when there is nobody to tell. */
  #isGivenUp(): boolean {
    if (this.#telemetry.messages !== null) return false;
    this.#pending.clear();
    this.#fresh.clear();
    this.#count = 0;
    this.#rest();
    return true;
  }

  #rest(): void {
    if (this.#count === 0) this.#flusher.watcher = null;
  }

  #tell({ delivery, queuedAt, sequenceId }: Pending, outbox: Outbox, stage: DeliveryStep["stage"]): void {
    const { bufferedBytes } = delivery.recipient.sink;
    delivery.told({ stage, queuedAt, queueLength: outbox.length, bufferedBytes, sequenceId });
  }
}
