import type { Frame } from "./outbound.ts";

/** A frame that is worthless after a moment in time (client-protocols 6.7). */
interface TimedFrame {
  readonly frame: Frame;
  readonly expiresAt: number;
}

/** A frame that waits to be sent, now or again; an object only when it has an end. */
export type WaitingFrame = Frame | TimedFrame;

export function waitingFrame(frame: Frame, expiresAt: number | null): WaitingFrame {
  return expiresAt === null ? frame : { frame, expiresAt };
}

export function isTimed(waiting: WaitingFrame): waiting is TimedFrame {
  return typeof waiting === "object" && "expiresAt" in waiting;
}

export function frameOf(waiting: WaitingFrame): Frame {
  return isTimed(waiting) ? waiting.frame : waiting;
}
