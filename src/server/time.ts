import type { Clock, Scheduler } from "../core/ports.ts";

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds since the epoch with fractions, never going back; setting the clock does not move it. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Timers of the runtime. None of them keeps the process alive: the listeners do. */
export const systemScheduler: Scheduler = {
  afterTurn(callback) {
    setImmediate(callback);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
