import type { TraceLine } from "../../api/live-trace.ts";

/** One message on its way, put together from the lines of its trace id. */
export interface Followed {
  readonly traceId: string;
  /** Every line, in the order of their times. */
  readonly steps: readonly Step[];
  readonly deliveries: readonly Delivery[];
  /** For how many connections it was published; null before that. */
  readonly recipients: number | null;
}

export interface Step {
  readonly line: TraceLine;
  /** Milliseconds since the service received the message; null where the line does not say. */
  readonly elapsed: number | null;
}

/** What became of the message for one recipient. */
export interface Delivery {
  readonly line: TraceLine;
  readonly connectionId: string;
  readonly userId: string | null;
  readonly stage: string;
  /** Milliseconds since the service received the message. */
  readonly queued: number | null;
  readonly elapsed: number | null;
}

const deliveryEvents = ["MessageDelivered", "MessageDelayed", "MessageLost"];

/** Collects what lines say about one message. */
export function follow(lines: readonly TraceLine[], traceId: string): Followed {
  const own = lines.filter(({ context }) => context["traceId"] === traceId);
  const steps = own
    .filter(({ event }) => !deliveryEvents.includes(event))
    .map((line) => ({ line, elapsed: numberOf(line, "elapsed") }))
    .toSorted((one, other) => (one.elapsed ?? 0) - (other.elapsed ?? 0));
  const deliveries = own
    .filter(({ event }) => deliveryEvents.includes(event))
    .map((line) => ({
      line,
      connectionId: textOf(line, "connectionId") ?? "",
      userId: textOf(line, "userId"),
      stage: textOf(line, "stage") ?? "",
      queued: numberOf(line, "queued"),
      elapsed: numberOf(line, "elapsed"),
    }));
  const published = own.findLast(({ event }) => event === "MessagePublished");
  const recipients = published === undefined ? null : numberOf(published, "recipients");
  return { traceId, steps, deliveries, recipients };
}

/** Whether a line has a text somewhere, in any case. */
export function fits({ event, message, context }: TraceLine, keyword: string): boolean {
  if (keyword === "") return true;
  const wanted = keyword.toLowerCase();
  return [event, message, ...Object.values(context)].some((text) => String(text).toLowerCase().includes(wanted));
}

function numberOf({ context }: TraceLine, name: string): number | null {
  const value = context[name];
  return typeof value === "number" ? value : null;
}

function textOf({ context }: TraceLine, name: string): string | null {
  const value = context[name];
  return value === undefined ? null : String(value);
}
