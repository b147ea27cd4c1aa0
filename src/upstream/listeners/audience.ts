import type { EventSource } from "../../core/ports.ts";
import type { ListenerEvent } from "./event.ts";

/** What is told to listeners, beside whom it is about. */
export type HeardEvent = Pick<ListenerEvent, "kind" | "event" | "id" | "timeMs" | "connectionState" | "metadata"> & {
  /** Called only if somebody listens. */
  readonly payload: () => Pick<ListenerEvent, "contentType" | "body">;
};

/** Who is told of events. */
export interface EventAudience {
  /**
   * Queues the event for every listener of the hub that wants it and returns whether there was one. Never waits, never
   * throws; what becomes of it is only counted and logged.
   * @spec E-83 E-85
   */
  tell(source: EventSource, event: HeardEvent): boolean;
}
