import type { HubName } from "../../core/names.ts";
import type { Clock, EventSource, Scheduler } from "../../core/ports.ts";
import { type EventPattern, parseEventPattern } from "../webhooks/event-pattern.ts";
import type { EventAudience, HeardEvent } from "./audience.ts";
import { Delivery, type DeliveryLimits, deliveryLimits } from "./delivery.ts";
import { type ListenerEvent, sizedEvent } from "./event.ts";
import { createReports, type ListenerTelemetry } from "./reports.ts";
import type { EventListenerSettings, ListenerEndpoint, ListenersSettings } from "./settings.ts";
import type { EventSink } from "./sink.ts";

/** The event listeners of all hubs: fire and forget. */
export interface EventListeners extends EventAudience {
  /**
   * Later events see the new settings. A listener whose endpoint is unchanged stays as it is, with its connection; one
   * that changed keeps its queue; one that is gone delivers what it has within the drain time.
   */
  reload(settings: ListenersSettings): void;
  /** Takes no more events, delivers what is queued, drops what is left at the deadline. */
  close(deadlineMs: number): Promise<void>;
  readonly stats: { readonly events: number; readonly bytes: number };
}

export interface ListenersOptions {
  readonly settings: ListenersSettings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly telemetry: ListenerTelemetry;
  readonly createSink: (endpoint: ListenerEndpoint) => EventSink;
  /** Default: `deliveryLimits`. */
  readonly limits?: DeliveryLimits | undefined;
}

/** Drain of event-handlers 12, for listeners that a reload removed. */
const removalDrainMs = 10_000;

interface Listener {
  readonly systemEvents: ReadonlySet<string>;
  readonly userEvents: EventPattern;
  readonly endpoint: ListenerEndpoint;
  readonly sink: { current: EventSink };
  readonly delivery: Delivery;
}

/** Creates the listeners; each one connects when it has its first event. */
export function createEventListeners(options: ListenersOptions): EventListeners {
  return new Listeners(options);
}

class Listeners implements EventListeners {
  readonly #options: ListenersOptions;
  #hubs: ReadonlyMap<HubName, readonly Listener[]>;
  #defaultHub: readonly Listener[];
  /** Removed by a reload, not empty yet. */
  readonly #leaving = new Set<Delivery>();
  #closing: Promise<void> | null = null;

  constructor(options: ListenersOptions) {
    this.#options = options;
    const { hubs, defaultHub } = options.settings;
    this.#hubs = new Map(Array.from(hubs, ([hub, settings]) => [hub, this.#build(hub, settings, [])]));
    this.#defaultHub = this.#build("*", defaultHub, []);
  }

  get stats(): EventListeners["stats"] {
    let events = 0;
    let bytes = 0;
    for (const delivery of this.#deliveries()) {
      events += delivery.events;
      bytes += delivery.bytes;
    }
    return { events, bytes };
  }

  tell(source: EventSource, heard: HeardEvent): boolean {
    const listeners = this.#hubs.get(source.hub) ?? this.#defaultHub;
    let event: ListenerEvent | null = null;
    for (const { systemEvents, userEvents, delivery } of listeners) {
      const isWanted = heard.kind === "sys" ? systemEvents.has(heard.event) : userEvents.matches(heard.event);
      if (!isWanted) continue;
      event ??= eventOf(source, heard);
      delivery.add(event);
    }
    return event !== null;
  }

  reload({ hubs, defaultHub }: ListenersSettings): void {
    if (this.#closing !== null) return;
    const before = this.#hubs;
    this.#hubs = new Map(
      Array.from(hubs, ([hub, settings]) => [hub, this.#build(hub, settings, before.get(hub) ?? [])]),
    );
    for (const [hub, listeners] of before) if (!hubs.has(hub)) for (const each of listeners) this.#remove(each);
    this.#defaultHub = this.#build("*", defaultHub, this.#defaultHub);
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= Promise.all([...this.#deliveries()].map((each) => each.close(deadlineMs))).then(() => undefined);
    return this.#closing;
  }

  /** The listeners of a hub from its settings, taking over from those it had. */
  #build(hub: string, settings: readonly EventListenerSettings[], before: readonly Listener[]): readonly Listener[] {
    const unused = new Set(before);
    const unchanged = settings.map(({ endpoint }) => {
      const same = [...unused].find((each) => isSame(each.endpoint, endpoint));
      if (same !== undefined) unused.delete(same);
      return same;
    });
    const built = settings.map(({ filter, endpoint }, index): Listener => {
      const place = before[index];
      const changed = place !== undefined && unused.has(place) && place.endpoint.type === endpoint.type ? place : null;
      const previous = unchanged[index] ?? changed;
      if (previous !== null) unused.delete(previous);
      const userEvents = parseEventPattern(filter.userEventPattern, false);
      return {
        systemEvents: new Set(filter.systemEvents),
        // The configuration refuses such patterns before they get here.
        userEvents: typeof userEvents === "string" ? matchesNothing : userEvents,
        endpoint,
        ...(previous === null ? this.#open({ hub, index }, endpoint) : this.#goOn(previous, endpoint)),
      };
    });
    for (const listener of unused) this.#remove(listener);
    return built;
  }

  #open(place: { readonly hub: string; readonly index: number }, endpoint: ListenerEndpoint) {
    const { clock, scheduler, telemetry, createSink, limits = deliveryLimits } = this.#options;
    const sink = { current: createSink(endpoint) };
    const facts = { ...place, type: endpoint.type, name: () => sink.current.name };
    const reports = createReports(facts, { clock, telemetry });
    return { sink, delivery: new Delivery({ sink: sink.current, limits, clock, scheduler, reports }) };
  }

  #goOn({ sink, delivery, endpoint: old }: Listener, endpoint: ListenerEndpoint) {
    if (!isSame(old, endpoint)) {
      sink.current = this.#options.createSink(endpoint);
      delivery.replaceSink(sink.current);
    }
    return { sink, delivery };
  }

  #remove({ delivery }: Listener): void {
    this.#leaving.add(delivery);
    void delivery.close(removalDrainMs).then(() => this.#leaving.delete(delivery));
  }

  *#deliveries(): Generator<Delivery> {
    for (const listeners of [...this.#hubs.values(), this.#defaultHub])
      for (const { delivery } of listeners) yield delivery;
    yield* this.#leaving;
  }
}

const matchesNothing: EventPattern = { matches: () => false };

function isSame(one: ListenerEndpoint, other: ListenerEndpoint): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function eventOf({ hub, id, userId, subprotocol }: EventSource, { payload, ...facts }: HeardEvent): ListenerEvent {
  return sizedEvent({ hub, connectionId: id, userId, subprotocol, ...facts, ...payload() });
}
