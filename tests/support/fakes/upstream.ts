import type { CancelSignal } from "../../../src/core/cancellation.ts";
import type { GroupName } from "../../../src/core/names.ts";
import type {
  ConnectEvent,
  ConnectOutcome,
  EventSource,
  Upstream,
  UserEvent,
  UserEventOutcome,
} from "../../../src/core/ports.ts";

/** A user event that waits for its handler. */
export interface PendingEvent {
  readonly source: EventSource;
  readonly event: UserEvent;
  readonly signal: CancelSignal;
  answer(outcome: UserEventOutcome): void;
}

/** An application that records its events and answers when the test says so. */
export class FakeUpstream implements Upstream {
  /** Notifications in order, such as `connected c1` or `disconnected c1: reason`. */
  readonly notified: string[] = [];
  /** Event ids of the notifications `connected` and `disconnected`, in order. */
  readonly eventIds: number[] = [];
  readonly sources: EventSource[] = [];
  readonly pending: PendingEvent[] = [];
  /** Null: nobody handles `connect`. */
  onConnect: ((source: EventSource, event: ConnectEvent, signal: CancelSignal) => Promise<ConnectOutcome>) | null =
    null;
  reportsPresence = false;

  wantsConnect(): boolean {
    return this.onConnect !== null;
  }

  async connect(source: EventSource, event: ConnectEvent, signal: CancelSignal): Promise<ConnectOutcome> {
    if (this.onConnect === null) throw new Error("nobody asked for the connect event");
    return await this.onConnect(source, event, signal);
  }

  connected(source: EventSource): void {
    this.#notify(source, `connected ${source.id}`);
  }

  disconnected(source: EventSource, reason: string): void {
    this.#notify(source, `disconnected ${source.id}: ${reason}`);
  }

  async userEvent(source: EventSource, event: UserEvent, signal: CancelSignal): Promise<UserEventOutcome> {
    const { promise, resolve } = Promise.withResolvers<UserEventOutcome>();
    this.pending.push({ source, event, signal, answer: resolve });
    return await promise;
  }

  wantsPresence(): boolean {
    return this.reportsPresence;
  }

  presence(source: EventSource, change: "joined" | "left", group: GroupName): void {
    this.notified.push(`${change} ${source.id} ${group}`);
  }

  #notify(source: EventSource, text: string): void {
    this.notified.push(text);
    this.eventIds.push(source.takeEventId());
    this.sources.push(source);
  }
}
