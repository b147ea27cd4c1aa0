import type { Message } from "../shared/protocol.ts";

/** Messages of one chat as far as they are loaded: ids that follow each other, oldest first. */
export type Timeline = readonly Message[];

export const lastId = (timeline: Timeline): number => timeline.at(-1)?.id ?? 0;

/** Older messages exist, since a chat starts with 1. */
export const hasEarlier = (timeline: Timeline): boolean => (timeline[0]?.id ?? 1) > 1;

/** With what comes next; what is there already is dropped. Null: something between is missing. */
export function append(timeline: Timeline, messages: readonly Message[]): Timeline | null {
  const result = [...timeline];
  for (const message of messages) {
    if (message.id <= lastId(result)) continue;
    if (message.id !== lastId(result) + 1) return null;
    result.push(message);
  }
  return result;
}

/** With what came before. */
export function prepend(timeline: Timeline, messages: readonly Message[]): Timeline {
  const first = timeline[0]?.id ?? Number.POSITIVE_INFINITY;
  return [...messages.filter((message) => message.id < first), ...timeline];
}
