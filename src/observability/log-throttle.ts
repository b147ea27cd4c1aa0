import type { Clock } from "../core/ports.ts";

const windowMs = 1000;
/** Ours: event names are literals of the code, so this is never reached unless a caller makes names up. */
const maxWindows = 1000;

/** How many lines of one event were left out. */
export interface Suppressed {
  readonly event: string;
  readonly lines: number;
}

/** Lets at most a fixed number of lines per event name and second through. */
export interface LogThrottle {
  /** Whether one more line of this event may be written now; counts it as suppressed otherwise. */
  admit(event: string): boolean;
  /** What was suppressed since the last call, by event. */
  takeSuppressed(): readonly Suppressed[];
  /** Lines suppressed since the start. */
  readonly total: number;
}

/** Creates a throttle with fixed one-second windows, one per event name. */
export function createLogThrottle(clock: Clock, maxPerSecond: number): LogThrottle {
  const windows = new Map<string, { start: number; lines: number }>();
  const suppressed = new Map<string, number>();
  let total = 0;
  return {
    admit(event) {
      const now = clock.now();
      const current = windows.get(event);
      // A clock set back starts a new window too, rather than muting the event until it has caught up.
      if (current === undefined || now < current.start || now - current.start >= windowMs) {
        if (windows.size >= maxWindows) windows.clear();
        windows.set(event, { start: now, lines: 1 });
        return true;
      }
      current.lines += 1;
      if (current.lines <= maxPerSecond) return true;
      total += 1;
      if (suppressed.has(event) || suppressed.size < maxWindows)
        suppressed.set(event, (suppressed.get(event) ?? 0) + 1);
      return false;
    },
    takeSuppressed() {
      const taken = Array.from(suppressed, ([event, lines]) => ({ event, lines }));
      suppressed.clear();
      return taken;
    },
    get total() {
      return total;
    },
  };
}
