import type { LogLine } from "./lines.ts";

const maxWaiting = 2000;

/** Lines that wait to be sent. Who fills it faster than it is emptied has to wait. */
export class LineQueue {
  readonly #waiting: LogLine[] = [];
  #changed = Promise.withResolvers<void>();
  #end: { readonly error: Error | null } | null = null;

  /** Takes everything that `lines` yields, then ends the queue. */
  async fill(lines: AsyncIterable<LogLine>): Promise<void> {
    try {
      for await (const line of lines) {
        this.#waiting.push(line);
        this.#notify();
        while (this.#waiting.length >= maxWaiting) await this.#changed.promise;
      }
      this.#end = { error: null };
    } catch (error) {
      this.#end = { error: error instanceof Error ? error : new Error(String(error)) };
    }
    this.#notify();
  }

  /** What has come meanwhile, at most `maxBytes` of it but at least one line; null at the end. */
  async take(maxBytes: number): Promise<readonly LogLine[] | null> {
    while (this.#waiting.length === 0) {
      if (this.#end?.error) throw this.#end.error;
      if (this.#end !== null) return null;
      await this.#changed.promise;
    }
    let [count, bytes] = [0, 0];
    for (const line of this.#waiting) {
      bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
      if (count > 0 && bytes > maxBytes) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    this.#notify();
    return taken;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
