import { defaultDeadlineMs } from "./inbox.ts";

/** Asks until the answer is yes; every question has to be a round trip to the server, so this waits without sleeping. */
export async function until(what: string, holds: () => Promise<boolean>, withinMs = defaultDeadlineMs): Promise<void> {
  const giveUp = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > giveUp) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}
