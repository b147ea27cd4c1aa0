import type { AckId } from "./names.ts";

/** The ack ids of a connection's successful requests; the oldest is forgotten beyond the capacity (C-33, C-35). */
export class AckMemory {
  readonly #ids = new Set<AckId>();

  has(id: AckId): boolean {
    return this.#ids.has(id);
  }

  remember(id: AckId, capacity: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= capacity) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      if (this.#ids.size <= capacity) return;
    }
  }
}
