import type { Message } from "../shared/protocol.ts";
import { dayOf } from "./format.ts";
import type { Timeline } from "./timeline.ts";

/** How a message is shown: under a day, and with its author where it is not just the next one of the same. */
export interface Row {
  readonly message: Message;
  readonly day: string | null;
  readonly isFirst: boolean;
}

const togetherMs = 5 * 60 * 1000;

export function rowsOf(timeline: Timeline): readonly Row[] {
  return timeline.map((message, at) => {
    const before = timeline[at - 1];
    const isNewDay = before === undefined || dayOf(before.sentAt) !== dayOf(message.sentAt);
    const isTogether = before?.authorId === message.authorId && message.sentAt - before.sentAt < togetherMs;
    return { message, day: isNewDay ? dayOf(message.sentAt) : null, isFirst: isNewDay || !isTogether };
  });
}
