import { billedMessages } from "../../core/billed-messages.ts";
import type { Clock, Telemetry } from "../../core/ports.ts";
import type { DeliveryReports, LossKind } from "./delivery.ts";

/** Where event listeners report. Cheap, never throws; no report holds a credential or a payload. */
export interface ListenerTelemetry extends Pick<Telemetry, "log"> {
  /** `type` as in the configuration. `messages`: each event counted by `billedMessages`. */
  listenerSent(
    type: string,
    sent: { readonly events: number; readonly bytes: number; readonly messages: number },
  ): void;
  listenerLost(type: string, kind: LossKind, events: number): void;
}

/** The listener that reports are about. */
export interface ListenerFacts {
  readonly type: string;
  readonly hub: string;
  /** Place in the hub's list. */
  readonly index: number;
  /** The sink in use. */
  name(): string;
}

const newsMs = 60_000; // event-handlers 8.3, for listeners alike

/** Counts everything and writes at most one line per kind of trouble and minute, with what happened meanwhile. */
export function createReports(
  facts: ListenerFacts,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: ListenerTelemetry },
): DeliveryReports {
  const { type, hub, index } = facts;
  const subject = (): string => `Event listener ${index} of hub ${hub} (${facts.name()})`;
  const lostSince: Record<LossKind, number> = { dropped: 0, failed: 0 };
  const toldAt: Record<LossKind | "unavailable", number> = {
    dropped: Number.NEGATIVE_INFINITY,
    failed: Number.NEGATIVE_INFINITY,
    unavailable: Number.NEGATIVE_INFINITY,
  };
  const isNews = (kind: LossKind | "unavailable"): boolean => {
    const now = clock.now();
    if (now - toldAt[kind] < newsMs) return false;
    toldAt[kind] = now;
    return true;
  };
  return {
    sent(events) {
      let bytes = 0;
      let messages = 0;
      for (const { size } of events) {
        bytes += size;
        messages += billedMessages(size);
      }
      telemetry.listenerSent(type, { events: events.length, bytes, messages });
    },
    lost(kind, count, reason) {
      telemetry.listenerLost(type, kind, count);
      lostSince[kind] += count;
      if (!isNews(kind)) return;
      const verb = kind === "dropped" ? "dropped" : "could not deliver";
      const message = `${subject()} ${verb} ${lostSince[kind]} events because ${reason}`;
      telemetry.log("warning", kind === "dropped" ? "ListenerEventDropped" : "ListenerEventFailed", { message, hub });
      lostSince[kind] = 0;
    },
    unavailable(reason, retryMs) {
      if (!isNews("unavailable")) return;
      const message = `${subject()} does not take events because ${reason}; next attempt in ${retryMs / 1000} s`;
      telemetry.log("warning", "EventListenerUnavailable", { message, hub });
    },
    recovered() {
      toldAt.unavailable = Number.NEGATIVE_INFINITY;
      telemetry.log("info", "EventListenerRecovered", { message: `${subject()} takes events again`, hub });
    },
  };
}
