/**
 * How long a test waits for something that should happen at once. Never slept, and no measure of speed: it turns a hang into
 * a message. Generous, since machines are shared; below the 20 s of the keep-alive, which must not repair what is lost.
 */
export const defaultDeadlineMs = 15_000;

export interface Waiting<T> {
  /** What is awaited, for the message of the failure. */
  readonly what: string;
  readonly withinMs?: number | undefined;
  /** Takes the first thing for which this holds and leaves the others; without it, the very next thing. */
  readonly where?: ((item: T) => boolean) | undefined;
}

/**
 * Things that arrived and have not been looked at yet, in order of arrival. Nothing is lost between its arrival and the
 * first look, so a test may start to wait late.
 */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiters: { readonly wants: (item: T) => boolean; readonly give: (item: T) => void }[] = [];

  push(item: T): void {
    const at = this.#waiters.findIndex((waiter) => waiter.wants(item));
    const [waiter] = at === -1 ? [] : this.#waiters.splice(at, 1);
    if (waiter === undefined) this.#items.push(item);
    else waiter.give(item);
  }

  /** What lies here untaken. */
  get untaken(): readonly T[] {
    return this.#items;
  }

  /** Takes one thing; rejects after `withinMs`, saying what was awaited and what lies here instead. */
  async take({ what, withinMs = defaultDeadlineMs, where = () => true }: Waiting<T>): Promise<T> {
    const at = this.#items.findIndex(where);
    const [item] = at === -1 ? [] : this.#items.splice(at, 1);
    if (item !== undefined) return item;
    return new Promise<T>((resolve, reject) => {
      const waiter = {
        wants: where,
        give: (given: T) => {
          clearTimeout(timer);
          resolve(given);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        const seen = this.#items.length === 0 ? "nothing" : this.#items.map(describe).join(", ");
        reject(new Error(`no ${what} within ${withinMs} ms; untaken: ${seen}`));
      }, withinMs);
      this.#waiters.push(waiter);
    });
  }
}

const describe = (item: unknown): string => (JSON.stringify(item) ?? String(item)).slice(0, 300);

/** Rejects when `promise` takes longer than `withinMs`. */
export async function inTime<T>(promise: Promise<T>, what: string, withinMs = defaultDeadlineMs): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error(`no ${what} within ${withinMs} ms`)), withinMs);
  try {
    return await Promise.race([promise, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
