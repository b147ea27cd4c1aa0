import type { Clock, Scheduler } from "../core/ports.ts";

export const systemClock: Clock = { now: () => Date.now() };

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
